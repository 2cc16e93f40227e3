"""`connect preview`: a notice as its reader gets it, from the catalogue's sample."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import track

from engine.clock import system_clock
from engine.communications.catalogue import (
    CATALOGUE,
    Channel,
    Notice,
)
from engine.communications.rendering import Renderer
from engine.errors import InputError
from engine.i18n import Language
from engine.settings import load_settings
from engine.stack.gallery import Gallery, every_notice
from engine.stack.report import gallery_page

_PPI: Final = 110


class PreviewLanguage(StrEnum):
    """The languages there are."""

    EN = "en"
    ES = "es"


def preview(
    notice: Annotated[str | None, typer.Argument(help="a key of the catalogue")] = None,
    *,
    language: Annotated[PreviewLanguage, typer.Option()] = PreviewLanguage.EN,
    channel: Annotated[Channel, typer.Option()] = Channel.EMAIL,
    everything: Annotated[
        bool, typer.Option("--all", help="every notice, in both languages, and a page of them")
    ] = False,
    large: Annotated[bool, typer.Option(help="a letter in large print")] = False,
    window: Annotated[
        bool, typer.Option(help="draw the envelope's window over the pictures of a letter")
    ] = True,
    out: Annotated[Path, typer.Option(help="the folder to write into")] = Path("var/preview"),
) -> None:
    """Write a notice from its sample: an email as .eml, .html, .txt, a letter as .pdf, .png."""
    settings = load_settings()
    gallery = Gallery(settings, Renderer(settings.agency, settings.public_url))
    out.mkdir(parents=True, exist_ok=True)
    if everything:
        _write_all(gallery, out, system_clock(), window=window)
        return
    if notice is None or notice not in CATALOGUE:
        raise InputError(f"which notice? Choose one of {', '.join(CATALOGUE)}, or --all")
    if channel not in CATALOGUE[notice].days:
        raise InputError(f"{notice} does not go by {channel}")
    if channel is not Channel.EMAIL:
        drawn = _letter(gallery, CATALOGUE[notice], language.value, large=large, window=window)
    else:
        drawn = _email(gallery, CATALOGUE[notice], language.value)
    for path in _write(drawn, out):
        typer.echo(path)


def _write_all(gallery: Gallery, out: Path, now: datetime, *, window: bool) -> None:
    everything = list(every_notice())
    for notice, language in track(everything, "drawing", transient=True):
        if Channel.EMAIL in notice.days:
            _write(_email(gallery, notice, language), out)
        for large in (False, True) if Channel.MAIL in notice.days else ():
            _write(_letter(gallery, notice, language, large=large, window=window), out)
    page = out / "index.html"
    page.write_text(gallery_page(gallery, now), encoding="utf-8")
    typer.echo(f"{len(everything)} notices drawn. Open {page}")


def _email(gallery: Gallery, notice: Notice, language: Language) -> dict[str, bytes]:
    """The files of an email, by name."""
    words = gallery.email(notice, language)
    stem = f"{notice.key}.{language}"
    return {
        f"{stem}.eml": gallery.email_message(notice, language),
        f"{stem}.html": words.html.encode(),
        f"{stem}.txt": words.text.encode(),
    }


def _letter(
    gallery: Gallery, notice: Notice, language: Language, *, large: bool, window: bool
) -> dict[str, bytes]:
    """The files of a letter, by name: as its reader may keep it, and a picture of each page."""
    stem = f"{notice.key}.{language}" + (".large" if large else "")
    pictures = gallery.letter_pictures(notice, language, _PPI, large=large, window=window)
    return {f"{stem}.pdf": gallery.letter_pdf(notice, language, large=large)} | {
        f"{stem}.letter-{number}.png": page for number, page in enumerate(pictures, 1)
    }


def _write(files: Mapping[str, bytes], out: Path) -> list[Path]:
    for name, content in files.items():
        (out / name).write_bytes(content)
    return [out / name for name in files]
