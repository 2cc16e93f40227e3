"""Files as people send them, and as people with bad intentions do."""

import io
import struct
import zlib

import pikepdf
from PIL import Image

SECRET = "Calle Secreta 7"
"""What metadata may tell."""


def jpeg(width: int = 60, height: int = 40) -> bytes:
    """A picture that says where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = SECRET
    exif[0x0112] = 6  # turned by a quarter
    written = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(written, "JPEG", exif=exif, comment=SECRET)
    return written.getvalue()


def png(width: int = 6, height: int = 4, rows: bytes | None = None) -> bytes:
    """A picture of one colour; with `rows` of whatever they say, compressed."""
    lines = (b"\0" + b"\x80" * 3 * width) * height if rows is None else rows
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    text = b"Comment\0" + SECRET.encode()
    parts = ((b"IHDR", header), (b"tEXt", text), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def bomb() -> bytes:
    """A few kilobytes that unpack to ten thousand million octets."""
    return png(60_000, 60_000, b"\0" * 10_000_000)


def pdf(**entries: object) -> bytes:
    """A page; `entries` stand in its root."""
    made = pikepdf.new()
    made.add_blank_page()
    made.docinfo["/Author"] = SECRET
    for name, value in entries.items():
        made.Root[f"/{name}"] = value
    return _saved(made)


def pdf_with_annotation(subtype: str, action: str) -> bytes:
    """A page with something to click on."""
    made = pikepdf.new()
    made.add_blank_page()
    act = pikepdf.Dictionary(S=pikepdf.Name(action), URI="https://example.com")
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name(subtype), A=act)
    made.pages[0].obj["/Annots"] = pikepdf.Array([made.make_indirect(note)])
    return _saved(made)


def script() -> pikepdf.Dictionary:
    """An action that runs a program."""
    return pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")


def locked(password: str = "") -> bytes:
    """A PDF that is encrypted, with a password to open it or without."""
    made = pikepdf.new()
    made.add_blank_page()
    written = io.BytesIO()
    made.save(written, encryption=pikepdf.Encryption(owner="owner", user=password))
    return written.getvalue()


def _saved(made: pikepdf.Pdf) -> bytes:
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()
