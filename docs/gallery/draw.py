"""Draws the pictures of this folder anew: `make pictures`. It needs Chromium, and Debian's
fonts-liberation: with other fonts every picture changes.

`python docs/gallery/draw.py letters` draws the letters alone, and does without. Emails are
photographed at the width of a phone, letters are drawn by Typst. Everything in them is from the
catalogue's samples.
"""

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pypdfium2
from PIL import Image, ImageOps
from playwright.sync_api import Browser, sync_playwright

from docs.gallery.contents import write_readme
from engine.communications.catalogue import (
    CATALOGUE,
    EMAILS,
    LANGUAGES,
    LETTERS,
    TEMPORARY_PIN,
    Channel,
)
from engine.communications.rendering import Renderer
from engine.mail.barcode import encode
from engine.mail.composing import compose_part
from engine.mail.letters import Letter
from engine.settings import load_settings
from engine.stack.gallery import SAMPLE_DAY, Gallery, every_notice

HERE = Path(__file__).parent
PHONE = 360
PPI = 64
INK = "#c8d0d8"


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    program = shutil.which("chromium")
    if program is None:
        sys.exit("Chromium is needed to photograph emails and pages")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=quiet)
        yield opened
        opened.close()


def keep(picture: Image.Image, name: str) -> None:
    """Write a picture with few colours: the repository keeps it."""
    few = picture.convert("RGB").quantize(96, dither=Image.Dither.NONE)
    few.save(HERE / name, optimize=True)


def photograph(opened: Browser, html: str, *, dark: bool = False) -> Image.Image:
    """An email as a phone shows it."""
    page = opened.new_page(
        viewport={"width": PHONE, "height": 640}, color_scheme="dark" if dark else "light"
    )
    page.set_content(html)
    shot = page.screenshot(full_page=True)
    page.close()
    return Image.open(io.BytesIO(shot))


def framed(page: Image.Image) -> Image.Image:
    """A page with its edges."""
    return ImageOps.expand(page.convert("RGB"), 1, INK)


def letters(gallery: Gallery, *, large: bool = False) -> dict[str, list[Image.Image]]:
    """The pages of every sample letter, by `notice.language`."""
    return {
        f"{notice.key}.{language}": [
            framed(Image.open(io.BytesIO(page)))
            for page in gallery.letter_pictures(notice, language, PPI, large=large)
        ]
        for notice, language in every_notice(Channel.MAIL)
    }


def posted(letter: Letter) -> Image.Image:
    """The first page of a letter as it is in a batch, with the sheet's mark and our barcode."""
    barcode = encode("00700123456000000042", "958140042")
    address = replace(letter.recipient, zip4="0042")
    part = compose_part(
        [replace(letter, imb=barcode, recipient=address)],
        batch_id="ccss_test_letters_20261123_001",
        document_date=SAMPLE_DAY,
    )
    with pypdfium2.PdfDocument(part.pdf) as pdf:
        return framed(pdf[0].render(scale=PPI / 72).to_pil())


def draw_letters(gallery: Gallery) -> dict[str, list[Image.Image]]:
    """Every letter in both editions, and one on its way; the pages of the usual edition."""
    sheets, large_sheets = letters(gallery), letters(gallery, large=True)
    for notice in LETTERS:
        keep(
            beside(sheets[f"{notice.key}.en"] + sheets[f"{notice.key}.es"]),
            f"{notice.key}.letter.png",
        )
        for language in LANGUAGES:
            pages = large_sheets[f"{notice.key}.{language}"]
            keep(beside(pages), f"{notice.key}.{language}.large.png")
    payment = CATALOGUE["payment_notice"]
    windowed = gallery.letter_pictures(payment, "es", PPI, window=True)[0]
    on_its_way = [
        framed(Image.open(io.BytesIO(windowed))),
        posted(gallery.letter(payment, "es")),
        posted(gallery.letter(payment, "es", large=True)),
    ]
    keep(beside(on_its_way), "posted.letter.png")
    return sheets


def beside(pictures: list[Image.Image], height: int | None = None) -> Image.Image:
    """Pictures side by side on one ground, cut to `height`."""
    gap = 16
    height = height or max(picture.height for picture in pictures)
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) + 1)
    ground = Image.new("RGB", (width, height + 2 * gap), "#eef1f4")
    left = gap
    for picture in pictures:
        ground.paste(picture.crop((0, 0, picture.width, min(height, picture.height))), (left, gap))
        left += picture.width + gap
    return ground


def main() -> None:
    """Draw everything."""
    settings = load_settings()
    gallery = Gallery(settings, Renderer(settings.agency, settings.public_url))
    sheets = draw_letters(gallery)
    if sys.argv[1:] == ["letters"]:
        return
    with browser() as opened:
        for notice in EMAILS:
            words = {language: gallery.email(notice, language) for language in LANGUAGES}
            shots = [photograph(opened, words[language].html) for language in LANGUAGES]
            shots.append(photograph(opened, words["es"].html, dark=True))
            keep(beside(shots), f"{notice.key}.email.png")
        overview = [
            photograph(opened, gallery.email(TEMPORARY_PIN, language).html)
            for language in LANGUAGES
        ]
        tall = sheets["temporary_pin.en"][0].height
        overview += [sheets[f"temporary_pin.{language}"][0] for language in LANGUAGES]
        keep(beside(overview, tall), "overview.png")
    write_readme()


if __name__ == "__main__":
    main()
