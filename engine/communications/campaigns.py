"""Campaigns, one notice to many, once they are recorded: how far they have come, and stopping them.

A campaign's communications are communications like any other. All that the campaign adds is
whether a worker may claim them, and a name for all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.clock import Clock
from engine.communications.doorbell import Doorbell
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.owed import Owed
from engine.communications.printed import LIES_IN_A_STORED_BATCH
from engine.communications.states import Event
from engine.database import driver_connection, driver_for_ids
from engine.errors import InputError
from engine.security.audit import Audit, Entry

Progress = Callable[[int, int], None]
"""Told how many are done, and how many there were in all."""

RUNG_AT_FIRST: Final = 20_000
"""A campaign rings for this many; for the others workers ring as they come to them."""
RUNG_AT_ONCE: Final = 2_000

_AT_ONCE: Final = 500
_RATE_OVER: Final = timedelta(minutes=5)
_FIRST: Final = """
SELECT delivery.id, urgency
FROM communication JOIN delivery ON delivery.communication_id = communication.id
JOIN campaign ON campaign.id = campaign_id
WHERE campaign_id = $1 AND campaign.state = 'running'
  AND delivery.state = 'owed' AND next_attempt_at <= clock_timestamp()
ORDER BY delivery.id LIMIT $2
"""
_RUNG: Final = "UPDATE delivery SET rung_at = clock_timestamp() WHERE id = ANY($1::bigint[])"
_SET_STATE: Final = """
UPDATE campaign SET state = $2 WHERE name = $1 AND state = ANY($3::text[]) RETURNING id
"""
_STATE: Final = "SELECT state FROM campaign WHERE name = $1"
# What a worker holds is left to it. Of a met obligation an alert may still be owed.
_UNSENT: Final = f"""
SELECT delivery.id
FROM campaign JOIN communication ON campaign_id = campaign.id
JOIN delivery ON delivery.communication_id = communication.id
WHERE campaign.state = 'cancelled' AND ($1::bigint IS NULL OR campaign.id = $1)
  AND (delivery.state IN ('owed', 'held')
       OR delivery.state = 'batched' AND NOT {LIES_IN_A_STORED_BATCH}
       OR delivery.state = 'sending' AND leased_until < clock_timestamp())
"""  # noqa: S608  a constant
_SOME_UNSENT: Final = f"{_UNSENT} AND delivery.id > $2 ORDER BY delivery.id LIMIT $3"
_ALL_UNSENT: Final = f"SELECT count(*) FROM ({_UNSENT}) AS unsent"  # noqa: S608  a constant
_LIST: Final = """
SELECT campaign.name, campaign.notice, campaign.state, campaign.created_at,
       count(communication.id) AS communications,
       count(*) FILTER (WHERE communication.state = 'owed') AS owed,
       count(*) FILTER (WHERE communication.state = 'met') AS met
FROM campaign LEFT JOIN communication ON campaign_id = campaign.id
GROUP BY campaign.id ORDER BY campaign.id DESC LIMIT $1
"""
_ONE: Final = "SELECT id, name, notice, state, created_at FROM campaign WHERE name = $1"
_COMMUNICATIONS: Final = """
SELECT state, count(*) AS number, min(due_by) AS due FROM communication
WHERE campaign_id = $1 GROUP BY state
"""
_DELIVERIES: Final = """
SELECT channel, delivery.state, count(*) AS number,
       count(*) FILTER (WHERE final_at >= $2) AS lately, min(final_at) AS first
