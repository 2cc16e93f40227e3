"""By which way an applicant hears from us: only by one that they said is safe.

Whoever is protected is written to at the safe address they gave, which is kept as a substitute
address is: letters go there and nowhere else (see `engine.caseload.recipients`).
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.applications import records
from engine.caseload.notices import HAS_EMAIL
from engine.caseload.personal import CONTACT, contact
from engine.database import driver_connection
from engine.security.sealed_columns import box_of, fingerprint_of, key_of

_HAS_EMAIL: Final = f"SELECT external_id, {HAS_EMAIL} AS has_email FROM participant WHERE id = $1"  # noqa: S608  joined from constants of ours
_SUPERSEDE: Final = """
UPDATE contact_point SET superseded_at = $2
WHERE participant_id = $1 AND kind = 'mail' AND superseded_at IS NULL
"""
_ADD: Final = f"""
INSERT INTO contact_point (participant_id, kind, substitute, sealed, sealed_key_id, fingerprint,
                           safe_to_use, changed_by, own_answer, created_at,
                           {CONTACT.plain_columns()})
VALUES ($1, 'mail', $2, {box_of("$3::json")}, {key_of("$3::json")}, {fingerprint_of("$3::json")},
        $4, 'participant', true, $5, {CONTACT.plain_values("$3::json")})
"""  # noqa: S608  likewise


class Way(StrEnum):
    """How the notice goes; the confirmation page says so."""

    EMAIL = "email"
    MAIL = "mail"
    NONE = "none"
    """No way is safe: nothing is sent until a caseworker has found one."""


async def keep_address(
    connection: AsyncConnection, participant_id: int, record: records.Application, now: datetime
) -> None:
    """Where letters go from now on is what this application says."""
    address = record.safety.safe_address if record.confidential else record.applicant.address
    driver = await driver_connection(connection)
    await driver.execute(_SUPERSEDE, participant_id, now)
    if address is None:
        return
    number = await driver.fetchval(
        "SELECT external_id FROM participant WHERE id = $1", participant_id
    )
    fields = {name: value or "" for name, value in address.model_dump().items()}
    await driver.execute(
        _ADD,
        participant_id,
        record.confidential,
        contact(number, "mail", fields, substitute=record.confidential),
        _mail_is_safe(record),
        now,
    )


async def way_to(
    connection: AsyncConnection, participant_id: int, record: records.Application
) -> Way:
    """By which way an applicant is told of their application."""
    driver = await driver_connection(connection)
    reader = await driver.fetchrow(_HAS_EMAIL, participant_id)
    if reader["has_email"] and record.safety.email_safe == "yes":
        return Way.EMAIL
    return Way.MAIL if _mail_is_safe(record) else Way.NONE


def _mail_is_safe(record: records.Application) -> bool:
    if record.confidential:
        return record.safety.safe_address is not None
    address = record.applicant.address
    return address is not None and address.address_safe == "yes"
