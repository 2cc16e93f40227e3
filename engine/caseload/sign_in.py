"""Signing in: by Participant ID Number and PIN, with the same answer and work for every failure.

After some failures in a row the number is locked for minutes that grow. A lock keeps strangers
out, not the parent: a temporary PIN works through it and ends it, and a browser in which the parent
signed in before is counted by itself (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"). Knowing a number alone is not enough to keep its owner out.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.caseload.alerts import ordinary_route
from engine.clock import Clock, pacific_date
from engine.communications.catalogue import SIGN_IN_LOCKED, SignInLockedFacts
from engine.communications.outbox import Obligation, Outbox
from engine.database import driver_connection
from engine.security.audit import Audit, Entry
from engine.security.pin_checking import PinChecker
from engine.security.sessions import Session, Sessions, Stage
from engine.security.tokens import derive_tag

log: Final = structlog.get_logger()

FORGIVEN_AFTER: Final = timedelta(hours=24)
"""Failures and locks older than this are not counted any more."""
TEMPORARY_TRIES: Final = 50
"""So many wrong PINs may be typed while a temporary one is alive: a chance of 1 in 20,000 to guess
one of six digits. Then it is void, and its owner asks for another."""

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
_STANDING: Final = """
INSERT INTO sign_in_standing (tag, participant_id) VALUES ($1, $2)
ON CONFLICT (tag) DO UPDATE SET participant_id = excluded.participant_id
RETURNING failures, locks, failed_at, locked_until, told_on
"""
_FAILED: Final = """
UPDATE sign_in_standing SET failures = $2, locks = $3, failed_at = $4, locked_until = $5,
       tell = tell OR $6
WHERE tag = $1
"""
_WRONG_TRY: Final = """
UPDATE pin_credential SET wrong_tries = wrong_tries + 1,
       voided_at = CASE WHEN wrong_tries + 1 >= $3 THEN $2::timestamptz END
WHERE id = $1 AND used_at IS NULL AND voided_at IS NULL
"""
_CLEAR: Final = "DELETE FROM sign_in_standing WHERE tag = ANY($1::text[])"
_STILL_GOOD: Final = """
SELECT EXISTS (SELECT FROM pin_credential WHERE id = $1 AND used_at IS NULL AND voided_at IS NULL)
"""
_REHASHED: Final = "UPDATE pin_credential SET hash = $2 WHERE id = $1"
_TO_TELL: Final = """
SELECT tag, participant.id, participant.language, confidential, failed_at,
       first_name || ' ' || last_name AS name
FROM sign_in_standing LEFT JOIN participant ON participant.id = participant_id
WHERE tell ORDER BY tag LIMIT 500 FOR UPDATE OF sign_in_standing SKIP LOCKED
"""
_TOLD: Final = """
UPDATE sign_in_standing SET tell = false, told_on = $2 WHERE tag = ANY($1::text[])
"""
_FORGET: Final = """
DELETE FROM sign_in_standing
WHERE failed_at < $1 AND coalesce(locked_until < $1, true) AND NOT tell
"""


@dataclass(frozen=True, slots=True)
class Manners:
    """When a number is locked, and for how long: `first`, then twice as long each time."""

    after_failures: int
    first: timedelta
    most: timedelta

    def lock(self, locks: int) -> timedelta:
        """How long the lock lasts that is the `locks`-th in a row."""
        return min(self.first * (1 << min(locks - 1, 20)), self.most)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was typed, and where. `device` is the number of a browser that is known."""

    external_id: str
    pin: str
    network: str
    device: str | None = None


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

    async def attempt(self, attempt: Attempt) -> Session | None:
        """A session, or None: for a wrong PIN, an unknown number and a locked one alike, after
        the same statements and the same hashing."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            found = await driver.fetchrow(_CREDENTIALS, attempt.external_id, self.clock())
        temporary, chosen = await self.checker.matches(
            attempt.pin, (found["temporary"], found["chosen"])
        )
        async with self.engine.begin() as connection:
            return await self._judged(connection, attempt, found, temporary, chosen)

    async def unlock(self, connection: AsyncConnection, external_id: str) -> bool:
        """End the lock of a number; whether anything stood against it."""
        driver = await driver_connection(connection)
        done: str = await driver.execute(_CLEAR, [self._tag(external_id)])
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
        await driver.execute(_FORGET, self.clock() - FORGIVEN_AFTER)

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
        tag = self._tag(attempt.external_id, attempt.device)
        # The participant before anything of theirs, as whoever settles a PIN request does.
        await driver.execute("SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE", found["id"])
        standing = await driver.fetchrow(_STANDING, tag, found["id"])
        locked = standing["locked_until"] is not None and standing["locked_until"] > now
        matched = found["temporary_id"] if temporary else found["chosen_id"] if chosen else None
        good = bool(await driver.fetchval(_STILL_GOOD, matched))
        if not good or (locked and not temporary):
            await self._failed(driver, tag, standing, found["temporary_id"], locked=locked)
            await self._say(connection, attempt, found["id"], "sign_in.failed")
            return None
        await driver.execute(_CLEAR, [tag] + [self._tag(attempt.external_id)] * temporary)
        if not temporary:
            await self._rehash(driver, found, attempt.pin)
        stage = Stage.PIN_CHANGE if temporary else Stage.FULL
        session = await self.sessions.open(connection, found["id"], stage)
        await self._say(connection, attempt, found["id"], "sign_in.succeeded")
        return session

    async def _failed(
        self, driver: Any, tag: str, standing: Any, temporary_id: int | None, *, locked: bool
    ) -> None:
        """One failure more. While the number is locked none is counted: a lock is not prolonged
        by those it keeps out."""
        now = self.clock()
        failures, locks, until = standing["failures"], standing["locks"], standing["locked_until"]
        if standing["failed_at"] is not None and now - standing["failed_at"] > FORGIVEN_AFTER:
            failures, locks = 0, 0
        locking = False
        if not locked:
            failures += 1
            locking = failures >= self.manners.after_failures
        if locking:
            failures, locks = 0, locks + 1
            until = now + self.manners.lock(locks)
        tell = locking and standing["told_on"] != pacific_date(now)
        await driver.execute(_FAILED, tag, failures, locks, now, until, tell)
        await driver.execute(_WRONG_TRY, temporary_id, now, TEMPORARY_TRIES)

    async def _rehash(self, driver: Any, found: Any, pin: str) -> None:
        """A hash of an older pepper or cost is replaced while the PIN is at hand."""
        if self.checker.hasher.needs_rehash(found["chosen"]):
            await driver.execute(_REHASHED, found["chosen_id"], await self.checker.hash(pin))

    async def _say(
        self, connection: AsyncConnection, attempt: Attempt, participant_id: int | None, act: str
    ) -> None:
        await self.audit.append(
            connection,
            Entry(
                actor=f"participant:{participant_id}" if participant_id else "unknown",
                act=act,
                participant_id=participant_id,
                network=attempt.network,
            ),
        )

    def _tag(self, external_id: str, device: str | None = None) -> str:
        if device is None:
            return derive_tag(self.key, "sign_in", external_id, 32)
        return derive_tag(self.key, "sign_in.device", f"{external_id} {device}", 32)
