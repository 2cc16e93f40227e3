"""Accounts of those who apply: who they are, and how an account comes to be.

Registering takes down what was typed, the same for everybody: neither a username nor an email
address is looked up. The link that is mailed, and the password typed again at its page, prove that
whoever registered reads that mailbox; only then is anything said of what is taken.
"""

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import uuid4

from asyncpg.exceptions import UniqueViolationError
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.applications.account_notices import owner_of_link, send_link, use_link
from engine.applications.personal import username as sealed_username
from engine.caseload.personal import CONTACT, NAMES, contact, names
from engine.clock import Clock
from engine.communications.outbox import Outbox
from engine.database import driver_connection
from engine.i18n import Language
from engine.security.audit import Audit, Entry
from engine.security.pin_checking import PinChecker
from engine.security.sealed_columns import box_of, fingerprint_of, key_of
from engine.security.sessions import Session, Sessions, Stage
from engine.security.tokens import derive_tag

NUMBER_PREFIX: Final = "applicant"
"""How the number of an applicant's participant row begins: no case system has such numbers, and no
form takes one."""

_OF: Final = """
SELECT applicant.id, participant.language FROM applicant
JOIN participant ON participant.id = participant_id WHERE participant_id = $1
"""
_PARTICIPANT: Final = f"""
INSERT INTO participant (external_id, language, sealed_name, name_key_id, name_fingerprint,
                         {NAMES.plain_columns()})
VALUES ($1, $2, {box_of("$3::json")}, {key_of("$3::json")}, {fingerprint_of("$3::json")},
        {NAMES.plain_values("$3::json")})
RETURNING id
"""  # noqa: S608  joined from constants of ours
_EMAIL: Final = f"""
INSERT INTO contact_point (participant_id, kind, sealed, sealed_key_id, fingerprint, changed_by,
                           own_answer, created_at, {CONTACT.plain_columns()})
VALUES ($1, 'email', {box_of("$2::json")}, {key_of("$2::json")}, {fingerprint_of("$2::json")},
        'participant', true, $3, {CONTACT.plain_values("$2::json")})
"""  # noqa: S608  likewise
_ACCOUNT: Final = f"""
INSERT INTO applicant (participant_id, username_tag, sealed_username, username_key_id, email_tag,
                       password_hash, registered_at, seen_at)
VALUES ($1, $2, {box_of("$3::json")}, {key_of("$3::json")}, $4, $5, $6, $6) RETURNING id
"""  # noqa: S608  likewise
_WAITING: Final = """
SELECT participant_id, username_tag, email_tag, password_hash FROM applicant
WHERE id = $1 AND confirmed_at IS NULL
"""
_TAKEN: Final = """
SELECT EXISTS (SELECT FROM applicant WHERE email_tag = $1 AND confirmed_at IS NOT NULL) AS email,
       EXISTS (SELECT FROM applicant WHERE username_tag = $2 AND confirmed_at IS NOT NULL)
       AS username
"""
_LOCK: Final = "SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE"
_RENAME: Final = f"""
UPDATE applicant SET username_tag = $2, sealed_username = {box_of("$3::json")},
       username_key_id = {key_of("$3::json")}
WHERE id = $1
"""  # noqa: S608  likewise
_CONFIRM: Final = "UPDATE applicant SET confirmed_at = $2, seen_at = $2 WHERE id = $1"
_PROVED: Final = """
UPDATE contact_point SET verified_at = $2
WHERE participant_id = $1 AND kind = 'email' AND superseded_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who applies, under an account that was confirmed; notices to them go to
    `participant_id`."""

    id: int
    participant_id: int
    language: Language


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody typed who wants an account, read and found good."""

    first_name: str
    last_name: str
    username: str
    email: str
    password: str = field(repr=False)


class NotConfirmed(StrEnum):
    """Why a link did not confirm an account."""

    DEAD = "dead"
    """It was used, is too old, or none of ours."""
    WRONG = "wrong"
    """The password is not the one that was chosen."""
    HAS_ACCOUNT = "has_account"
    """The address belongs to an account already."""
    USERNAME_TAKEN = "username_taken"


async def applicant_of(connection: AsyncConnection, participant_id: int) -> Applicant:
    """The applicant whose session it is."""
    driver = await driver_connection(connection)
    row = await driver.fetchrow(_OF, participant_id)
    return Applicant(row["id"], participant_id, row["language"])


def folded(name: str) -> str:
    """A username or an email address as it is compared: width, case and composition do not tell
    two apart (RFC 8265, 3.3)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


