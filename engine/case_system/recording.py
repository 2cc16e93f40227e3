"""Recording what the case system asks for: all of a request, or, with every fault named, nothing.

A request is one transaction, however many it is for, and everybody in it is looked up at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from engine.case_system.asks import RECORDABLE, Ask
from engine.case_system.keys import Caller
from engine.caseload.appointment_routes import change_route, urgency_of
from engine.caseload.notices import READER, route_chosen_by
from engine.caseload.overtaken import subject_of
from engine.clock import PACIFIC, Clock
from engine.communications.catalogue import APPOINTMENT_CANCELLED, Notice
from engine.communications.outbox import Obligation, Transaction
from engine.communications.routing import Route
from engine.database import driver_connection
from engine.security.audit import Entry

KEY_PREFIX: Final = "api:"
"""What the idempotency key of every communication begins with that the case system recorded."""
RECORDED: Final = "api.recorded"

_READERS: Final = f"""
SELECT participant.id AS participant_id, external_id, {READER}
FROM participant WHERE external_id = ANY($1::text[])
"""  # noqa: S608  joined from constants of ours
_CASES: Final = """
SELECT participant.external_id AS participant, support_case.external_id AS case_number
FROM case_party JOIN participant ON participant.id = participant_id
JOIN support_case ON support_case.id = case_id
WHERE participant.external_id = ANY($1::text[]) AND support_case.external_id = ANY($2::text[])
"""
_APPOINTMENTS: Final = """
SELECT id, participant_id, kind, starts_at, place, status FROM appointment
WHERE participant_id = ANY($1::bigint[]) AND starts_at = ANY($2::timestamptz[])
"""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskFault:
    """What is wrong with one ask of a request: where in it, and why, without the value."""

    turn: int
    path: Path
    why: str


class RefusedAsksError(Exception):
    """Something is wrong with a request, of which nothing is recorded."""

    def __init__(self, faults: Sequence[AskFault]) -> None:
        super().__init__(f"{len(faults)} fault(s)")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records communications in a transaction that somebody else opened and commits."""

    clock: Clock

    async def record(
        self, transaction: Transaction, caller: Caller, asks: Sequence[Ask]
    ) -> list[int]:
        """The ids of the communications, in the order of `asks`.

        Raises RefusedAsksError, which names every fault: a participant whom nobody knows, a case
        that is not theirs, an hour that is past or of which nobody would hear in time.
        """
        now = self.clock()
        known = await _Known.of(transaction, asks)
        faults = [
            AskFault(turn, path, why)
            for turn, ask in enumerate(asks)
            for path, why in known.faults(ask, now)
        ]
        if faults:
            raise RefusedAsksError(faults)
        obligations = [known.obligation(ask, caller, now) for ask in asks]
        recorded = await transaction.record_all(obligations)
        return [recorded[obligation.key] for obligation in obligations]


def entry_of(caller: Caller, ids: Sequence[int], network: str) -> Entry:
    """What the audit trail says of a request that recorded these."""
    details = {"communications": len(ids), "first": min(ids), "last": max(ids)}
    return Entry(caller.actor, RECORDED, None, details, network)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the caseload knows of a request: readers by their numbers, who is a party of which case,
    and appointments by all that is told of them."""

    readers: Mapping[str, Any]
    cases: frozenset[tuple[str, str]]
    appointments: Mapping[tuple[object, ...], int]

    @classmethod
    async def of(cls, transaction: Transaction, asks: Sequence[Ask]) -> "_Known":
        driver = await driver_connection(transaction.connection)
        numbers = sorted({ask.participant_id for ask in asks})
        readers = {row["external_id"]: row for row in await driver.fetch(_READERS, numbers)}
        cases = sorted({number for ask in asks if (number := _fact(ask, "case_number"))})
        parties = await driver.fetch(_CASES, numbers, cases) if cases else ()
        hours = sorted({hour for ask in asks if (hour := _fact(ask, "starts_at"))})
        ids = [row["participant_id"] for row in readers.values()]
        found = await driver.fetch(_APPOINTMENTS, ids, hours) if hours else ()
        told = ("participant_id", "kind", "starts_at", "place", "status")
        return cls(
            readers,
            frozenset((row["participant"], row["case_number"]) for row in parties),
            {tuple(row[name] for name in told): row["id"] for row in found},
        )

    def faults(self, ask: Ask, now: datetime) -> Iterator[tuple[Path, str]]:
        """What is wrong with `ask`."""
        reader = self.readers.get(ask.participant_id)
        if reader is None:
            yield ("participant_id",), "is nobody's whom the caseload knows"
            return
        number = _fact(ask, "case_number")
        if number and (ask.participant_id, number) not in self.cases:
            yield ("facts", "case_number"), "is no case of this participant"
        past = [name for name in _HOURS if (hour := _fact(ask, name)) and hour <= now]
        for name in past:
            yield ("facts", name), "must be ahead"
        if not past and _before(ask) and self.route(ask, now) is None:
            why = "is too near: neither an email nor a letter would be there before, so telephone"
            yield ("facts", "starts_at"), why

    def route(self, ask: Ask, now: datetime) -> Route | None:
        """By which way its reader is told; None where nothing gets there in time."""
        reader = self.readers[ask.participant_id]
        before = _before(ask)
        if before is None:
            return route_chosen_by(reader)
        return change_route({**reader, "kind": _fact(ask, "kind")}, before, now)

    def obligation(self, ask: Ask, caller: Caller, now: datetime) -> Obligation:
        """What is recorded of an ask without faults."""
        notice, reader = RECORDABLE[ask.notice], self.readers[ask.participant_id]
        route, before = self.route(ask, now), _before(ask)
        assert route is not None  # noqa: S101  such a one is a fault
        return Obligation(
            key=f"{KEY_PREFIX}{caller.key_id}:{uuid4().hex}",
            notice=notice,
            participant_id=reader["participant_id"],
            language=reader["language"],
            facts=notice.facts(name=reader["name"], **_local(ask)),
            route=route,
            requested_at=now,
            subject=self._subject(ask, notice, reader),
            urgency=notice.urgency if before is None else urgency_of(before, now),
        )

    def _subject(self, ask: Ask, notice: Notice, reader: Any) -> str | None:
        """The appointment of the caseload that it tells of: what becomes of that, stops it."""
        if _before(ask) is None:
            return None
        status = "cancelled" if notice is APPOINTMENT_CANCELLED else "scheduled"
        told = (_fact(ask, "kind"), _fact(ask, "starts_at"), _fact(ask, "place"), status)
        found = self.appointments.get((reader["participant_id"], *told))
        return None if found is None else subject_of(found)


_HOURS: Final = ("starts_at", "was_at")


def _fact(ask: Ask, name: str) -> Any:
    return getattr(ask.facts, name, None)


def _before(ask: Ask) -> datetime | None:
    """The hour before which it must be known, of a notice of an appointment."""
    hours: list[datetime] = [hour for name in _HOURS if (hour := _fact(ask, name))]
    return min(hours, default=None)


def _local(ask: Ask) -> dict[str, Any]:
    """The facts, with each hour in Pacific time."""
    return {
        name: value.astimezone(PACIFIC) if isinstance(value, datetime) else value
        for name, value in ask.facts
    }
