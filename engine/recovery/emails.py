"""Emails that were taken since the backup: their outcome, which was lost, is recorded again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.catalogue import CATALOGUE
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.states import TABLE, Event, State
from engine.database import driver_connection
from engine.recovery.smtp_logs import Sent

FOUND: Final = "found_in_mail_log"
"""The reason of an event that a recovery recorded."""

_CHUNK: Final = 500
_CLOCKS_DIFFER: Final = timedelta(minutes=10)
"""By how much a mail server's clock and the database's may be apart."""

_STAND: Final = """
SELECT delivery.id, delivery.state, created_at, communication_id, channel
FROM delivery WHERE id = ANY($1::bigint[])
"""
_OPEN_EMAIL: Final = """
SELECT delivery.id, notice FROM delivery JOIN communication ON communication.id = communication_id
WHERE communication_id = $1 AND channel = 'email' AND delivery.step = communication.step
      AND delivery.state IN ('owed', 'sending', 'held') AND delivery.id <> ALL($2::bigint[])
"""


@dataclass(slots=True)
class EmailFindings:
    """What the logs say, against what the database says. Lists are of delivery ids."""

    agree: int = 0
    """Taken, and known to have been."""
    taken: list[int] = field(default_factory=list)
    """Owed in the database: they are recorded as taken, and are not sent again."""
    stood_in: list[int] = field(default_factory=list)
    """Owed, and met by a delivery that the database has lost."""
    came_back: list[int] = field(default_factory=list)
    """The mail system gave them back: the next channel is owed."""
    unknown: list[int] = field(default_factory=list)
    """Taken, and the database knows nothing of them."""
    used_again: list[int] = field(default_factory=list)
    """The database has given the number to something younger than what was sent under it."""


@dataclass(frozen=True, slots=True)
class Emails:
    """Compares, and records what was lost, in the caller's transaction."""

    outcomes: Outcomes

    async def recover(
        self, connection: AsyncConnection, sent: Iterable[Sent], now: datetime
    ) -> EmailFindings:
        """Bring the deliveries in step with what the logs say was `sent`."""
        found = EmailFindings()
        every = list(sent)
        known_to_logs = [one.delivery_id for one in every]
        for chunk in _chunks(every):
            lost = await self._recover(connection, chunk, found, now)
            for one in lost:
                await self._stand_in(connection, one, known_to_logs, found, now)
        return found

    async def _recover(
        self, connection: AsyncConnection, sent: Sequence[Sent], found: EmailFindings, now: datetime
    ) -> list[Sent]:
        """Those of `sent` of which the database knows nothing."""
        driver = await driver_connection(connection)
        rows = {
            row["id"]: row for row in await driver.fetch(_STAND, [one.delivery_id for one in sent])
        }
        lost, taken, returned = [], [], []
        for one in sent:
            row = rows.get(one.delivery_id)
            if row is None:
                lost.append(one)
                continue
            if _is_of_another(row, one):
                found.used_again.append(one.delivery_id)
                continue
            state = State(row["state"])
            moved = TABLE[state, Event.ACCEPTED]
            if moved is None:
                found.agree += 1
            else:
                found.taken.append(one.delivery_id)
                taken.append(_taken(one, now))
            if one.returned is not None and State.SENT in {state, moved}:
                found.came_back.append(one.delivery_id)
                returned.append(_came_back(one, now))
        await self.outcomes.record(connection, taken)
        await self.outcomes.record(connection, returned)
        return lost

    async def _stand_in(
        self,
        connection: AsyncConnection,
        one: Sent,
        known_to_logs: Sequence[int],
        found: EmailFindings,
        now: datetime,
    ) -> None:
        """Meet the email that the database still owes by the one it has lost; but a PIN that was
        lost with it works no more, and another is sent."""
        driver = await driver_connection(connection)
        owed = None
        if one.communication_id is not None and one.returned is None:
            owed = await driver.fetchrow(_OPEN_EMAIL, one.communication_id, known_to_logs)
        if owed is None or CATALOGUE[owed["notice"]].carries_secret:
            found.unknown.append(one.delivery_id)
            return
        found.stood_in.append(owed["id"])
        await self.outcomes.record(
            connection, [Outcome(owed["id"], Event.ACCEPTED, FOUND, at=one.at or now)]
        )


def _is_of_another(row: Any, one: Sent) -> bool:
    """Whether what was sent is older than the delivery that now has its number."""
    if row["channel"] != "email":
        return True
    return one.at is not None and one.at + _CLOCKS_DIFFER < row["created_at"]


def _taken(one: Sent, now: datetime) -> Outcome:
    return Outcome(one.delivery_id, Event.ACCEPTED, FOUND, at=one.at or now)


def _came_back(one: Sent, now: datetime) -> Outcome:
    """The mail system has given it up: what says that the address is dead counts as a bounce."""
    event = Event.BOUNCED if one.dead else Event.GIVEN_UP
    return Outcome(one.delivery_id, event, f"{one.returned} {FOUND}", at=now)


def _chunks(sent: Sequence[Sent]) -> Iterator[Sequence[Sent]]:
    for start in range(0, len(sent), _CHUNK):
        yield sent[start : start + _CHUNK]
