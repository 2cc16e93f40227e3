"""One notice to many, recorded at the speed of COPY: staged in a temporary table, then written into
both tables a slice at a time, all of it in one transaction.

    async with bulk.recording("november", NOTICE) as recording:
        ...fill `asked_in_bulk` on recording.driver: COPY, or INSERT … SELECT
        await recording.write()
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.calendar.deadlines import due_by
from engine.clock import Clock
from engine.communications.campaigns import CampaignBell
from engine.communications.catalogue import Notice, Urgency
from engine.communications.rendering import Renderer
from engine.database import driver_connection
from engine.errors import InputError

Progress = Callable[[int, int], None]
"""Told how many are written, and how many there are in all."""

SLICE: Final = 10_000
_NAME_MOST: Final = 80

_STAGE: Final = """
CREATE TEMPORARY TABLE asked_in_bulk (
    turn bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL,
    participant_id bigint NOT NULL,
    language text NOT NULL,
    facts jsonb NOT NULL,
    sealed_name bytea,
    name_key_id text,
    route jsonb NOT NULL
) ON COMMIT DROP
"""
# One run at a time adds to a campaign; the next one then finds what the first recorded.
_ALONE: Final = "SELECT pg_advisory_xact_lock(4107317, hashtext($1))"
_KNOWN: Final = "SELECT id, notice, state FROM campaign WHERE name = $1"
_SAME_CONTENT: Final = """
SELECT name, at FROM campaign_recording JOIN campaign ON campaign.id = campaign_id
WHERE digest = $1 AND name <> $2 AND state <> 'cancelled' ORDER BY at LIMIT 1
"""
_OPEN: Final = "INSERT INTO campaign (name, notice, created_at) VALUES ($1, $2, $3) RETURNING id"
_ADDED: Final = """
INSERT INTO campaign_recording (campaign_id, digest, recorded, at) VALUES ($1, $2, $3, $4)
"""
_COUNT: Final = "ANALYZE communication, delivery"
_TURNS: Final = """
SELECT coalesce(min(turn), 1) AS first, coalesce(max(turn), 0) AS last, count(*) AS number
FROM asked_in_bulk
"""
_WRITE: Final = """
WITH recorded AS (
    INSERT INTO communication (idempotency_key, notice, participant_id, language, urgency, facts,
                               sealed_name, name_key_id, template_version, route, requested_at,
                               due_by, campaign_id)
    SELECT key, $1, participant_id, language, $2, facts, sealed_name, name_key_id, $3, route,
           $4::timestamptz,
           (SELECT min(($5::jsonb ->> (leg ->> 0))::date)
            FROM jsonb_array_elements(route -> 0) AS leg WHERE (leg ->> 1)::boolean),
           $6
    FROM asked_in_bulk WHERE turn BETWEEN $7 AND $8 ORDER BY turn
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING id, route
), carried AS (
    INSERT INTO delivery (communication_id, step, channel, meets_obligation, due_by, rung_at)
    SELECT id, 0, leg ->> 0, (leg ->> 1)::boolean, ($5::jsonb ->> (leg ->> 0))::date, '-infinity'
    FROM recorded CROSS JOIN LATERAL jsonb_array_elements(route -> 0) AS leg ORDER BY id
)
SELECT count(*) FROM recorded
"""


@dataclass(slots=True)
class Recording:
    """A campaign's transaction. `recorded` is how many were new of the `asked`."""

    connection: AsyncConnection
    driver: Any
    campaign: str
    campaign_id: int
    notice: Notice
    version: str
    requested_at: datetime
    asked: int = 0
    recorded: int = 0

    async def write(self, progress: Progress = lambda _done, _total: None) -> None:
        """Write what was staged, slice by slice; what the campaign, or anything else, recorded
        under the same key before is passed over."""
        await self.driver.execute("ANALYZE asked_in_bulk")
        turns = await self.driver.fetchrow(_TURNS)
        self.asked = turns["number"]
        dues = {
            channel.value: due_by(self.requested_at, days).isoformat()
            for channel, days in self.notice.days.items()
        }
        for first in range(turns["first"], turns["last"] + 1, SLICE):
            self.recorded += await self.driver.fetchval(
                _WRITE,
                self.notice.key,
                Urgency.BULK.value,
                self.version,
                self.requested_at,
                json.dumps(dues),
                self.campaign_id,
                first,
                first + SLICE - 1,
            )
            progress(min(first + SLICE - turns["first"], self.asked), self.asked)


@dataclass(frozen=True, slots=True)
class Bulk:
    """Records campaigns, whole or not at all, and rings for them once they are committed."""

    engine: AsyncEngine
    bell: CampaignBell
    renderer: Renderer
    clock: Clock

    @asynccontextmanager
    async def recording(
        self,
        name: str,
        notice: Notice,
        *,
        digest: bytes | None = None,
        again: bool = False,
        keep: bool = True,
    ) -> AsyncIterator[Recording]:
        """The transaction of the campaign `name`, with the table `asked_in_bulk` to fill.

        It is committed at the end, unless `keep` is false: then all was tried, and nothing is left.
        A campaign that there is already is added to. Raises InputError where it is one of another
        notice or was cancelled, and where the content of this `digest` was recorded under another
        name, unless that is wanted `again`.
        """
        _check_name(name)
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_ALONE, name)
            now = self.clock()
            campaign_id = await _campaign(driver, name, notice, now)
            if digest is not None and not again:
                await _refuse_same_content(driver, name, digest)
            await driver.execute(_STAGE)
            version = self.renderer.version(notice)
            recording = Recording(connection, driver, name, campaign_id, notice, version, now)
            yield recording
            await driver.execute(_ADDED, campaign_id, digest, recording.recorded, now)
            await (connection.commit() if keep else connection.rollback())
        if keep:
            if recording.recorded >= SLICE:
                await self._count()
            await self.bell.ring(campaign_id)

    async def _count(self) -> None:
        """Have PostgreSQL count the tables now: until autovacuum did, whoever rings or claims would
        go through all of them for each row."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_COUNT)


async def _campaign(driver: Any, name: str, notice: Notice, now: datetime) -> int:
    known = await driver.fetchrow(_KNOWN, name)
    if known is None:
        return int(await driver.fetchval(_OPEN, name, notice.key, now))
    if known["notice"] != notice.key:
        raise InputError(f"the campaign {name} tells of {known['notice']}: choose another name")
    if known["state"] == "cancelled":
        raise InputError(f"the campaign {name} was cancelled: choose another name")
    return int(known["id"])


async def _refuse_same_content(driver: Any, name: str, digest: bytes) -> None:
    same = await driver.fetchrow(_SAME_CONTENT, digest, name)
    if same is not None:
        raise InputError(
            f"the same content was recorded as the campaign {same['name']} on "
            f"{same['at']:%Y-%m-%d}: everyone in it would be told twice. With --again it is done"
        )


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > _NAME_MOST or not name.isprintable():
        raise InputError(f"a campaign's name has 1 to {_NAME_MOST} characters that print")
