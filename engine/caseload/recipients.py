"""Where a participant can be reached now: read at the moment of sending, never from a snapshot."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.ports import EmailAddress, PostalAddress, Unreachable
from engine.database import driver_connection

_EMAIL = """
SELECT participant.id, email, safe_to_use, bounced_at IS NOT NULL AS bounced
FROM participant
LEFT JOIN contact_point ON participant_id = participant.id AND kind = 'email'
     AND superseded_at IS NULL
WHERE participant.id = ANY($1::bigint[])
"""
# A confidential participant is written to at the substitute address alone (Cal. Gov. Code 6207).
_MAIL = """
SELECT participant.id, first_name || ' ' || last_name AS name, confidential, addr1, addr2,
       urbanization, city, state, zip5, zip4, safe_to_use, bounced_at IS NOT NULL AS bounced
FROM participant
LEFT JOIN contact_point ON participant_id = participant.id AND kind = 'mail'
     AND superseded_at IS NULL AND substitute = confidential
WHERE participant.id = ANY($1::bigint[])
"""


class CaseloadRecipients:
    """Answers from the contact points: current ones, that are safe to use and have not bounced."""

    async def email(
        self, connection: AsyncConnection, participants: Collection[int]
    ) -> Mapping[int, EmailAddress | Unreachable]:
        """The email address of each participant, or why none may be used."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_EMAIL, list(participants))
        return {row["id"]: _email(row) for row in rows}

    async def mail(
        self, connection: AsyncConnection, participants: Collection[int]
    ) -> Mapping[int, PostalAddress | Unreachable]:
        """The mail address of each participant, or why none may be used."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_MAIL, list(participants))
        return {row["id"]: _mail(row) for row in rows}


def _email(row: Any) -> EmailAddress | Unreachable:
    if row["email"] is None:
        return Unreachable("no_email_on_file")
    return _usable(row) or EmailAddress(row["email"])


def _mail(row: Any) -> PostalAddress | Unreachable:
    if row["addr1"] is None:
        confidential = row["confidential"]
        return Unreachable("no_substitute_address" if confidential else "no_address_on_file")
    return _usable(row) or PostalAddress(
        name=row["name"],
        addr1=row["addr1"],
        addr2=row["addr2"] or "",
        urbanization=row["urbanization"] or "",
        city=row["city"],
        state=row["state"],
        zip5=row["zip5"],
        zip4=row["zip4"] or "",
        confidential=row["confidential"],
    )


def _usable(row: Any) -> Unreachable | None:
    if not row["safe_to_use"]:
        return Unreachable("not_safe_to_use")
    if row["bounced"]:
        return Unreachable("bounced_before")
    return None