@dataclass(frozen=True, slots=True)
class AccountTags:
    """The keyed tags by which accounts are looked up."""

    key: bytes

    def username(self, name: str) -> str:
        """The tag of a username."""
        return derive_tag(self.key, "applicant.username", folded(name), 32)

    def email(self, address: str) -> str:
        """The tag of an email address."""
        return derive_tag(self.key, "applicant.email", folded(address), 32)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Opens accounts."""

    outbox: Outbox
    checker: PinChecker
    sessions: Sessions
    audit: Audit
    tags: AccountTags
    clock: Clock

    async def register(self, form: Registration, language: Language, network: str) -> None:
        """Take an account down, which waits for the link that is mailed."""
        hashed = await self.checker.hash(form.password)
        now, number = self.clock(), f"{NUMBER_PREFIX}-{uuid4().hex}"
        async with self.outbox.transaction() as transaction:
            driver = await driver_connection(transaction.connection)
            named = names(number, form.first_name, form.last_name)
            participant = await driver.fetchval(_PARTICIPANT, number, language, named)
            address = contact(number, "email", {"email": form.email})
            await driver.execute(_EMAIL, participant, address, now)
            applicant = await driver.fetchval(
                _ACCOUNT,
                participant,
                self.tags.username(form.username),
                sealed_username(participant, form.username),
                self.tags.email(form.email),
                hashed,
                now,
            )
            await send_link(transaction, applicant, "confirm", now)
            await self._say(transaction.connection, participant, "applicant.registered", network)

    async def waiting(self, connection: AsyncConnection, token: str) -> bool:
        """Whether an account waits for this link."""
        return await owner_of_link(connection, token, "confirm", self.clock()) is not None

    async def confirm(
        self, token: str, password: str, username: str | None, network: str
    ) -> Session | NotConfirmed:
        """Confirm the account that waits for `token`, under another `username` where one is given,
        and let its owner in."""
        async with self.outbox.engine.connect() as connection:
            found = await owner_of_link(connection, token, "confirm", self.clock())
            driver = await driver_connection(connection)
            row = await driver.fetchrow(_WAITING, found[1] if found else None)
        (right,) = await self.checker.matches(password, (row and row["password_hash"],))
        if found is None or row is None:
            return NotConfirmed.DEAD
        if not right:
            return NotConfirmed.WRONG
        tag = self.tags.username(username) if username else row["username_tag"]
        try:
            return await self._confirmed(found, row["participant_id"], tag, username, network)
        except UniqueViolationError:
            return NotConfirmed.USERNAME_TAKEN

    async def _confirmed(
        self,
        found: tuple[int, int],
        participant_id: int,
        username_tag: str,
        username: str | None,
        network: str,
    ) -> Session | NotConfirmed:
        link, applicant = found
        now = self.clock()
        async with self.outbox.transaction() as transaction:
            connection = transaction.connection
            driver = await driver_connection(connection)
            await driver.execute(_LOCK, participant_id)
            row = await driver.fetchrow(_WAITING, applicant)
            if row is None:
                return NotConfirmed.DEAD
            taken = await driver.fetchrow(_TAKEN, row["email_tag"], username_tag)
            if taken["email"]:
                return NotConfirmed.HAS_ACCOUNT
            if taken["username"]:
                return NotConfirmed.USERNAME_TAKEN
            if not await use_link(connection, link, now):
                return NotConfirmed.DEAD
            if username:
                sealed = sealed_username(participant_id, username)
                await driver.execute(_RENAME, applicant, username_tag, sealed)
            await driver.execute(_CONFIRM, applicant, now)
            await driver.execute(_PROVED, participant_id, now)
            await self._say(connection, participant_id, "applicant.confirmed", network)
            return await self.sessions.open(connection, participant_id, Stage.APPLICANT)

    async def _say(
        self, connection: AsyncConnection, participant_id: int, act: str, network: str
    ) -> None:
        actor = f"participant:{participant_id}"
        await self.audit.append(connection, Entry(actor, act, participant_id, {}, network))
