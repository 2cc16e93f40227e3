"""Signing in: by Participant ID Number and PIN, with the same answer and work for every failure.

After some failures in a row the number is locked for minutes that grow. A lock keeps strangers
out, not the parent: a temporary PIN works through it and ends it, and a browser in which the parent
signed in before with the PIN they have is counted by itself (OWASP, "Slow Down Online Guessing
Attacks with Device Cookies"). Knowing a number alone is not enough to keep its owner out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.caseload.alerts import ordinary_route
from engine.caseload.personal import NAME
from engine.clock import Clock, pacific_date
from engine.communications.catalogue import SIGN_IN_LOCKED, SignInLockedFacts
from engine.communications.outbox import Obligation, Outbox
from engine.database import driver_connection
from engine.security.audit import Audit, Entry
from engine.security.pin_checking import PinChecker
from engine.security.sessions import Session, Sessions, Stage
from engine.security.tokens import derive_tag

log: Final = structlog.get_logger()

FAILURES_FORGIVEN_AFTER: Final = timedelta(hours=24)
"""A row of failures that ended so long ago is not gone on with."""
LOCKS_FORGIVEN_AFTER: Final = timedelta(days=7)
"""Without a failure for so long, the next lock is a first one again."""
THROUGH_A_LOCK: Final = 100
"""So many wrong PINs a day may be typed at a locked number until a temporary one works through the
lock no more: a chance of 1 in 10,000 to guess one of six digits. It works when the lock is over."""
_A_DAY: Final = timedelta(days=1)

_CREDENTIALS: Final = """
SELECT participant.id, temporary.id AS temporary_id, temporary.hash AS temporary,
       chosen.id AS chosen_id, chosen.hash AS chosen
FROM (VALUES ($1::text)) AS asked (external_id)
LEFT JOIN participant ON participant.external_id = asked.external_id
LEFT JOIN pin_credential AS temporary ON temporary.participant_id = participant.id
     AND temporary.kind = 'temporary' AND temporary.used_at IS NULL
     AND temporary.voided_at IS NULL AND coalesce(temporary.expires_at > $2, true)
LEFT JOIN pin_credential AS chosen ON chosen.participant_id = participant.id
     AND chosen.kind = 'chosen' AND chosen.used_at IS NULL AND chosen.voided_at IS NULL
"""
_IN_A_ROW: Final = """
SELECT failures FROM sign_in_standing WHERE tag = $1 AND failed_at > $2
"""
_STANDING: Final = """
INSERT INTO sign_in_standing (tag, participant_id) VALUES ($1, $2)
ON CONFLICT (tag) DO UPDATE SET participant_id = excluded.participant_id
RETURNING failures, locks, failed_at, locked_until, told_on, tries, tries_since
"""
_FAILED: Final = """
UPDATE sign_in_standing SET failures = $2, locks = $3, failed_at = $4, locked_until = $5,
       tries = $6, tries_since = $7, tell = tell OR $8
WHERE tag = $1
"""
_CLEAR: Final = "DELETE FROM sign_in_standing WHERE tag = $1"
# In every browser that was counted by itself, too.
_CLEAR_ALL: Final = "DELETE FROM sign_in_standing WHERE tag = $1 OR participant_id = $2"
_STILL_GOOD: Final = """
SELECT EXISTS (SELECT FROM pin_credential WHERE id = $1 AND used_at IS NULL AND voided_at IS NULL)
"""
_REHASHED: Final = "UPDATE pin_credential SET hash = $2 WHERE id = $1"
_TO_TELL: Final = f"""
SELECT tag, participant.id, participant.language, confidential, failed_at,
       {NAME} AS name