FROM communication JOIN delivery ON communication_id = communication.id
WHERE campaign_id = $1 GROUP BY channel, delivery.state
"""
_DONE: Final = ("sent", "batched", "handed_over", "mailed", "returned", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Listed:
    """A campaign in a list, and how many of its communications are owed and met."""

    name: str
    notice: str
    state: str
    created_at: datetime
    communications: int
    owed: int
    met: int


@dataclass(frozen=True, slots=True)
class Shown:
    """How far a campaign has come.

    `communications` are counted by state, `deliveries` by channel and state. `due` is the earliest
    day by which something that is still owed is due. `per_second` counts what was finished in the
    last five minutes; `left` is how long the rest takes at that pace, None where nothing moves.
    """

    name: str
    notice: str
    state: str
    created_at: datetime
    communications: Mapping[str, int]
    deliveries: Mapping[tuple[str, str], int]
    due: date | None
    per_second: float
    left: timedelta | None


@dataclass(frozen=True, slots=True)
class CampaignBell:
    """Rings for a campaign that was recorded or resumed."""

    engine: AsyncEngine
    doorbell: Doorbell

    async def ring(self, campaign_id: int) -> int:
        """Ring for the first of what is owed and due; how many. A few jobs at a time, so that
        workers begin while the others are rung for."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            first = await driver.fetch(_FIRST, campaign_id, RUNG_AT_FIRST)
        for start in range(0, len(first), RUNG_AT_ONCE):
            some = first[start : start + RUNG_AT_ONCE]
            async with self.engine.begin() as connection:
                driver = await driver_for_ids(connection)
                await driver.execute(_RUNG, [row["id"] for row in some])
            await self.doorbell.ring(Owed(row["id"], row["urgency"]) for row in some)
        return len(first)


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Pauses, resumes and cancels campaigns; whoever does it is in the audit trail, with why."""

    engine: AsyncEngine
    outcomes: Outcomes
    bell: CampaignBell
    audit: Audit
    clock: Clock

    async def listed(self, most: int) -> list[Listed]:
        """The newest campaigns, up to `most` of them."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            return [Listed(**dict(row)) for row in await driver.fetch(_LIST, most)]

    async def shown(self, name: str) -> Shown:
        """How far the campaign has come. Raises InputError where there is none of that name."""
        now = self.clock()
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            campaign = await driver.fetchrow(_ONE, name)
            if campaign is None:
                raise _unknown(name)
            communications = await driver.fetch(_COMMUNICATIONS, campaign["id"])
            deliveries = await driver.fetch(_DELIVERIES, campaign["id"], now - _RATE_OVER)
        pace = _pace(deliveries, now)
        unfinished = sum(row["number"] for row in deliveries if row["state"] in {"owed", "sending"})
        return Shown(
            campaign["name"],
            campaign["notice"],
            campaign["state"],
            campaign["created_at"],
            {row["state"]: row["number"] for row in communications},
            {(row["channel"], row["state"]): row["number"] for row in deliveries},
            min((row["due"] for row in communications if row["state"] == "owed"), default=None),
            pace,
            timedelta(seconds=unfinished / pace) if pace else None,
        )

    async def pause(self, name: str, who: str, why: str) -> None:
        """Nothing more of it is claimed from now on; what a worker holds it finishes. Deadlines go
        on. Raises InputError where it does not run."""
        await self._set("paused", name, ("running",), who, why)

    async def resume(self, name: str, who: str, why: str) -> int:
        """It may be claimed again, and is rung for; for how many. Raises InputError where it is
        not paused."""
        return await self.bell.ring(await self._set("running", name, ("paused",), who, why))

    async def cancel(
        self, name: str, who: str, why: str, progress: Progress = lambda _done, _total: None
    ) -> int:
        """Cancel what was not yet sent; how many deliveries.

        What a worker holds it finishes, and what comes back from there is cancelled within the
        minute. An interrupted cancelling is carried on by the clock. Raises InputError where it is
        cancelled already.
        """
        campaign_id = await self._set("cancelled", name, ("running", "paused"), who, why)
        return await self._cancel_unsent(campaign_id, progress)

    async def finish_cancelling(self) -> int:
        """Cancel whatever is unsent of campaigns that were cancelled; how many deliveries."""
        return await self._cancel_unsent(None, lambda _done, _total: None)

    async def _cancel_unsent(self, campaign_id: int | None, progress: Progress) -> int:
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            total = await driver.fetchval(_ALL_UNSENT, campaign_id)
        done, last = 0, 0
        while total:
            async with self.engine.begin() as connection:
                driver = await driver_connection(connection)
                rows = await driver.fetch(_SOME_UNSENT, campaign_id, last, _AT_ONCE)
                outcomes = [Outcome(row["id"], Event.CANCELLED, "campaign") for row in rows]
                done += len((await self.outcomes.record(connection, outcomes)).moved)
            if not rows:
                break
            last = rows[-1]["id"]
            progress(done, max(done, total))
        return done

    async def _set(self, state: str, name: str, before: tuple[str, ...], who: str, why: str) -> int:
        _check_signature(who, why)
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            campaign_id = await driver.fetchval(_SET_STATE, name, state, list(before))
            if campaign_id is None:
                found = await driver.fetchval(_STATE, name)
                raise (
                    _unknown(name)
                    if found is None
                    else InputError(f"the campaign {name} is {found}: nothing was changed")
                )
            await self._audited(connection, state, name, who, why)
        return int(campaign_id)

    async def _audited(
        self, connection: AsyncConnection, state: str, name: str, who: str, why: str
    ) -> None:
        entry = Entry(
            f"staff:{who.strip()}", f"campaign.{state}", details={"campaign": name, "why": why}
        )
        await self.audit.append(connection, entry)


def _pace(deliveries: list[Any], now: datetime) -> float:
    """Deliveries finished a second, over the last minutes or since the first of them."""
    lately = sum(int(row["lately"]) for row in deliveries if row["state"] != "cancelled")
    first = min((row["first"] for row in deliveries if row["first"] is not None), default=now)
    seconds: float = (now - max(first, now - _RATE_OVER)).total_seconds()
    return lately / max(seconds, 1.0)


def _check_signature(who: str, why: str) -> None:
    if not who.strip() or not why.strip():
        raise InputError("say who you are (--by) and why (--why): both are kept on record")


def _unknown(name: str) -> InputError:
    return InputError(f"no campaign of that name: {name[:80]!r}; see: connect campaign list")
