"""Signing in: by Participant ID Number and PIN, with the same answer and work for every failure.

After some failures in a row the number is locked for minutes that grow. A lock keeps strangers
out, not the parent: a temporary PIN works through it and ends it, and a browser in which the parent
signed in before with the PIN they have is counted by itself (OWASP, "Slow Down Online Guessing
Attacks with Device Cookies"). Knowing a number alone is not enough to keep its owner out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

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
from engine.security.sign_in_standings import Standings
from engine.security.tokens import derive_tag

log: Final = structlog.get_logger()

THROUGH_A_LOCK: Final = 100
"""So many wrong PINs a day may be typed at a locked number until a temporary one works through the
lock no more: a chance of 1 in 10,000 to guess one of six digits. It works when the lock is over."""

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
    standings: Standings
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
            pause = await self.standings.pause(connection, tag)
        # Neither a connection nor a turn at hashing is held meanwhile.
        await self.sleep(pause.total_seconds())
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
        await self.standings.forget(connection)

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
        standing = await self.standings.of(connection, tag, found["id"])
        matched = found["temporary_id"] if temporary else found["chosen_id"] if chosen else None
        good = bool(await driver.fetchval(_STILL_GOOD, matched))
        through = temporary and standing.tries_of_the_day(now) < THROUGH_A_LOCK
        if not good or (standing.locked(now) and not through):
            locking = await self.standings.failed(connection, tag, standing)
            act = "sign_in.locked" if locking else "sign_in.failed"
            await self._say(connection, attempt, found["id"], act, actor="unknown")
            return None
        if temporary:
            await driver.execute(_CLEAR_ALL, self._tag(attempt.external_id), found["id"])
        else:
            await self.standings.clear(connection, tag)
            await self._rehash(driver, found, attempt.pin)
        stage = Stage.PIN_CHANGE if temporary else Stage.FULL
        session = await self.sessions.open(connection, found["id"], stage, matched)
        actor = f"participant:{found['id']}"
        await self._say(connection, attempt, found["id"], "sign_in.succeeded", actor=actor)
        return session

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


def _known(device: Device | None, found: Any) -> Device | None:
    """The browser, where it is one in which this participant signed in with the PIN they have."""
    if device is None or device.participant_id != found["id"]:
        return None
    return device if device.credential_id == found["chosen_id"] else None
