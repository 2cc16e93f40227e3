"""What strangers send is made anew, or refused for a reason its sender can act on."""

import io
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from engine.applications.cleaning import Cleaner
from engine.applications.cleaning_process import Clean, cleaned
from engine.applications.file_types import FileFault
from tests.applications import files

_HTML = b"<html><script>alert(1)</script></html>"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (_HTML, FileFault.WRONG_TYPE),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', FileFault.WRONG_TYPE),
        (b"PK\3\4" + bytes(100), FileFault.WRONG_TYPE),
        (b"GIF89a" + bytes(100), FileFault.WRONG_TYPE),
        (b"\n" + files.pdf(), FileFault.WRONG_TYPE),
        (b"\0\0\0\x18ftypheic" + bytes(100), FileFault.HEIC),
        (b"%PDF-1.7\n" + _HTML, FileFault.DAMAGED),
        (b"\xff\xd8\xff" + _HTML, FileFault.DAMAGED),
        (files.png()[:60], FileFault.DAMAGED),
        (files.bomb(), FileFault.TOO_COMPLEX),
        (files.locked(), FileFault.ENCRYPTED),
        (files.locked("secret"), FileFault.ENCRYPTED),
        (files.pdf(OpenAction=files.script()), FileFault.ACTIVE),
        (files.pdf(Names=pikepdf.Dictionary(JavaScript=files.script())), FileFault.ACTIVE),
        (files.pdf(Names=pikepdf.Dictionary(EmbeddedFiles=[])), FileFault.ACTIVE),
        (files.pdf(AcroForm=pikepdf.Dictionary(XFA="x")), FileFault.ACTIVE),
        (files.pdf_with_annotation("/Link", "/Launch"), FileFault.ACTIVE),
        (files.pdf_with_annotation("/FileAttachment", "/URI"), FileFault.ACTIVE),
        (files.pdf_with_annotation("/Link", "/SubmitForm"), FileFault.ACTIVE),
    ],
)
def test_what_is_not_a_plain_document_is_refused(content: bytes, fault: FileFault) -> None:
    """By its content, whatever it is called; each with its own reason."""
    assert cleaned(content) == fault


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (files.jpeg(), "image/jpeg"),
        (files.png(), "image/png"),
        (files.pdf(), "application/pdf"),
        (files.pdf_with_annotation("/Link", "/URI"), "application/pdf"),
        (files.jpeg() + _HTML, "image/jpeg"),
        (files.png() + _HTML, "image/png"),
        (files.pdf() + _HTML, "application/pdf"),
    ],
)
def test_what_is_kept_is_only_what_is_seen(content: bytes, media_type: str) -> None:
    """No metadata and nothing hidden behind the end: a file that is two things is one of them."""
    made = cleaned(content)
    assert isinstance(made, Clean)
    assert made.media_type == media_type
    assert files.SECRET.encode() not in made.content
    assert b"<script>" not in made.content
    assert cleaned(made.content) is not None


def test_a_picture_stands_upright_and_is_not_larger_than_a_page() -> None:
    """As its camera meant it, without the mark that said so."""
    made = cleaned(files.jpeg(4000, 1000))
    assert isinstance(made, Clean)
    assert Image.open(io.BytesIO(made.content)).size == (750, 3000)


async def test_a_process_that_takes_too_much_is_ended() -> None:
    """And whoever sent the file is told, while the portal stays as it was."""
    cleaner = Cleaner(most_memory=200 << 20)
    assert await cleaner.clean(files.png(5000, 5000, bytes(15_001 * 5000))) == FileFault.TOO_COMPLEX
    made = await Cleaner().clean(files.png())
    assert isinstance(made, Clean)


def test_opening_a_file_leaves_none_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that came in is written to a disk in the clear."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert isinstance(cleaned(files.pdf()), Clean)
    assert list(tmp_path.iterdir()) == []
