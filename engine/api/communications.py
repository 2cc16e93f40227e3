"""Recording communications, one or up to a thousand at once; looking at one; cancelling one."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from starlette.responses import Response

from engine.api import examples, idempotency
from engine.api.answers import Told, answered
from engine.api.doors import Answers, Call, Door, Operation
from engine.api.problems import (
    BEING_SENT,
    HAS_LEFT,
    IDEMPOTENCY_KEY_MISSING,
    INVALID,
    KEY_AT_WORK,
    KEY_REUSED,
    NOT_FOUND,
    RECORDED_ELSEWHERE,
    Fault,
    ProblemError,
)
from engine.api.strict_json import read_json, validated
from engine.case_system.asks import Ask, any_ask
from engine.case_system.cancelling import BeingSentError, HasLeftError, RecordedElsewhereError
from engine.case_system.identifiers import Identifiers, pattern
from engine.case_system.kept_answers import Answer
from engine.case_system.keys import Scope
from engine.case_system.looking import Brief, Standing, briefly, standing
from engine.case_system.recording import RefusedAsksError, entry_of
from engine.caseload.columns import Rules
from engine.communications.outbox import Transaction

MOST_AT_ONCE: Final = 1_000
BATCH_BYTES: Final = 1024 * 1024
"""A thousand asks of a kilobyte each, which is more than any of them has."""
_RETRY_SECONDS: Final = 30
_PATH: Final = "/communications"
T = TypeVar("T", bound=BaseModel)
Id = Annotated[str, Field(pattern=pattern("communication"))]


class ToldEvent(Told):
    """Something that happened to a delivery. `changed` is false for what came too late to move its
    state; `reason` is a word or a status code."""

    at: datetime
    event: str
    state: str
    changed: bool
    reason: str | None


class ToldDelivery(Told):
    """One attempt to meet the communication, on one channel. One that does not meet it by itself
    only tells that something waits."""

    step: int
    channel: str
    meets_obligation: bool
    due_by: date
    state: str
    attempts: int
    reason: str | None
    created_at: datetime
    final_at: datetime | None
    events: tuple[ToldEvent, ...]


class ToldPromise(Told):
    """What became of the promise of one step: `at_risk`, `promise_missed` or `breached`."""

    step: int
    event: str
    at: datetime
    reason: str | None


class ToldBriefly(Told):
    """A communication that was recorded. `due_by` is the last business day on which it is in time;
    `language` the reader's own."""

    id: Id
    notice: str
    language: str
    urgency: str
    state: str
    requested_at: datetime
    due_by: date


class ToldCommunication(ToldBriefly):
    """A communication as it stands. `step` is the one that now carries it."""

    step: int
    recorded_at: datetime
    met_at: datetime | None
    deliveries: tuple[ToldDelivery, ...]
    events: tuple[ToldPromise, ...]


class ToldBatch(Told):
    """What was recorded, in the order in which it was asked for."""

    communications: tuple[ToldBriefly, ...]


@cache
def one(rules: Rules) -> TypeAdapter[Ask]:
    """The body of a request for one communication."""
    return TypeAdapter(any_ask(rules))


@cache
def batch(rules: Rules) -> TypeAdapter[Any]:
    """The body of a request for up to a thousand."""
    ask = any_ask(rules)
    asks: Any = Annotated[
        list[ask],  # type: ignore[valid-type]  # it is made by the agency's rules
        Field(min_length=1, max_length=MOST_AT_ONCE),
    ]
    model: type[BaseModel] = create_model(
        "BatchAsk",
        __config__=ConfigDict(frozen=True, extra="forbid"),
        __doc__=f"Up to {MOST_AT_ONCE:,} communications: all of them are recorded, or none.",
        communications=(asks, ...),
    )
    return TypeAdapter(model)


async def record_one(call: Call) -> Response:
    """POST /communications."""
    given = await read_json(call.request)
    ask = validated(one(Rules.of(call.application.settings)), given)

    async def work(transaction: Transaction) -> idempotency.Done:
        made = await _recorded(call, transaction, [ask], ())
        found = await standing(transaction.connection, made[0])
        assert found is not None  # noqa: S101  it was made in this transaction
        told = _told(ToldCommunication, call.application.identifiers, found)
        answer = Answer(201, f"/api/v1{_PATH}/{told.id}", told.model_dump_json())
        return answer, entry_of(call.caller, made, call.network)

    return await idempotency.once(call, given, work)


async def record_many(call: Call) -> Response:
    """POST /communications/batch."""
    given = await read_json(call.request, BATCH_BYTES)
    asks = validated(batch(Rules.of(call.application.settings)), given).communications

    async def work(transaction: Transaction) -> idempotency.Done:
        made = await _recorded(call, transaction, asks, ("communications",))
        found = await briefly(transaction.connection, made)
        identifiers = call.application.identifiers
        briefs = [_told(ToldBriefly, identifiers, each) for each in found]
        told = ToldBatch(communications=tuple(briefs))
        answer = Answer(201, None, told.model_dump_json())
        return answer, entry_of(call.caller, made, call.network)

    return await idempotency.once(call, given, work)


