"""The notices there are, and which of them the case system records."""

from typing import Any, Final

from starlette.responses import Response

from engine.api import examples
from engine.api.answers import Told, answered
from engine.api.doors import Answers, Call, Door, Operation
from engine.case_system.asks import facts_model, refusal
from engine.caseload.columns import Rules
from engine.communications.catalogue import CATALOGUE, Notice


class ToldChannel(Told):
    """A channel that a notice may go by, and the business days until its promise falls due."""

    channel: str
    business_days: int


class ToldNotice(Told):
    """A notice. Where it is `recordable`, `facts_schema` is the JSON Schema of what is to be told
    with it; where it is not, `why_not` says so."""

    notice: str
    recordable: bool
    why_not: str | None
    urgency: str
    legal_class: str
    channels: tuple[ToldChannel, ...]
    facts_schema: dict[str, Any] | None


class ToldCatalogue(Told):
    """Every notice there is."""

    notices: tuple[ToldNotice, ...]


async def catalogue(call: Call) -> Response:
    """GET /catalogue."""
    rules = Rules.of(call.application.settings)
    return answered(
        ToldCatalogue(notices=tuple(_told(notice, rules) for notice in CATALOGUE.values()))
    )


def _told(notice: Notice, rules: Rules) -> ToldNotice:
    why_not = refusal(notice)
    return ToldNotice(
        notice=notice.key,
        recordable=why_not is None,
        why_not=why_not,
        urgency=notice.urgency,
        legal_class=notice.legal,
        channels=tuple(
            ToldChannel(channel=channel, business_days=days)
            for channel, days in notice.days.items()
        ),
        facts_schema=facts_model(notice.key, rules).model_json_schema()
        if why_not is None
        else None,
    )


DOORS: Final = (
    Door(
        "GET",
        "/catalogue",
        catalogue,
        Operation(
            "listCatalogue",
            "List the notices, with the JSON Schema of the facts of each",
            {200: Answers("Every notice there is", ToldCatalogue, examples.CATALOGUE)},
            "Any API key will do.",
        ),
    ),
)
