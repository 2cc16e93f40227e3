"""Signing in to the application site: with the same answer and work for every failure.

Slowing down and locking are those of the sign-in by PIN (SP 800-63B-4, 3.2.2). A lock is ended by
another password, for which a link is mailed: knowing a username is not enough to keep its owner
out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.applications.account_notices import tell_locked
from engine.applications.accounts import AccountTags, folded
from engine.clock import Clock
from engine.communications.outbox import Outbox, Transaction
from engine.database import driver_connection
from engine.security.audit import Audit, Entry
from engine.security.pin_checking import PinChecker
from engine.security.sessions import Session, Sessions, Stage
from engine.security.sign_in_standings import Standings
from engine.security.tokens import derive_tag

_FOUND: Final = """
SELECT applicant.id, participant_id, password_hash
FROM (VALUES ($1::text, $2::text)) AS asked (username_tag, email_tag)
LEFT JOIN applicant ON confirmed_at IS NOT NULL AND (
     applicant.username_tag = asked.username_tag OR applicant.email_tag = asked.email_tag)
ORDER BY applicant.username_tag = asked.username_tag DESC NULLS LAST LIMIT 1
"""
_LOCK: Final = "SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE"
_STILL: Final = "SELECT EXISTS (SELECT FROM applicant WHERE id = $1 AND password_hash = $2)"
_REHASHED: Final = "UPDATE applicant SET password_hash = $2 WHERE id = $1"
_SEEN: Final = "UPDATE applicant SET seen_at = $2 WHERE id = $1"


@dataclass(frozen=True, slots=True)
class AccountSignIn:
    """Lets applicants in."""

    outbox: Outbox
    checker: PinChecker
    sessions: Sessions
    audit: Audit
    standings: Standings
    tags: AccountTags
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def attempt(self, name: str, password: str, network: str) -> Session | None:
        """A session for the username or email address and the normalised password of a confirmed
        account; None for every failure alike."""
        async with self.outbox.engine.connect() as connection:
            driver = await driver_connection(connection)
            found = await driver.fetchrow(_FOUND, self.tags.username(name), self.tags.email(name))
            tag = self.tag(found["id"], name)
            pause = await self.standings.pause(connection, tag)
        await self.sleep(pause.total_seconds())
        (right,) = await self.checker.matches(password, (found["password_hash"],))
        async with self.outbox.transaction() as transaction:
            return await self._judged(transaction, found, tag, password, network, right=right)

    async def unlock(self, connection: AsyncConnection, applicant_id: int) -> None:
        """End the locks of an account."""
        await self.standings.clear(connection, self.tag(applicant_id, ""))

    def tag(self, applicant_id: int | None, name: str) -> str:
        """What failures are counted under: the account, by whichever of its names; where there is
        none, what was typed."""
        whose = f"id {applicant_id}" if applicant_id is not None else f"name {folded(name)}"
        return derive_tag(self.tags.key, "applicant.sign_in", whose, 32)

    async def _judged(
        self,
        transaction: Transaction,
        found: Any,
        tag: str,
        password: str,
        network: str,
        *,
        right: bool,
    ) -> Session | None:
        connection, now = transaction.connection, self.clock()
        driver = await driver_connection(connection)
        participant_id = found["participant_id"]
        await driver.execute(_LOCK, participant_id)
        # Telling is done here: no row of it is left to the worker that tells participants.
        standing = await self.standings.of(connection, tag, None)
        still = await driver.fetchval(_STILL, found["id"], found["password_hash"])
        if not (right and still) or standing.locked(now):
            locking = await self.standings.failed(connection, tag, standing, tell=False)
            if locking and found["id"] is not None:
                await tell_locked(transaction, found["id"], now)
            act = "sign_in.locked" if locking else "sign_in.failed"
            await self.audit.append(connection, Entry("unknown", act, participant_id, {}, network))
            return None
        await self.standings.clear(connection, tag)
        if self.checker.hasher.needs_rehash(found["password_hash"]):
            hashed = await self.checker.hash(password)
            await driver.execute(_REHASHED, found["id"], hashed)
        await driver.execute(_SEEN, found["id"], now)
        session = await self.sessions.open(connection, participant_id, Stage.APPLICANT)
        actor = f"participant:{participant_id}"
        entry = Entry(actor, "sign_in.succeeded", participant_id, {}, network)
        await self.audit.append(connection, entry)
        return session
