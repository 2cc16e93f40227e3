"""`connect preview`: a notice as its reader gets it, from the catalogue's sample."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

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


class PreviewLanguage(StrEnum):
    """The languages there are."""

    EN = "en"
    ES = "es"


def preview(
    notice: Annotated[str | None, typer.Argument(help="a key of the catalogue")] = None,
    language: Annotated[PreviewLanguage, typer.Option()] = PreviewLanguage.EN,
    channel: Annotated[Channel, typer.Option()] = Channel.EMAIL,
    everything: Annotated[
        bool, typer.Option("--all", help="every notice, in both languages, and a page of them")
    ] = False,
    out: Annotated[Path, typer.Option(help="the folder to write into")] = Path("var/preview"),
) -> None:
    """Write a notice from its sample: an email as .eml, .html, .txt, a letter as .pdf, .png."""
    settings = load_settings()
    gallery = Gallery(settings, Renderer(settings.agency, settings.public_url))
    out.mkdir(parents=True, exist_ok=True)
    if everything:
        _write_all(gallery, out, system_clock())
        return
    if notice is None or notice not in CATALOGUE:
        raise InputError(f"which notice? Choose one of {', '.join(CATALOGUE)}, or --all")
    for path in _write(gallery, CATALOGUE[notice], language.value, channel, out):
        typer.echo(path)


def _write_all(gallery: Gallery, out: Path, now: datetime) -> None:
    everything = list(every_notice())
    for notice, language in track(everything, "drawing", transient=True):
        for channel in Channel:
            _write(gallery, notice, language, channel, out)
    page = out / "index.html"
    page.write_text(gallery_page(gallery, now), encoding="utf-8")
    typer.echo(f"{len(everything)} notices drawn. Open {page}")


def _write(
    gallery: Gallery, notice: Notice, language: Language, channel: Channel, out: Path
) -> list[Path]:
    """The files of one notice on one channel."""
    stem = f"{notice.key}.{language}"
    if channel is Channel.MAIL:
        files = {f"{stem}.pdf": gallery.letter_pdf(notice, language)}
        for number, page in enumerate(gallery.letter_pictures(notice, language, 110), 1):
            files[f"{stem}.letter-{number}.png"] = page
    else:
        words = gallery.email(notice, language)
        files = {
            f"{stem}.eml": gallery.email_message(notice, language),
            f"{stem}.html": words.html.encode(),
            f"{stem}.txt": words.text.encode(),
        }
    for name, content in files.items():
        (out / name).write_bytes(content)
    return [out / name for name in files]
