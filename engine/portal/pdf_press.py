"""PDFs that the portal draws from its own layouts: tagged, with one typeface, one at a time."""

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final

import typst

from engine.assets import TEMPLATES
from engine.errors import ConnectError
from engine.mail.typeface import FONT_FOLDER

_LAYOUTS: Final = TEMPLATES / "portal" / "pdf"
_STANDARDS: Final[list["typst.PDFStandard"]] = ["a-2a", "ua-1"]


class NotDrawnError(ConnectError):
    """The PDF could not be laid out; Typst's own message may quote the reader and is not
    repeated."""


class Press:
    """A kept Typst compiler over one layout of ours, as `engine.mail.typesetting` keeps its own.

    It has a thread to itself: what waits for it waits behind others of its kind alone, and no PIN
    waits for a thread behind a history.
    """

    def __init__(self, layout: str) -> None:
        """`layout` is the name of a file beside the others, without its ending: its one input."""
        self._name = layout
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=layout)
        self._compiler = typst.Compiler(
            _LAYOUTS / f"{layout}.typ",
            root=_LAYOUTS,
            font_paths=typst.Fonts(
                include_system_fonts=False,
                include_embedded_fonts=False,
                font_paths=[FONT_FOLDER],
            ),
            ignore_system_fonts=True,
            package_path=_LAYOUTS,
            package_cache_path=_LAYOUTS,
        )

    async def pdf(self, document: Mapping[str, Any]) -> bytes:
        """A tagged PDF/A-2a and PDF/UA-1, drawn one at a time, whoever asks. Raises
        NotDrawnError."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._drawn, json.dumps(document))

    def _drawn(self, document: str) -> bytes:
        try:
            made = self._compiler.compile(
                sys_inputs={"document": document}, format="pdf", pdf_standards=_STANDARDS
            )
        except (typst.TypstError, RuntimeError):
            raise NotDrawnError(f"the {self._name} could not be laid out") from None
        if not isinstance(made, bytes):
            raise NotDrawnError(f"the {self._name} could not be laid out")
        return made


@cache
def press(layout: str) -> Press:
    """The press of this process for one layout, made when it is first needed."""
    return Press(layout)
