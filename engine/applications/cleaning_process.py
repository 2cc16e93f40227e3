"""The process in which a stranger's file is opened: it may have so much memory and so many seconds.

A picture is decoded and written anew, which leaves its metadata and whatever was hidden behind it
behind. A PDF is written anew from its objects, and refused where it could do anything by itself.
"""

import io
import resource
import warnings
from dataclasses import dataclass, field
from typing import Any, Final

import pikepdf
from PIL import Image, ImageOps

from engine.applications.file_types import HEIC, FileFault, MediaType, seems_to_be
from engine.mail.children import orders

MOST_MEMORY: Final = 1 << 30
MOST_SECONDS: Final = 20
PIXELS_MOST: Final = 40_000_000
SIDE_MOST: Final = 3_000
"""Pixels: a page of letter size at 270 dots an inch."""
PAGES_MOST: Final = 100
_DEPTH_MOST: Final = 100
_ACTIVE_KEYS: Final = frozenset(
    {"/JavaScript", "/JS", "/AA", "/OpenAction", "/EmbeddedFiles", "/EF", "/RichMediaContent"}
    | {"/XFA", "/Launch"}
)
_ACTIVE_KINDS: Final = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/RichMedia", "/GoToE", "/Rendition"}
    | {"/Movie", "/Sound", "/3D", "/FileAttachment", "/Screen"}
)


@dataclass(frozen=True, slots=True)
class Cleaning:
    """A file as it came, and how many octets of memory its opening may take."""

    content: bytes = field(repr=False)
    most_memory: int = MOST_MEMORY


@dataclass(frozen=True, slots=True)
class Clean:
    """A file made anew."""

    media_type: MediaType
    content: bytes = field(repr=False)


def serve(descriptor: int) -> None:
    """Answer with a file made anew, or with what is wrong with this one."""
    with orders(descriptor) as connection:
        asked: Cleaning = connection.recv()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (asked.most_memory, asked.most_memory))
        connection.send(cleaned(asked.content))


def cleaned(content: bytes) -> Clean | FileFault:
    """The file made anew, or why it is not taken."""
    kind = seems_to_be(content)
    if kind is None:
        return FileFault.WRONG_TYPE
    if kind == HEIC:
        return FileFault.HEIC
    try:
        return _pdf(content) if kind == "application/pdf" else _picture(content, kind)
    except (MemoryError, Image.DecompressionBombError):
        return FileFault.TOO_COMPLEX
    except pikepdf.PasswordError:
        return FileFault.ENCRYPTED
    except Exception:  # noqa: BLE001  a decoder may fail at what it is given in any way it likes
        return FileFault.DAMAGED


def _picture(content: bytes, kind: MediaType) -> Clean | FileFault:
    form = "JPEG" if kind == "image/jpeg" else "PNG"
    Image.MAX_IMAGE_PIXELS = PIXELS_MOST
    with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=(form,)) as opened:
        warnings.simplefilter("ignore")
        if opened.width * opened.height > PIXELS_MOST:
            return FileFault.TOO_COMPLEX
        opened.load()
        upright = ImageOps.exif_transpose(opened)
        plain = _on_white(upright)
    plain.thumbnail((SIDE_MOST, SIDE_MOST))
    # A picture made of nothing but the pixels: no EXIF, no place, no text, no profile.
    made = Image.new("RGB", plain.size)
    made.paste(plain)
    written = io.BytesIO()
    made.save(written, form, **({"quality": 88} if form == "JPEG" else {}))
    return Clean(kind, written.getvalue())


def _on_white(picture: Image.Image) -> Image.Image:
    """In three colours; what is transparent shows white, as on paper."""
    whole = picture.convert("RGBA")
    paper = Image.new("RGBA", whole.size, "white")
    paper.alpha_composite(whole)
    return paper.convert("RGB")


def _pdf(content: bytes) -> Clean | FileFault:
    with pikepdf.open(io.BytesIO(content)) as opened:
        if opened.is_encrypted:
            return FileFault.ENCRYPTED
        if not 1 <= len(opened.pages) <= PAGES_MOST:
            return FileFault.TOO_COMPLEX
        if any(_active(each) for each in opened.objects) or _active(opened.Root):
            return FileFault.ACTIVE
        for holder, name in ((opened.Root, "/Metadata"), (opened.trailer, "/Info")):
            if name in holder:
                del holder[name]
        written = io.BytesIO()
        # Streams are copied as they are: what would unpack without end is not unpacked here.
        opened.save(
            written,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            fix_metadata_version=False,
        )
    return Clean("application/pdf", written.getvalue())


def _active(thing: Any, depth: int = 0) -> bool:
    """Whether an object holds anything that a reader program would do by itself."""
    if depth > _DEPTH_MOST:
        return True
    if isinstance(thing, pikepdf.Array):
        return any(_active(each, depth + 1) for each in _direct(thing))
    if not isinstance(thing, (pikepdf.Dictionary, pikepdf.Stream)):
        return False
    if _ACTIVE_KEYS & set(thing.keys()):
        return True
    if any(str(thing.get(key, "")) in _ACTIVE_KINDS for key in ("/S", "/Subtype", "/Type")):
        return True
    held = thing.stream_dict if isinstance(thing, pikepdf.Stream) else thing
    return any(_active(each, depth + 1) for each in _direct(list(held.as_dict().values())))


def _direct(things: Any) -> list[Any]:
    """Those that stand in it themselves; the others are objects of their own."""
    return [each for each in things if not getattr(each, "is_indirect", False)]