FROM sign_in_standing LEFT JOIN participant ON participant.id = participant_id
WHERE tell ORDER BY tag LIMIT 500 FOR UPDATE OF sign_in_standing SKIP LOCKED
"""  # noqa: S608  joined from constants of ours
_TOLD: Final = """
UPDATE sign_in_standing SET tell = false, told_on = $2 WHERE tag = ANY($1::text[])
"""
_FORGET: Final = """
DELETE FROM sign_in_standing
WHERE failed_at < $1 AND coalesce(locked_until < $1, true) AND NOT tell
"""


@dataclass(frozen=True, slots=True)
class Manners:
    """When a number is slowed down, by `slow` and then twice as much each time; when it is locked,
    and for how long: `first`, then twice as long each time."""

    after_failures: int
    first: timedelta
    most: timedelta
    slow: timedelta = timedelta(0)

    def pause(self, failures: int) -> timedelta:
        """How long the next attempt takes after so many failures in a row: two are free."""
        return self.slow * (1 << (failures - 2)) if failures >= 2 else timedelta(0)

    def lock(self, locks: int) -> timedelta:
        """How long the lock lasts that is the `locks`-th in a row."""
        return min(self.first * (1 << min(locks - 1, 20)), self.most)


@dataclass(frozen=True, slots=True)
class Device:
    """A browser in which a participant signed in, with the PIN of `credential_id`. To others, and
    once that PIN was changed, it is a browser like any."""

    number: str
    participant_id: int
    credential_id: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was typed, and where; `device` where the browser is a known one."""

    external_id: str
    pin: str
    network: str
    device: Device | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """Lets participants in."""

    engine: AsyncEngine
    outbox: Outbox
    checker: PinChecker
    sessions: Sessions
    audit: Audit
    manners: Manners
    key: bytes
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def attempt(self, attempt: Attempt) -> Session | None:
        """A session, or None: for a wrong PIN, an unknown number and a locked one alike, after
        the same statements and the same hashing."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            found = await driver.fetchrow(_CREDENTIALS, attempt.external_id, self.clock())
            tag = self._tag(attempt.external_id, _known(attempt.device, found))
            since = self.clock() - FAILURES_FORGIVEN_AFTER
            failures = await driver.fetchval(_IN_A_ROW, tag, since)
        # Neither a connection nor a turn at hashing is held meanwhile.
        await self.sleep(self.manners.pause(failures or 0).total_seconds())
        temporary, chosen = await self.checker.matches(
            attempt.pin, (found["temporary"], found["chosen"])
        )
        async with self.engine.begin() as connection:
            return await self._judged(connection, attempt, found, temporary, chosen)

    async def unlock(
        self, connection: AsyncConnection, external_id: str, participant_id: int
    ) -> bool:
        """End the locks of a number, in every browser; whether anything stood against it."""
        driver = await driver_connection(connection)
        done: str = await driver.execute(_CLEAR_ALL, self._tag(external_id), participant_id)
        return done != "DELETE 0"

    async def tell_locked(self) -> int:
        """Record `sign_in_locked` for those who were locked since and not told today."""
        async with self.outbox.transaction() as transaction:
            driver = await driver_connection(transaction.connection)
            rows = await driver.fetch(_TO_TELL)
            today = pacific_date(self.clock())
            for row in rows:
                if row["id"] is not None:
                    await transaction.record(
                        Obligation(
                            key=f"sign_in_locked:{row['id']}:{today}",
                            notice=SIGN_IN_LOCKED,
                            participant_id=row["id"],
                            language=row["language"],
                            facts=SignInLockedFacts(name=row["name"], locked_at=row["failed_at"]),
                            route=await ordinary_route(transaction.connection, row["id"]),
                            requested_at=self.clock(),
                        )
                    )
            await driver.execute(_TOLD, [row["tag"] for row in rows], today)
        return len(rows)

    async def forget(self, connection: AsyncConnection) -> None:
        """Remove standings that no longer say anything."""
        driver = await driver_connection(connection)
        await driver.execute(_FORGET, self.clock() - LOCKS_FORGIVEN_AFTER)

    async def _judged(
        self,
        connection: AsyncConnection,
        attempt: Attempt,
        found: Any,
        temporary: bool,
        chosen: bool,
    ) -> Session | None:
        driver = await driver_connection(connection)
        now = self.clock()
        tag = self._tag(attempt.external_id, _known(attempt.device, found))
        # The participant before anything of theirs, as whoever settles a PIN request does.
        await driver.execute("SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE", found["id"])
        standing = await driver.fetchrow(_STANDING, tag, found["id"])
        locked = standing["locked_until"] is not None and standing["locked_until"] > now
        matched = found["temporary_id"] if temporary else found["chosen_id"] if chosen else None
        good = bool(await driver.fetchval(_STILL_GOOD, matched))
        through = temporary and _tries(standing, now) < THROUGH_A_LOCK
        if not good or (locked and not through):
            after = self._after_failure(standing, locked=locked)
            await driver.execute(_FAILED, tag, *after)
            locking = not locked and after.locked_until not in {None, standing["locked_until"]}
            act = "sign_in.locked" if locking else "sign_in.failed"
            await self._say(connection, attempt, found["id"], act, actor="unknown")
            return None
        if temporary:
            await driver.execute(_CLEAR_ALL, self._tag(attempt.external_id), found["id"])
        else:
            await driver.execute(_CLEAR, tag)
            await self._rehash(driver, found, attempt.pin)
        stage = Stage.PIN_CHANGE if temporary else Stage.FULL
        session = await self.sessions.open(connection, found["id"], stage, matched)
        actor = f"participant:{found['id']}"
        await self._say(connection, attempt, found["id"], "sign_in.succeeded", actor=actor)
        return session

    def _after_failure(self, standing: Any, *, locked: bool) -> "_Standing":
        """One failure more. While the number is locked it is none of the row: a lock is not
        prolonged by those it keeps out."""
        now = self.clock()
        if locked:
            since = standing["tries_since"]
            fresh = since is None or now - since > _A_DAY
            return _Standing(
                standing["failures"], standing["locks"], standing["failed_at"],
                standing["locked_until"], _tries(standing, now) + 1, now if fresh else since, False,
            )  # fmt: skip
        row, locks = standing["failures"], standing["locks"]
        if standing["failed_at"] is not None:
            since_last = now - standing["failed_at"]
            row = 0 if since_last > FAILURES_FORGIVEN_AFTER else row
            locks = 0 if since_last > LOCKS_FORGIVEN_AFTER else locks
        row += 1
        until = standing["locked_until"]
        locking = row >= self.manners.after_failures
        if locking:
            row, locks = 0, locks + 1
            until = now + self.manners.lock(locks)
        tell = locking and standing["told_on"] != pacific_date(now)
        return _Standing(row, locks, now, until, standing["tries"], standing["tries_since"], tell)

    async def _rehash(self, driver: Any, found: Any, pin: str) -> None:
        """A hash of an older pepper or cost is replaced while the PIN is at hand."""
        if self.checker.hasher.needs_rehash(found["chosen"]):
            await driver.execute(_REHASHED, found["chosen_id"], await self.checker.hash(pin))

    async def _say(
        self,
        connection: AsyncConnection,
        attempt: Attempt,
        participant_id: int | None,
        act: str,
        *,
        actor: str,
    ) -> None:
        """Whoever fails to sign in is unknown, whosever number they typed."""
        await self.audit.append(
            connection,
            Entry(actor=actor, act=act, participant_id=participant_id, network=attempt.network),
        )

    def _tag(self, external_id: str, device: Device | None = None) -> str:
        if device is None:
            return derive_tag(self.key, "sign_in", external_id, 32)
        return derive_tag(self.key, "sign_in.device", f"{external_id} {device.number}", 32)


class _Standing(NamedTuple):
    """What is kept of a number after a failure, in the order of the statement that keeps it."""

    failures: int
    locks: int
    failed_at: datetime | None
    locked_until: datetime | None
    tries: int
    tries_since: datetime | None
    tell: bool


def _tries(standing: Any, now: datetime) -> int:
    """How many wrong PINs were typed at the locked number within the day."""
    since = standing["tries_since"]
    tries: int = standing["tries"]
    return tries if since is not None and now - since <= _A_DAY else 0


def _known(device: Device | None, found: Any) -> Device | None:
    """The browser, where it is one in which this participant signed in with the PIN they have."""
    if device is None or device.participant_id != found["id"]:
        return None
    return device if device.credential_id == found["chosen_id"] else None