async def look(call: Call) -> Response:
    """GET /communications/{id}."""
    number = _number(call)
    async with call.application.engine.connect() as connection:
        found = await standing(connection, number)
    if found is None:
        raise ProblemError(NOT_FOUND)
    return answered(_told(ToldCommunication, call.application.identifiers, found))


async def cancel(call: Call) -> Response:
    """POST /communications/{id}/cancel."""
    number, application = _number(call), call.application
    async with application.engine.begin() as connection:
        try:
            await application.cancelling.cancel(connection, number, call.caller, call.network)
        except LookupError:
            raise ProblemError(NOT_FOUND) from None
        except RecordedElsewhereError:
            raise ProblemError(RECORDED_ELSEWHERE) from None
        except HasLeftError:
            raise ProblemError(HAS_LEFT) from None
        except BeingSentError:
            headers = {"Retry-After": str(_RETRY_SECONDS)}
            raise ProblemError(BEING_SENT, headers=headers) from None
        found = await standing(connection, number)
        assert found is not None  # noqa: S101  it is there, and nothing removes what is so new
    return answered(_told(ToldCommunication, application.identifiers, found))


async def _recorded(
    call: Call, transaction: Transaction, asks: Sequence[Ask], place: tuple[str, ...]
) -> list[int]:
    """Record `asks`, which stand at `place` in the body; their ids."""
    try:
        return await call.application.recorder.record(transaction, call.caller, asks)
    except RefusedAsksError as error:
        faults = [
            Fault((*place, *((fault.turn,) if place else ()), *fault.path), fault.why)
            for fault in error.faults
        ]
        raise ProblemError(INVALID, faults=faults) from None


def _number(call: Call) -> int:
    number = call.application.identifiers.opened("communication", call.request.path_params["id"])
    if number is None:
        raise ProblemError(NOT_FOUND)
    return number


def _told(shape: type[T], identifiers: Identifiers, found: Brief | Standing) -> T:
    """What is told of a communication: all that `shape` has, under its id as it is shown."""
    told = {name: getattr(found, name) for name in shape.model_fields}
    shown = identifiers.shown("communication", found.id)
    return shape.model_validate(told | {"id": shown}, from_attributes=True)


_ID: Final = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "As it was answered when it was recorded, or told in an event.",
    "schema": {"type": "string", "pattern": pattern("communication")},
}
_OF_RECORDING: Final = (
    IDEMPOTENCY_KEY_MISSING,
    KEY_REUSED,
    KEY_AT_WORK,
    INVALID,
)

DOORS: Final = (
    Door(
        "POST",
        _PATH,
        record_one,
        Operation(
            "recordCommunication",
            "Record one communication",
            {
                201: Answers(
                    "It is owed from now on. Its deliveries say by which way it goes",
                    ToldCommunication,
                    examples.COMMUNICATIONS,
                    {"Location": "Where it is looked at", idempotency.REPLAYED: "true, if so"},
                )
            },
            parameters=(idempotency.PARAMETER,),
            body=one,
            body_examples=examples.ASKS,
            problems=_OF_RECORDING,
        ),
        Scope.COMMUNICATIONS_WRITE,
    ),
    Door(
        "POST",
        f"{_PATH}/batch",
        record_many,
        Operation(
            "recordCommunications",
            f"Record up to {MOST_AT_ONCE:,} communications at once",
            {
                201: Answers(
                    "All of them are owed from now on",
                    ToldBatch,
                    examples.BATCHES,
                    {idempotency.REPLAYED: "true, if so"},
                )
            },
            "They are one transaction: all are recorded, or, where anything is wrong with any of "
            "them, none. Every fault is named, by the number of its item.",
            (idempotency.PARAMETER,),
            batch,
            examples.BATCH_ASKS,
            _OF_RECORDING,
        ),
        Scope.COMMUNICATIONS_WRITE,
    ),
    Door(
        "GET",
        f"{_PATH}/{{id}}",
        look,
        Operation(
            "lookAtCommunication",
            "Look at one, with its deliveries, events and deadline",
            {200: Answers("How it stands", ToldCommunication, examples.COMMUNICATIONS)},
            "Whoever recorded it. Neither whom it is for, nor what it says, nor where it goes is "
            "told.",
            (_ID,),
            problems=(NOT_FOUND,),
        ),
        Scope.COMMUNICATIONS_READ,
    ),
    Door(
        "POST",
        f"{_PATH}/{{id}}/cancel",
        cancel,
        Operation(
            "cancelCommunication",
            "Cancel what was recorded here and has not left",
            {200: Answers("How it stands now", ToldCommunication, examples.CANCELLED)},
            "Asked again it changes nothing. What has left in part has left: of an inbox document "
            "whose email is still owed, neither is cancelled.",
            (_ID,),
            problems=(RECORDED_ELSEWHERE, NOT_FOUND, HAS_LEFT, BEING_SENT),
        ),
        Scope.COMMUNICATIONS_WRITE,
    ),
)
