"""Where a participant can be reached now: read at the moment of sending, never from a snapshot."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.addresses import ADDRESS_COLUMNS, checked
from engine.caseload.desks import counties_of
from engine.communications.ports import EmailAddress, PostalAddress, Unreachable
from engine.database import driver_connection
from engine.mail.addresses.checking import WINDOW_LINES

_EMAIL = """
SELECT participant.id, email, safe_to_use, bounced_at IS NOT NULL AS bounced
FROM participant
LEFT JOIN contact_point ON participant_id = participant.id AND kind = 'email'
     AND superseded_at IS NULL
WHERE participant.id = ANY($1::bigint[])
"""
# A confidential participant is written to at the substitute address alone (Cal. Gov. Code 6207).
_MAIL = f"""
SELECT participant.id, large_print, contact_point.id AS contact_point, {ADDRESS_COLUMNS},
       safe_to_use, bounced_at IS NOT NULL AS bounced
FROM participant
LEFT JOIN contact_point ON participant_id = participant.id AND kind = 'mail'
     AND superseded_at IS NULL AND substitute = confidential
WHERE participant.id = ANY($1::bigint[])
"""  # noqa: S608  every name in it is written in this room
_RETURNED = """
UPDATE contact_point SET returned_at = coalesce(returned_at, $2) WHERE id = ANY($1::bigint[])
"""


class CaseloadRecipients:
    """Answers from the contact points: current ones, that are safe to use and have not bounced.

    A mail address is checked each time by the rules of that day; the flags kept at intake are for
    reports. `window_lines` is how many lines the envelope's window holds.
    """

    def __init__(self, *, window_lines: int = WINDOW_LINES) -> None:
        self._window_lines = window_lines

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
        counties = await counties_of(connection, participants)
        return {row["id"]: _mail(row, self._window_lines, counties.get(row["id"])) for row in rows}

    async def returned(
        self, connection: AsyncConnection, contact_points: Collection[int], at: datetime
    ) -> None:
        """Letters to these came back at `at`: nothing more is posted there."""
        driver = await driver_connection(connection)
        await driver.execute(_RETURNED, list(contact_points), at)


def _email(row: Any) -> EmailAddress | Unreachable:
    if row["email"] is None:
        return Unreachable("no_email_on_file")
    return _usable(row) or EmailAddress(row["email"])


def _mail(row: Any, window_lines: int, county: str | None) -> PostalAddress | Unreachable:
    if row["addr1"] is None:
        confidential = row["confidential"]
        return Unreachable("no_substitute_address" if confidential else "no_address_on_file")
    return (
        _usable(row)
        or _unfit(row, window_lines)
        or PostalAddress(
            name=row["name"],
            addr1=row["addr1"],
            addr2=row["addr2"] or "",
            urbanization=row["urbanization"] or "",
            city=row["city"],
            state=row["state"],
            zip5=row["zip5"],
            zip4=row["zip4"] or "",
            confidential=row["confidential"],
            contact_point=row["contact_point"],
            large_print=row["large_print"],
            # An envelope must not tell where the case of a protected reader is.
            county=None if row["confidential"] else county,
        )
    )


def _unfit(row: Any, window_lines: int) -> Unreachable | None:
    """Why a letter there is held, in the contract's words; of several, that it came back."""
    flags = checked(row, window_lines=window_lines).flags
    if not flags:
        return None
    return Unreachable("RETURNED_BEFORE" if row["returned"] else flags[0])


def _usable(row: Any) -> Unreachable | None:
    if not row["safe_to_use"]:
        return Unreachable("not_safe_to_use")
    if row["bounced"]:
        return Unreachable("bounced_before")
    return None
