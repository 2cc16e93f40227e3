"""What the owner of an account is told of it, by email alone; and the links in some of it."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.personal import NAME
from engine.clock import pacific_date
from engine.communications.catalogue import APPLICANT_ACCOUNT, ApplicantAccountFacts, Channel
from engine.communications.outbox import Obligation, Transaction
from engine.communications.routing import in_order
from engine.database import driver_connection

Purpose = Literal["confirm", "reset"]
LINKS_WORK_FOR: Final = {"confirm": timedelta(hours=24), "reset": timedelta(hours=1)}
"""A confirmation may wait for the evening; with the other link an account is taken over."""

_READER: Final = f"""
SELECT applicant.id, participant_id, language, {NAME} AS name
FROM applicant JOIN participant ON participant.id = participant_id WHERE applicant.id = $1
"""  # noqa: S608  joined from constants of ours
_MAKE: Final = """
INSERT INTO applicant_link (applicant_id, purpose, token_hash, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5)
"""
_VOID: Final = """
UPDATE applicant_link SET used_at = $3
WHERE applicant_id = $1 AND purpose = $2 AND used_at IS NULL
"""
_LIVE: Final = """
SELECT id, applicant_id FROM applicant_link
WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3
"""
_USE: Final = """
UPDATE applicant_link SET used_at = $2 WHERE id = $1 AND used_at IS NULL RETURNING true
"""


async def send_link(
    transaction: Transaction, applicant_id: int, purpose: Purpose, now: datetime
) -> None:
    """Owe the mail with a link; older ones for the same purpose are void."""
    driver = await driver_connection(transaction.connection)
    lives, token = LINKS_WORK_FOR[purpose], secrets.token_urlsafe(32)
    await driver.execute(_VOID, applicant_id, purpose, now)
    await driver.execute(_MAKE, applicant_id, purpose, _hashed(token), now, now + lives)
    key = f"applicant_{purpose}:{applicant_id}:{now.timestamp():.6f}"
    hours = int(lives.total_seconds() // 3600)
    await _owe(transaction, applicant_id, key, now, what=purpose, token=token, hours=hours)


async def tell_password_changed(transaction: Transaction, applicant_id: int, now: datetime) -> None:
    """Owe word that another password was chosen."""
    key = f"applicant_password:{applicant_id}:{now.timestamp():.6f}"
    await _owe(transaction, applicant_id, key, now, what="password")


async def tell_locked(transaction: Transaction, applicant_id: int, now: datetime) -> None:
    """Owe word that sign-in is paused, once a day."""
    key = f"applicant_locked:{applicant_id}:{pacific_date(now)}"
    await _owe(transaction, applicant_id, key, now, what="locked")


async def owner_of_link(
    connection: AsyncConnection, token: str, purpose: Purpose, now: datetime
) -> tuple[int, int] | None:
    """The ids of a link that still works and of its applicant; None for any other token."""
    driver = await driver_connection(connection)
    row = await driver.fetchrow(_LIVE, _hashed(token), purpose, now)
    return None if row is None else (row["id"], row["applicant_id"])


async def use_link(connection: AsyncConnection, link_id: int, now: datetime) -> bool:
    """Whether the link had not been used: it works once."""
    driver = await driver_connection(connection)
    return bool(await driver.fetchval(_USE, link_id, now))


async def _owe(
    transaction: Transaction, applicant_id: int, key: str, now: datetime, **facts: Any
) -> None:
    driver = await driver_connection(transaction.connection)
    reader = await driver.fetchrow(_READER, applicant_id)
    await transaction.record(
        Obligation(
            key=key,
            notice=APPLICANT_ACCOUNT,
            participant_id=reader["participant_id"],
            language=reader["language"],
            facts=ApplicantAccountFacts(name=reader["name"], happened_at=now, **facts),
            route=in_order(Channel.EMAIL),
            requested_at=now,
        )
    )


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
