"""One page to look at: what was sent, and what each notice looks like. It needs no network."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine.assets import TEMPLATES
from engine.bootstrap import Application
from engine.clock import PACIFIC
from engine.communications.catalogue import Channel
from engine.communications.rendering import EmailWords
from engine.stack.gallery import Gallery, every_notice
from engine.stack.print_run import PrintRun
from engine.stack.second_channels import Moved, bars
from engine.stack.tally import Row

_PICTURE_PPI: Final = 80


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One notice in one language, ready to be shown in a page; `email` where it has one."""

    notice: str
    language: str
    email: EmailWords | None
    pictures: tuple[str, ...]


def exhibits(gallery: Gallery) -> list[Exhibit]:
    """Every notice in both languages; pictures are data URLs of PNG pages."""
    shown = []
    for notice, language in every_notice():
        email = gallery.email(notice, language) if Channel.EMAIL in notice.days else None
        pages = (
            gallery.letter_pictures(notice, language, _PICTURE_PPI)
            if Channel.MAIL in notice.days
            else []
        )
        shown.append(
            Exhibit(
                notice=notice.key,
                language=language,
                email=email,
                pictures=tuple(_data_url(page) for page in pages),
            )
        )
    return shown


def _data_url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def write_report(
    application: Application, rows: Sequence[Row], moves: Sequence[Moved], run: PrintRun
) -> Path:
    """Write `report.html` into the data folder; its path."""
    path = application.settings.data_dir / "report.html"
    gallery = Gallery(application.settings, application.renderer)
    path.write_text(
        _page(
            made_at=application.clock().astimezone(PACIFIC),
            rows=rows,
            moves=moves,
            run=run,
            shown=exhibits(gallery),
        ),
        encoding="utf-8",
    )
    return path


def gallery_page(gallery: Gallery, made_at: datetime) -> str:
    """The same page without figures: the gallery alone."""
    return _page(
        made_at=made_at.astimezone(PACIFIC), rows=(), moves=(), run=None, shown=exhibits(gallery)
    )


def _page(
    *,
    made_at: datetime,
    rows: Sequence[Row],
    moves: Sequence[Moved],
    run: PrintRun | None,
    shown: Sequence[Exhibit],
) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "operators"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pacific"] = _pacific
    template = environment.get_template("report.html")
    return template.render(
        made_at=made_at, rows=rows, bars=bars(rows), moves=moves, run=run, exhibits=shown
    )


def _pacific(moment: datetime) -> str:
    return f"{moment.astimezone(PACIFIC):%Y-%m-%d %H:%M:%S}"
