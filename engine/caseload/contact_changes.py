"""A participant changes how they are reached: the old contact stays as history, and both are told.

Whoever is signed in for a moment must not be able to take a participant's contacts over unseen:
that is why the old one is told too (unless it is not safe to use, or the participant is protected),
and why a new one is not trusted with a PIN at once.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.alerts import Changed, alert_at, security_alert
from engine.caseload.personal import CONTACT, FIELDS, NAME, contact
from engine.clock import Clock
from engine.communications.catalogue import CONFIRM_EMAIL, Channel, ConfirmEmailFacts
from engine.communications.outbox import Obligation, Transaction
from engine.communications.routing import in_order
from engine.database import driver_connection
from engine.security.sealed_columns import box_of, fingerprint_of, key_of

Kind = Literal["email", "mail", "phone"]
CONFIRM_WITHIN: Final = timedelta(hours=24)
_CHANGED: Final[Mapping[Kind, Changed]] = {"email": "email", "mail": "address", "phone": "phone"}

_LOCK: Final = f"""
SELECT confidential, language, external_id, {NAME} AS name
FROM participant WHERE id = $1 FOR NO KEY UPDATE
"""  # noqa: S608  joined from constants of ours
_CURRENT: Final = f"""
SELECT id, {FIELDS} AS fields, safe_to_use, bounced_at, returned_at, verified_at, changed_by, told
FROM contact_point
WHERE participant_id = $1 AND kind = $2 AND superseded_at IS NULL AND NOT substitute
"""  # noqa: S608  joined from constants of this module
# Where a participant is written to whose email is changed: a protected one at the substitute
# address alone.
_BESIDE: Final = """
SELECT contact_point.id, safe_to_use, bounced_at, returned_at, told
FROM contact_point JOIN participant ON participant.id = participant_id
WHERE participant_id = $1 AND kind = $2 AND superseded_at IS NULL AND substitute = confidential
"""
_SUPERSEDE: Final = """
UPDATE contact_point SET superseded_at = $2, safe_to_use = safe_to_use AND $3 WHERE id = $1
"""
_SAFE: Final = "UPDATE contact_point SET safe_to_use = $2, own_answer = true WHERE id = $1"
_ADD: Final = f"""
INSERT INTO contact_point (participant_id, kind, sealed, sealed_key_id, fingerprint, safe_to_use,
                           address_flags, changed_by, own_answer, created_at, told,
                           {CONTACT.plain_columns()})
VALUES ($1, $2, {box_of("$3::json")}, {key_of("$3::json")}, {fingerprint_of("$3::json")}, $4,
        $5, 'participant', true, $6, $7, {CONTACT.plain_values("$3::json")})
