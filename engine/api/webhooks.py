"""Webhook endpoints: added, looked at, their secrets rotated, switched off and on, removed."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.responses import Response

from engine.api import examples
from engine.api.answers import Told, answered
from engine.api.doors import Answers, Call, Door, Operation
from engine.api.events import NOTICE
from engine.api.problems import (
    CURSOR_GONE,
    INVALID,
    NOT_FOUND,
    WEBHOOKS_FULL,
    Fault,
    ProblemError,
)
from engine.api.strict_json import read_json, validated
from engine.case_system.feed.reading import PlaceRemovedError, PlaceUnknownError
from engine.case_system.identifiers import pattern
from engine.case_system.keys import Scope
from engine.case_system.webhooks.destinations import URL_MOST
from engine.case_system.webhooks.endpoints import (
    ENDPOINTS_MOST,
    OVERLAP,
    Endpoint,
    TooManyEndpointsError,
    UnknownEndpointError,
)
from engine.communications.catalogue import CATALOGUE
from engine.errors import InputError

_PATH: Final = "/webhooks"
_HOST: Final = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
_PORT: Final = r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?"
_URL: Final = rf"^(https://{_HOST}|http://(localhost|127\.0\.0\.1)){_PORT}(/[!-\"$-~]*)?$"
"""Plain HTTP is for a machine that is tried out, to itself."""
_NOTICES_MOST: Final = 100


class WebhookAsk(BaseModel):
    """An endpoint that is to be told of events: of all, or of some `notices` alone; from now on, or
    after a `cursor` of the feed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=_URL, max_length=URL_MOST)]
    notices: (
        Annotated[
            list[Annotated[str, Field(pattern=NOTICE)]],
            Field(min_length=1, max_length=_NOTICES_MOST),
        ]
        | None
    ) = None
    cursor: Annotated[str, Field(pattern=pattern("cursor"))] | None = None


class ToldWebhook(Told):
    """An endpoint as it stands. `disabled_why` is `dead`, `gone` or `asked`; `cursor` the place in
    the feed up to which it has taken everything."""

    id: Annotated[str, Field(pattern=pattern("webhook"))]
    url: str
    notices: tuple[str, ...] | None
    cursor: Annotated[str, Field(pattern=pattern("cursor"))]
    failures: int
    failing_since: datetime | None
    next_attempt_at: datetime
    last_answer: str | None
    taken_at: datetime | None
    disabled_at: datetime | None
    disabled_why: str | None
    added_at: datetime
    old_secret_until: datetime | None


class ToldWebhooks(Told):
    """Every endpoint."""

    webhooks: tuple[ToldWebhook, ...]


class ToldNewWebhook(ToldWebhook):
    """An endpoint with a new `secret`, which is not shown again."""

    secret: str


async def add(call: Call) -> Response:
    """POST /webhooks."""
    ask = validated(TypeAdapter(WebhookAsk), await read_json(call.request))
    unknown = [turn for turn, name in enumerate(ask.notices or ()) if name not in CATALOGUE]
    if unknown:
        why = "must be a notice: see /catalogue"
        raise ProblemError(INVALID, faults=[Fault(("notices", turn), why) for turn in unknown])
    application = call.application
    after = None if ask.cursor is None else application.identifiers.opened("cursor", ask.cursor)
    if ask.cursor is not None and after is None:
        raise ProblemError(NOT_FOUND, "cursor: is none that was answered here")
    try:
        number, secret = await application.webhooks.add(
            ask.url, call.caller.actor, ask.notices, after
        )
    except (PlaceRemovedError, PlaceUnknownError):
        raise ProblemError(CURSOR_GONE) from None
    except TooManyEndpointsError:
        raise ProblemError(WEBHOOKS_FULL) from None
    except InputError as error:
        raise ProblemError(INVALID, faults=[Fault(("url",), str(error))]) from None
    told = await _with_secret(call, number, secret)
    return answered(told, 201, {"Location": f"/api/v1{_PATH}/{told.id}"})


async def list_(call: Call) -> Response:
    """GET /webhooks."""
    found = await call.application.webhooks.listed()
    return answered(ToldWebhooks(webhooks=tuple(_told(call, each) for each in found)))


async def look(call: Call) -> Response:
    """GET /webhooks/{id}."""
    return answered(_told(call, await _one(call)))


async def rotate(call: Call) -> Response:
    """POST /webhooks/{id}/rotate."""
    number = (await _one(call)).id
    secret = await call.application.webhooks.rotate(number, call.caller.actor)
    return answered(await _with_secret(call, number, secret))


