"""The feed of events, read by a cursor: what became of deliveries and promises, in one order."""

import re
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field
from starlette.responses import Response

from engine.api import examples
from engine.api.answers import Told, answered
from engine.api.doors import Answers, Call, Door, Operation
from engine.api.problems import CURSOR_GONE, INVALID, NOT_FOUND, ProblemError
from engine.case_system.feed.reading import (
    MOST,
    Page,
    PlaceRemovedError,
    PlaceUnknownError,
    Wanted,
)
from engine.case_system.feed.telling import told
from engine.case_system.identifiers import Kind, pattern
from engine.case_system.keys import Scope
from engine.communications.catalogue import CATALOGUE

_USUAL: Final = 100
NOTICE: Final = "^[a-z_]{1,40}$"
"""How a notice is called: /catalogue has them all."""
_NUMBER: Final = re.compile(r"[0-9]{1,4}")


class ToldSubject(Told):
    """The communication that an event is of, and how it stood when the event was numbered."""

    id: Annotated[str, Field(pattern=pattern("communication"))]
    notice: str
    state: str


class ToldAttempt(Told):
    """The delivery that an event is of, and the state that it came to."""

    id: Annotated[str, Field(pattern=pattern("delivery"))]
    channel: str
    state: str


class ToldFeedEvent(Told):
    """One event: `delivery.` and what happened to it, or `communication.` and what became of its
    promise, of which there is no delivery. `step` is the step of its route."""

    id: Annotated[str, Field(pattern=pattern("event"))]
    type: str
    at: datetime
    step: int
    communication: ToldSubject
    delivery: ToldAttempt | None


class ToldPage(Told):
    """Events in their order, and the cursor with which to go on. `more` says that there are some
    already."""

    events: tuple[ToldFeedEvent, ...]
    cursor: Annotated[str, Field(pattern=pattern("cursor"))]
    more: bool


async def events(call: Call) -> Response:
    """GET /events."""
    application = call.application
    wanted = Wanted(_notices(call), _opened(call, "communication", "communication"))
    after, most = _opened(call, "cursor", "cursor"), _limit(call)
    page = await _page(call, after, most, wanted)
    shown = [told(event, application.identifiers) for event in page.events]
    return answered(
        ToldPage(
            events=tuple(ToldFeedEvent.model_validate(each) for each in shown),
            cursor=application.identifiers.shown("cursor", page.position),
            more=page.more,
        )
    )


async def _page(call: Call, after: int | None, most: int, wanted: Wanted) -> Page:
    try:
        return await call.application.feed.page(after, most, wanted)
    except (PlaceRemovedError, PlaceUnknownError):
        raise ProblemError(CURSOR_GONE) from None


def _limit(call: Call) -> int:
    written = call.request.query_params.get("limit", str(_USUAL))
    if not _NUMBER.fullmatch(written) or not 1 <= int(written) <= MOST:
        raise ProblemError(INVALID, f"limit: must be a whole number from 1 to {MOST}")
    return int(written)


def _notices(call: Call) -> list[str] | None:
    notices = call.request.query_params.getlist("notice")
    if not set(notices) <= CATALOGUE.keys():
        raise ProblemError(INVALID, "notice: must be one of the catalogue, or several: /catalogue")
    return notices or None


def _opened(call: Call, name: str, kind: Kind) -> int | None:
    written = call.request.query_params.get(name)
    if written is None:
        return None
    number = call.application.identifiers.opened(kind, written)
    if number is None:
        raise ProblemError(NOT_FOUND, f"{name}: is none that was answered here")
    return number


def _query(name: str, said: str, schema: dict[str, object]) -> dict[str, object]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": said,
        "schema": schema,
    }


_PARAMETERS: Final = (
    _query(
        "cursor",
        "Where the page before ended. Without it, from the oldest event that is kept.",
        {"type": "string", "pattern": pattern("cursor")},
    ),
    _query(
        "limit",
        "How many events, at the most.",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": _USUAL},
    ),
    _query(
        "notice",
        "Of these notices alone; may be repeated.",
        {"type": "array", "items": {"type": "string", "pattern": NOTICE}},
    ),
    _query(
        "communication",
        "Of this communication alone.",
        {"type": "string", "pattern": pattern("communication")},
    ),
)

DOORS: Final = (
    Door(
        "GET",
        "/events",
        events,
        Operation(
            "readEvents",
            "Read on in the feed of events",
            {200: Answers("What came after the cursor", ToldPage, examples.EVENTS)},
            "In a strict order: no event ever comes before a cursor that was answered. Events come "
            "seconds after they happened, of all communications, whoever recorded them. They are "
            "kept for 30 days unless the agency says otherwise.",
            _PARAMETERS,
            problems=(INVALID, NOT_FOUND, CURSOR_GONE),
        ),
        Scope.EVENTS_READ,
    ),
)