RETURNING id
"""  # noqa: S608  joined from constants of this module
_CONFIRMATION: Final = """
INSERT INTO email_confirmation (contact_point_id, token_hash, made_at, expires_at)
VALUES ($1, $2, $3, $4)
"""
_VOID: Final = """
UPDATE email_confirmation SET used_at = $2 WHERE contact_point_id = $1 AND used_at IS NULL
"""
_CONFIRM: Final = """
WITH used AS (
    UPDATE email_confirmation SET used_at = $2
    WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING contact_point_id
)
UPDATE contact_point SET verified_at = $2 FROM used
WHERE contact_point.id = used.contact_point_id AND superseded_at IS NULL
RETURNING participant_id
"""


class Made(StrEnum):
    """What came of a change."""

    UNCHANGED = "unchanged"
    """It was on file already."""
    CHANGED = "changed"
    TO_CONFIRM = "to_confirm"
    """Changed, and a link is on its way that proves the new email address."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a participant typed: the columns of one contact point, and whether it is safe to use.
    Without a value there is to be none of this kind. `flags` are those of a mail address. Whoever
    lives at the old one may be whom the participant fled from: with `tell_old` false nothing is
    sent there, now or later."""

    kind: Kind
    values: Mapping[str, str | None]
    safe: bool
    flags: str | None = None
    tell_old: bool = True

    @property
    def empty(self) -> bool:
        """Whether nothing is to be on file."""
        return not any(self.values.values())


@dataclass(frozen=True, slots=True)
class ContactChanges:
    """Makes changes, in the transaction of the act that asks for them."""

    clock: Clock

    async def make(
        self, transaction: Transaction, participant_id: int, change: Change, key: str
    ) -> Made:
        """Make `change`, and owe its alerts under `key`."""
        driver = await driver_connection(transaction.connection)
        reader = await driver.fetchrow(_LOCK, participant_id)
        current = await driver.fetchrow(_CURRENT, participant_id, change.kind)
        work = _Work(transaction, participant_id, key, reader, self.clock())
        if _same(current, change):
            if current is None or current["safe_to_use"] == change.safe:
                return Made.UNCHANGED
            await driver.execute(_SAFE, current["id"], change.safe)
            unproved = current["changed_by"] == "participant" and current["verified_at"] is None
            point = current["id"] if unproved else None
        else:
            point = await self._replace(work, change, current)
        made = Made.CHANGED
        if point is not None and change.kind == "email" and change.safe:
            await self._ask(work, point)
            made = Made.TO_CONFIRM
        what = _CHANGED[change.kind]
        await security_alert(transaction, participant_id, what, f"{key}:new", work.now)
        return made

    async def ask_again(self, transaction: Transaction, participant_id: int, key: str) -> bool:
        """Send the link that confirms the current email address once more; whether there is one
        that wants confirming."""
        driver = await driver_connection(transaction.connection)
        reader = await driver.fetchrow(_LOCK, participant_id)
        current = await driver.fetchrow(
            "SELECT id FROM contact_point WHERE participant_id = $1 AND kind = 'email'"
            " AND superseded_at IS NULL AND verified_at IS NULL AND safe_to_use",
            participant_id,
        )
        if current is None:
            return False
        work = _Work(transaction, participant_id, key, reader, self.clock())
        await self._ask(work, current["id"])
        return True

    async def confirm(self, connection: AsyncConnection, token: str) -> int | None:
        """The address that `token` was sent to is proved; whose it is, or None where the token is
        used, too old, of an address that was changed since, or none of ours."""
        driver = await driver_connection(connection)
        owner: int | None = await driver.fetchval(_CONFIRM, _hashed(token), self.clock())
        return owner

    async def _replace(self, work: "_Work", change: Change, current: Any) -> int | None:
        """The new contact point, if there is to be one."""
        driver = await driver_connection(work.transaction.connection)
        told = await self._told(work, change, current)
        if current is not None:
            await driver.execute(_SUPERSEDE, current["id"], work.now, change.tell_old)
        if change.empty:
            return None
        added: int = await driver.fetchval(
            _ADD,
            work.participant_id,
            change.kind,
            contact(work.reader["external_id"], change.kind, change.values),
            change.safe,
            change.flags,
            work.now,
            told,
        )
        return added

    async def _told(self, work: "_Work", change: Change, current: Any) -> bool:
        """Tell an older contact of the change: the one that is replaced, or else the other one
        there is. Whether one was told that somebody knew of in their turn: whoever is signed in for
        a moment could otherwise have a PIN sent to a place of their own, and nobody would know."""
        if change.kind == "phone":
            return True
        confidential = work.reader["confidential"]
        if current and change.tell_old and not confidential and _reachable(current):
            await work.alert(change, "old", current["id"], Channel(change.kind))
            if current["told"]:
                return True
        driver = await driver_connection(work.transaction.connection)
        other = "mail" if change.kind == "email" else "email"
        beside = await driver.fetchrow(_BESIDE, work.participant_id, other)
        if beside is None or not _reachable(beside):
            return False
        if change.kind == "email":
            await work.alert(change, "beside", beside["id"], Channel.MAIL)
        # Of a new mail address the email on file is told anyway, by the ordinary alert.
        return bool(beside["told"])

    async def _ask(self, work: "_Work", point: int) -> None:
        """Owe the mail with the link that proves an address; older links are void."""
        driver = await driver_connection(work.transaction.connection)
        now, token = work.now, secrets.token_urlsafe(32)
        await driver.execute(_VOID, point, now)
        await driver.execute(_CONFIRMATION, point, _hashed(token), now, now + CONFIRM_WITHIN)
        await work.transaction.record(
            Obligation(
                key=f"confirm_email:{work.key}",
                notice=CONFIRM_EMAIL,
                participant_id=work.participant_id,
                language=work.reader["language"],
                facts=ConfirmEmailFacts(
                    name=work.reader["name"],
                    token=token,
                    hours=int(CONFIRM_WITHIN.total_seconds() // 3600),
                ),
                route=in_order(Channel.EMAIL),
                requested_at=now,
                contact_point=point,
            )
        )


@dataclass(frozen=True, slots=True)
class _Work:
    """One change under way: whose it is, what is known of them, and the key of its notices."""

    transaction: Transaction
    participant_id: int
    key: str
    reader: Any
    now: datetime

    async def alert(self, change: Change, which: str, point: int, channel: Channel) -> None:
        """Owe an alert at one contact point."""
        await alert_at(
            self.transaction,
            self.participant_id,
            _CHANGED[change.kind],
            f"{self.key}:{which}",
            self.now,
            contact_point=point,
            channel=channel,
        )


def _same(current: Any, change: Change) -> bool:
    """Whether it is on file already, and works: one that bounced may be entered anew."""
    if current is None:
        return change.empty
    if current["bounced_at"] or current["returned_at"]:
        return False
    filled = {name: value for name, value in change.values.items() if value}
    return bool(current["fields"] == filled)


def _reachable(contact: Any) -> bool:
    return (
        contact["safe_to_use"] and contact["bounced_at"] is None and contact["returned_at"] is None
    )


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