async def enable(call: Call) -> Response:
    """POST /webhooks/{id}/enable."""
    number = (await _one(call)).id
    await call.application.webhooks.enable(number, call.caller.actor)
    return answered(_told(call, await _one(call)))


async def disable(call: Call) -> Response:
    """POST /webhooks/{id}/disable."""
    number = (await _one(call)).id
    await call.application.webhooks.disable(number, call.caller.actor)
    return answered(_told(call, await _one(call)))


async def remove(call: Call) -> Response:
    """DELETE /webhooks/{id}."""
    await call.application.webhooks.remove((await _one(call)).id, call.caller.actor)
    return Response(status_code=204)


async def _one(call: Call) -> Endpoint:
    number = call.application.identifiers.opened("webhook", call.request.path_params["id"])
    try:
        return await call.application.webhooks.one(number or 0)
    except UnknownEndpointError:
        raise ProblemError(NOT_FOUND) from None


async def _with_secret(call: Call, number: int, secret: str) -> ToldNewWebhook:
    found = _told(call, await call.application.webhooks.one(number))
    return ToldNewWebhook(**dict(found), secret=secret)


def _told(call: Call, one: Endpoint) -> ToldWebhook:
    identifiers = call.application.identifiers
    shown = {
        "id": identifiers.shown("webhook", one.id),
        "cursor": identifiers.shown("cursor", one.position),
    }
    told = {name: getattr(one, name) for name in ToldWebhook.model_fields if name not in shown}
    return ToldWebhook.model_validate(told | shown)


_ID: Final = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "As it was answered when it was added.",
    "schema": {"type": "string", "pattern": pattern("webhook")},
}


def _act(name: str, handler: Any, operation: Operation) -> Door:
    return Door("POST", f"{_PATH}/{{id}}/{name}", handler, operation, Scope.WEBHOOKS_MANAGE)


DOORS: Final = (
    Door(
        "POST",
        _PATH,
        add,
        Operation(
            "addWebhook",
            "Have events posted to a URL",
            {
                201: Answers(
                    "It is told of what comes. The secret is not shown again",
                    ToldNewWebhook,
                    examples.NEW_WEBHOOKS,
                    {"Location": "Where it is looked at"},
                )
            },
            "Signed as Standard Webhooks says. https to a public address; up to "
            f"{ENDPOINTS_MOST} endpoints.",
            body=lambda _rules: WebhookAsk,
            body_examples=examples.WEBHOOK_ASKS,
            problems=(INVALID, NOT_FOUND, CURSOR_GONE, WEBHOOKS_FULL),
        ),
        Scope.WEBHOOKS_MANAGE,
    ),
    Door(
        "GET",
        _PATH,
        list_,
        Operation(
            "listWebhooks",
            "List the endpoints",
            {200: Answers("Every endpoint", ToldWebhooks, examples.WEBHOOKS)},
        ),
        Scope.WEBHOOKS_MANAGE,
    ),
    Door(
        "GET",
        f"{_PATH}/{{id}}",
        look,
        Operation(
            "lookAtWebhook",
            "Look at an endpoint",
            {200: Answers("How it stands", ToldWebhook)},
            parameters=(_ID,),
        ),
        Scope.WEBHOOKS_MANAGE,
    ),
    Door(
        "DELETE",
        f"{_PATH}/{{id}}",
        remove,
        Operation(
            "removeWebhook",
            "Forget an endpoint, and its secrets",
            {204: Answers("It is gone")},
            parameters=(_ID,),
        ),
        Scope.WEBHOOKS_MANAGE,
    ),
    _act(
        "rotate",
        rotate,
        Operation(
            "rotateWebhookSecret",
            "Make a new secret",
            {200: Answers("The new secret, which is not shown again", ToldNewWebhook)},
            "For "
            f"{OVERLAP.total_seconds() / 3600:.0f} hours what is posted bears two signatures, by "
            "the old secret and by the new; then the new one's alone.",
            (_ID,),
        ),
    ),
    _act(
        "enable",
        enable,
        Operation(
            "enableWebhook",
            "Post to it again",
            {200: Answers("It goes on where it stopped", ToldWebhook)},
            "Events that are no longer kept by then are passed over.",
            (_ID,),
        ),
    ),
    _act(
        "disable",
        disable,
        Operation(
            "disableWebhook",
            "Post nothing more to it until it is enabled",
            {200: Answers("It is told of nothing", ToldWebhook)},
            parameters=(_ID,),
        ),
    ),
)
