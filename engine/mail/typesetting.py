"""The one place that talks to Typst: data in, a PDF or pictures out."""

import json
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

from engine.errors import ConnectError
from engine.mail.typeface import FONT_FOLDER

LAYOUT: Final = Path(__file__).parent / "layout" / "letter.typ"
_STANDARDS: Final[list["typst.PDFStandard"]] = ["a-2a", "ua-1"]


class LayoutRefusedError(ConnectError):
    """Typst refused a document; its message may quote a letter, so it is not repeated here."""


class Typesetter:
    """A kept Typst compiler: `typst.compile` uses up a slot a call and panics at the 65,536th.

    Its root holds the layout and nothing else, so a letter could read nothing even if
    its words were taken for markup; it knows no packages and no typeface but ours. It draws one
    thing at a time, whichever thread asks.
    """

    def __init__(self) -> None:
        root = LAYOUT.parent
        self._lock = threading.Lock()
        self._compiler = typst.Compiler(
            LAYOUT,
            root=root,
            font_paths=typst.Fonts(
                include_system_fonts=False,
                include_embedded_fonts=False,
                font_paths=[FONT_FOLDER],
            ),
            ignore_system_fonts=True,
            package_path=root,
            package_cache_path=root,
        )

    def pdf(self, document: Mapping[str, Any]) -> bytes:
        """A tagged PDF/A-2a and PDF/UA-1 of `document`. Raises LayoutRefusedError."""
        with self._lock:
            return self._compile(document, format="pdf", pdf_standards=_STANDARDS)[0]

    def png(self, document: Mapping[str, Any], ppi: float) -> list[bytes]:
        """A picture of each page. Raises LayoutRefusedError."""
        with self._lock:
            return self._compile(document, format="png", ppi=ppi)

    def _compile(self, document: Mapping[str, Any], **options: Any) -> list[bytes]:
        inputs = {"part": json.dumps(document)}
        try:
            made = self._compiler.compile(sys_inputs=inputs, **options)
        except (typst.TypstError, RuntimeError):
            raise LayoutRefusedError("the layout could not be drawn") from None
        return made if isinstance(made, list) else [made or b""]


@cache
def typesetter() -> Typesetter:
    """The typesetter of this process, made when it is first needed."""
    return Typesetter()
