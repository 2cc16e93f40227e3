"""What docs/gallery/README.md says: every notice and every page there is, with its pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from docs.gallery.shots import SHOTS, Shot
from engine.communications.catalogue import CATALOGUE, EMAILS, LANGUAGES, LETTERS, Notice

README: Final = Path(__file__).parent / "README.md"
_THUMBNAIL: Final = 180
_HEAD: Final = """# Gallery

Every notice, from the catalogue's preview samples, and every page of the portal, of an invented
family. `make pictures` draws them anew, and writes this page.

![An email and a letter, in English and in Spanish](overview.png)

## Notices

Emails are in English, in Spanish, and in Spanish in dark mode; letters in English, and in Spanish
with their English half.

| Notice | Emails | Letters |
|---|---|---|
"""
_LARGE: Final = """
The same letters in large print, 18 point and up, for those who asked for it:

| Notice | English | Spanish with its English half |
|---|---|---|
"""
_POSTED: Final = """
On its way: where the window of a #10 envelope comes to lie (`connect preview` draws it), and what a
batch adds, the sheet's mark and, where it is ours, the Intelligent Mail barcode, in both editions.

![Two letters, with the window and as posted](posted.letter.png)

## Pages

As a phone shows them, and as paper does where that is another matter; a picture leads to the page
at a desk.

| Page | English | Spanish |
|---|---|---|
"""


def pictures_of(notice: Notice) -> Iterator[str]:
    """The files that draw.py makes of a notice."""
    if notice in EMAILS:
        yield f"{notice.key}.email.png"
    if notice in LETTERS:
        yield f"{notice.key}.letter.png"
        yield from (f"{notice.key}.{language}.large.png" for language in LANGUAGES)


def readme() -> str:
    """The whole page."""
    notices = "".join(map(_notice, CATALOGUE.values()))
    large = "".join(map(_large, LETTERS))
    pages = "".join(_page(name, shot) for name, shot in SHOTS.items())
    return f"{_HEAD}{notices}{_LARGE}{large}{_POSTED}{pages}"


def write_readme() -> None:
    """Bring the page in step with what there is."""
    README.write_text(readme(), encoding="utf-8")


def _notice(notice: Notice) -> str:
    email = f"![]({notice.key}.email.png)" if notice in EMAILS else "goes by mail alone"
    letter = f"![]({notice.key}.letter.png)" if notice in LETTERS else "goes by email alone"
    return f"| `{notice.key}` | {email} | {letter} |\n"


def _large(notice: Notice) -> str:
    cells = (f"![]({notice.key}.{language}.large.png)" for language in LANGUAGES)
    return f"| `{notice.key}` | {' | '.join(cells)} |\n"


def _page(name: str, shot: Shot) -> str:
    title, cells = name.replace("_", " "), []
    for language, pictures in shot.pictures(name).items():
        first, *others = pictures.values()
        image = f'<img src="{first}" width="{_THUMBNAIL}" alt="{title}, {language}">'
        cells.append(f"[{image}]({(others or [first])[0]})")
    return f"| {title}<br>`{shot.shown}` | {' | '.join(cells)} |\n"
