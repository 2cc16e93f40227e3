"""`connect preview`: a notice as its reader gets it, in a file of each kind."""

import email
import email.policy
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from typer.testing import CliRunner

from engine.cli.main import app
from engine.communications.catalogue import CATALOGUE, EMAILS, LANGUAGES, LETTERS
from engine.errors import InputError


def preview(*arguments: str) -> str:
    """The command's output; an error of ours is raised."""
    answer = CliRunner().invoke(app, ["preview", *arguments])
    if isinstance(answer.exception, InputError):
        raise answer.exception
    assert answer.exit_code == 0, answer.output
    return answer.output


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("notice", [notice.key for notice in EMAILS])
def test_an_email_is_written_three_ways(tmp_path: Path, notice: str, language: str) -> None:
    """The message as it is sent, its HTML and its text; the message says the same as the others."""
    preview(notice, "--language", language, "--channel", "email", "--out", str(tmp_path))
    message = email.message_from_bytes(
        (tmp_path / f"{notice}.{language}.eml").read_bytes(), policy=email.policy.default
    )
    assert message["Content-Language"] == language
    text = message.get_body(("plain",))
    assert text is not None
    written = (tmp_path / f"{notice}.{language}.txt").read_text()
    assert text.get_content().split() == written.split()
    assert f'lang="{language}"' in (tmp_path / f"{notice}.{language}.html").read_text()


def test_a_letter_is_a_pdf_and_its_pages(tmp_path: Path) -> None:
    """The Spanish letter has a page for each of its halves."""
    said = preview(
        "payment_notice", "--language", "es", "--channel", "mail", "--out", str(tmp_path)
    )
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "payment_notice.es.pdf",
        "payment_notice.es.letter-1.png",
        "payment_notice.es.letter-2.png",
    }
    assert all(name in said for name in names)
    assert (tmp_path / "payment_notice.es.pdf").read_bytes().startswith(b"%PDF-1.")


def test_a_letter_in_large_print_takes_more_pages(tmp_path: Path) -> None:
    """`--large` draws the other edition, beside the usual one and not over it."""
    for large in ("--no-large", "--large"):
        preview("payment_notice", "--channel", "mail", large, "--out", str(tmp_path))
    assert (tmp_path / "payment_notice.en.large.letter-2.png").is_file()
    assert not (tmp_path / "payment_notice.en.letter-2.png").exists()


def test_the_window_is_drawn_over_the_pictures_alone(tmp_path: Path) -> None:
    """The envelope's window is blue, over the first page; the PDF is what its reader may keep."""
    drawn: dict[str, bytes] = {}
    for window in ("--window", "--no-window"):
        preview("payment_notice", "--channel", "mail", window, "--out", str(tmp_path))
        with Image.open(tmp_path / "payment_notice.en.letter-1.png") as page:
            red, _, blue = page.convert("RGB").split()
        drawn_over = ImageChops.subtract(blue, red).getbbox() is not None
        assert drawn_over == (window == "--window")
        drawn[window] = (tmp_path / "payment_notice.en.pdf").read_bytes()
    assert drawn["--window"] == drawn["--no-window"]


@pytest.mark.full
def test_the_gallery_shows_everything_without_a_network(tmp_path: Path) -> None:
    """One page with every notice in both languages; emails are sandboxed, letters are pictures."""
    preview("--all", "--out", str(tmp_path))
    page = (tmp_path / "index.html").read_text()
    assert page.count('sandbox=""') == 2 * len(EMAILS)
    assert page.count("data:image/png;base64,") == 3 * len(LETTERS)
    for notice in CATALOGUE.values():
        for language in LANGUAGES:
            assert (tmp_path / f"{notice.key}.{language}.eml").exists() == (notice in EMAILS)
            assert (tmp_path / f"{notice.key}.{language}.pdf").exists() == (notice in LETTERS)
    assert "<script" not in page
    assert 'src="http' not in page


def test_an_unknown_notice_is_told_what_there_is() -> None:
    """The error lists the catalogue."""
    with pytest.raises(InputError, match=", ".join(CATALOGUE)):
        preview("nosuch")
