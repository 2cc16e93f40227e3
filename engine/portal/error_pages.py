"""What a reader sees when a page cannot be given: in both languages, and with a way on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from engine.portal.doors import door_of
from engine.portal.language import language_of
from engine.portal.layout import Layout

WORDED: Final = frozenset({400, 404, 405, 408, 413, 415, 429, 500, 503})
"""Statuses that templates/portal/error.html has words for; others borrow 400's or 500's."""


@dataclass(frozen=True, slots=True)
class ErrorPages:
    """Draws them."""

    layout: Layout

    def page(
        self, request: Request, status: int, headers: Mapping[str, str] | None = None
    ) -> Response:
        """The page for `status`; its language button leads to the other language's home page. A
        browser that holds a session is led back inside."""
        worded = status if status in WORDED else (400 if status < 500 else 500)
        door = door_of("/" + request.url.path.lstrip("/").partition("/")[2])
        response = self.layout.page(
            language_of(request),
            "error.html",
            door.prefix or "/",
            status,
            worded=worded,
            door=door,
            holds_session=not {door.cookie, f"__Host-{door.cookie}"}.isdisjoint(request.cookies),
        )
        response.headers.update(headers or {})
        return response
