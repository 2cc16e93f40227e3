"""The outbox: an obligation commits in the same transaction as the fact that caused it.

    async with outbox.transaction() as transaction:
        ...change the fact on transaction.connection...
        await transaction.record(obligation)

The doorbell rings after the commit, for what the transaction recorded.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.calendar.deadlines import due_by
from engine.clock import require_aware
from engine.communications.catalogue import (
    Facts,
    Notice,
    Urgency,
)
from engine.communications.doorbell import Doorbell
from engine.communications.frozen_facts import split
from engine.communications.owed import Owed, seal_into
from engine.communications.ports import Secrets
from engine.communications.rendering import Renderer
from engine.communications.routing import Route, route_to_json
from engine.database import driver_connection
from engine.errors import InputError
from engine.i18n import Language
from engine.security.sealed_columns import box_of, clear_of, key_of

_RECORD = f"""
WITH asked AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
        $7::text[], $8::text[], $9::timestamptz[], $10::date[], $11::bigint[], $12::text[],
        $13::json[]
    ) AS asked (key, notice, participant_id, language, urgency, facts, version, route, at, due,
                point, subject, personal)
), recorded AS (
    INSERT INTO communication (idempotency_key, notice, participant_id, language, urgency, facts,
                               template_version, route, requested_at, due_by, contact_point_id,
                               subject, sealed_facts, facts_key_id)
    SELECT key, notice, participant_id, language, urgency,
           facts::jsonb || coalesce({clear_of("personal")}::jsonb, '{{}}'), version, route::jsonb,
           at, due, point, subject, {box_of("personal")}, {key_of("personal")}
    FROM asked
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING id, idempotency_key, participant_id, urgency
)
SELECT * FROM recorded
"""  # noqa: S608  joined from constants of ours
_DELIVERIES = """
INSERT INTO delivery (communication_id, step, channel, meets_obligation, due_by, next_attempt_at)
SELECT id, 0, channel, meets, due, clock_timestamp() + wait
FROM unnest($1::bigint[], $2::text[], $3::bool[], $4::date[], $5::interval[])
     AS first (id, channel, meets, due, wait)
RETURNING id, communication_id
"""


@dataclass(frozen=True, slots=True)
class Obligation:
    """Tell this participant this notice, by the first channel of `route` that succeeds.

    `key` is the idempotency key: an obligation recorded twice under one key is one communication.
    Deadlines count from `requested_at`, an aware moment. With a `contact_point` it is told there
    and nowhere else. `subject` is what it is about (`appointment:42`), for who cancels it. The
    `urgency` is the notice's own where none is given. Nothing is sent until `wait` has passed.
    """

    key: str
    notice: Notice
    participant_id: int
    language: Language
    facts: Facts
    route: Route
    requested_at: datetime
    contact_point: int | None = None
    subject: str | None = None
    urgency: Urgency | None = None
    wait: timedelta = timedelta()

    @property
    def queue(self) -> str:
        """The queue it travels in."""
        return (self.urgency or self.notice.urgency).value

    def __post_init__(self) -> None:
        require_aware(self.requested_at)
        if not self.route or not all(self.route):
            raise InputError(f"{self.notice.key}: the route has no channel")
        if not isinstance(self.facts, self.notice.facts):
            raise InputError(f"{self.notice.key}: its facts must be {self.notice.facts.__name__}")
        for step in self.route:
            for leg in step:
                if leg.channel not in self.notice.days:
                    raise InputError(f"{self.notice.key}: it never goes by {leg.channel}")


@dataclass(slots=True)
class Transaction:
    """A transaction that knows what it owes."""

    connection: AsyncConnection
    secrets: Secrets
    renderer: Renderer
    owed: list[Owed] = field(default_factory=list)

    async def record(self, obligation: Obligation) -> int | None:
        """Record one obligation; its communication's id, or None where the key was known."""
        return (await self.record_all([obligation])).get(obligation.key)

    async def record_all(self, obligations: Sequence[Obligation]) -> dict[str, int]:
        """Record many at once; key → communication id, for the keys that were new."""
        if not obligations:
            return {}
        by_key = {obligation.key: obligation for obligation in obligations}
        driver = await driver_connection(self.connection)
        asked = list(by_key.values())
        facts = [split(item.facts, item.participant_id, item.notice.key) for item in asked]
        rows = await driver.fetch(
            _RECORD,
            [item.key for item in asked],
            [item.notice.key for item in asked],
            [item.participant_id for item in asked],
            [item.language for item in asked],
            [item.queue for item in asked],
            [plain for plain, _ in facts],
            [self.renderer.version(item.notice) for item in asked],
            [route_to_json(item.route) for item in asked],
            [item.requested_at for item in asked],
            [_first_due(item) for item in asked],
            [item.contact_point for item in asked],
            [item.subject for item in asked],
            [personal for _, personal in facts],
        )
        recorded = {row["idempotency_key"]: row["id"] for row in rows}
        await self._record_deliveries({recorded[key]: by_key[key] for key in recorded})
        return recorded

    async def _record_deliveries(self, recorded: dict[int, Obligation]) -> None:
        legs = [
            (communication_id, leg.channel, leg.meets, obligation)
            for communication_id, obligation in recorded.items()
            for leg in obligation.route[0]
        ]
        driver = await driver_connection(self.connection)
        rows = await driver.fetch(
            _DELIVERIES,
            [communication_id for communication_id, _, _, _ in legs],
            [channel.value for _, channel, _, _ in legs],
            [meets for _, _, meets, _ in legs],
            [due_by(item.requested_at, item.notice.days[channel]) for _, channel, _, item in legs],
            [item.wait for _, _, _, item in legs],
        )
        for row in rows:
            obligation = recorded[row["communication_id"]]
            if obligation.notice.carries_secret:
                await seal_into(self.connection, self.secrets, obligation.participant_id, row["id"])
            self.owed.append(Owed(row["id"], obligation.queue, obligation.wait))


@dataclass(frozen=True, slots=True)
class Outbox:
    """Opens transactions that may record obligations, and rings once they have committed."""

    engine: AsyncEngine
    doorbell: Doorbell
    secrets: Secrets
    renderer: Renderer

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One database transaction; the doorbell rings after its commit, never before."""
        async with self.engine.begin() as connection:
            transaction = Transaction(connection, self.secrets, self.renderer)
            yield transaction
        await self.doorbell.ring(transaction.owed)


def _first_due(obligation: Obligation) -> date:
    days = obligation.notice.days
    return min(
        due_by(obligation.requested_at, days[leg.channel])
        for leg in obligation.route[0]
        if leg.meets
    )
