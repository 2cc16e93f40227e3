"""Another password for an account: at will by who is signed in, and by a link that is mailed."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.applications.account_notices import (
    owner_of_link,
    send_link,
    tell_password_changed,
    use_link,
)
from engine.applications.account_sign_in import AccountSignIn
from engine.applications.accounts import AccountTags, Applicant
from engine.applications.personal import USERNAME
from engine.caseload.personal import FIELDS, NAMES_APART
from engine.clock import Clock
from engine.communications.outbox import Outbox, Transaction
from engine.database import driver_connection
from engine.security.audit import Audit, Entry
from engine.security.passwords import PasswordFault, fault
from engine.security.pin_checking import PinChecker
from engine.security.sessions import Session, Sessions, Stage

_BY_EMAIL: Final = """
SELECT id, participant_id FROM applicant WHERE email_tag = $1 AND confirmed_at IS NOT NULL
"""
_CONTEXT: Final = f"""
SELECT {USERNAME.read()} AS username, {NAMES_APART} AS names, {FIELDS} AS fields
FROM applicant JOIN participant ON participant.id = applicant.participant_id
LEFT JOIN contact_point ON contact_point.participant_id = participant.id
     AND kind = 'email' AND superseded_at IS NULL
WHERE applicant.id = $1
"""  # noqa: S608  joined from constants of ours
_LOCK: Final = """
SELECT participant.id FROM participant JOIN applicant ON participant_id = participant.id
WHERE applicant.id = $1 FOR NO KEY UPDATE OF participant
"""
_HASH: Final = "SELECT password_hash FROM applicant WHERE id = $1"
_CHOOSE: Final = "UPDATE applicant SET password_hash = $2 WHERE id = $1"


@dataclass(frozen=True, slots=True)
class AccountPasswords:
    """Changes passwords."""

    outbox: Outbox
    checker: PinChecker
    sessions: Sessions
    sign_in: AccountSignIn
    audit: Audit
    tags: AccountTags
    clock: Clock

    async def forgotten(self, email: str, network: str) -> None:
        """Mail a link to this address, if an account has it: nobody is told whether one does."""
        async with self.outbox.transaction() as transaction:
            driver = await driver_connection(transaction.connection)
            found = await driver.fetchrow(_BY_EMAIL, self.tags.email(email))
            if found is None:
                return
            await send_link(transaction, found["id"], "reset", self.clock())
            entry = Entry("unknown", "password.forgotten", found["participant_id"], {}, network)
            await self.audit.append(transaction.connection, entry)

    async def owner(self, connection: AsyncConnection, token: str) -> tuple[int, int] | None:
        """The ids of a link for another password, and of the applicant it was mailed to."""
        return await owner_of_link(connection, token, "reset", self.clock())

    async def username(self, connection: AsyncConnection, applicant_id: int) -> str:
        """The username of an account."""
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_CONTEXT, applicant_id)
        return str(row["username"])

    async def fault(self, applicant_id: int, password: str) -> PasswordFault | None:
        """What is wrong with a normalised password that this applicant wants."""
        async with self.outbox.engine.connect() as connection:
            driver = await driver_connection(connection)
            row = await driver.fetchrow(_CONTEXT, applicant_id)
        return await asyncio.to_thread(fault, password, _expected_of(row))

    async def is_current(self, applicant_id: int, password: str) -> bool:
        """Whether this is the password of the account now."""
        async with self.outbox.engine.connect() as connection:
            driver = await driver_connection(connection)
            stored = await driver.fetchval(_HASH, applicant_id)
        (right,) = await self.checker.matches(password, (stored,))
        return right

    async def hash(self, password: str) -> str:
        """A password as it is kept. It takes a while, and no connection is to wait for it."""
        return await self.checker.hash(password)

    async def change(
        self, transaction: Transaction, applicant: Applicant, session: Session, hashed: str
    ) -> Session:
        """Make the password of `hashed` the account's, and tell its owner. The session goes on
        under a new token; all others are over."""
        connection = transaction.connection
        await self._choose(transaction, applicant.id, hashed)
        await self.sessions.end_others(connection, applicant.participant_id, session)
        return await self.sessions.rotate(connection, session, Stage.APPLICANT, None)

    async def reset(self, link: tuple[int, int], hashed: str, network: str) -> bool:
        """The same by a link, which is used up: every session and every lock is over. Whether the
        link still worked."""
        link_id, applicant_id = link
        async with self.outbox.transaction() as transaction:
            connection = transaction.connection
            driver = await driver_connection(connection)
            participant_id = await driver.fetchval(_LOCK, applicant_id)
            if not await use_link(connection, link_id, self.clock()):
                return False
            await self._choose(transaction, applicant_id, hashed)
            await self.sessions.end_others(connection, participant_id)
            await self.sign_in.unlock(connection, applicant_id)
            actor = f"participant:{participant_id}"
            entry = Entry(actor, "password.reset", participant_id, {}, network)
            await self.audit.append(connection, entry)
        return True

    async def _choose(self, transaction: Transaction, applicant_id: int, hashed: str) -> None:
        driver = await driver_connection(transaction.connection)
        await driver.execute(_CHOOSE, applicant_id, hashed)
        await tell_password_changed(transaction, applicant_id, self.clock())


def _expected_of(row: Any) -> list[str]:
    email = (row["fields"] or {}).get("email", "")
    return [row["username"], *row["names"].split("\n"), email.partition("@")[0]]
