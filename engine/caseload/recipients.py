"""Where a participant can be reached now: read at the moment of sending, never from a snapshot."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.addresses import ADDRESS_COLUMNS, checked
from engine.caseload.desks import counties_of
from engine.caseload.personal import FIELDS
from engine.clock import Clock, system_clock
from engine.communications.claims import Reader
from engine.communications.ports import EmailAddress, PostalAddress, Unreachable
from engine.database import driver_connection
from engine.mail.addresses.checking import WINDOW_LINES
from engine.security.sealed_columns import Unreadable

log: Final = structlog.get_logger()

# A contact point that is asked for by its number may be an old one; else the current one counts.
_ASKED = """
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS asked (participant, point, turn)
JOIN participant ON participant.id = asked.participant
LEFT JOIN contact_point ON contact_point.participant_id = participant.id
     AND CASE WHEN asked.point IS NULL THEN superseded_at IS NULL
         ELSE contact_point.id = asked.point END
"""
_STANDING = """
       safe_to_use, bounced_at IS NOT NULL AS bounced, superseded_at IS NOT NULL AS superseded,
       changed_by, told, contact_point.created_at, verified_at, vouched_at, turn
"""
_EMAIL = f"""
SELECT {FIELDS} AS fields, confidential, contact_point.id AS contact_point, {_STANDING}
{_ASKED} AND kind = 'email' ORDER BY turn
"""
# A confidential participant is written to at the substitute address alone (Cal. Gov. Code 6207).
_MAIL = f"""
SELECT participant.id, large_print, contact_point.id AS contact_point, {ADDRESS_COLUMNS},
       {_STANDING} {_ASKED} AND kind = 'mail' AND substitute = confidential ORDER BY turn
"""
_RETURNED = """
WITH suppressed AS (
    UPDATE contact_point SET returned_at = $2 WHERE id = ANY($1::bigint[]) AND returned_at IS NULL
    RETURNING id
)
INSERT INTO contact_suppression (contact_point_id, at, cause)
SELECT id, $2, 'returned' FROM suppressed
"""


@dataclass(frozen=True, slots=True)
class Cooling:
    """How long a contact point that a participant changed by themselves is not trusted with a
    secret: an email address after it was proved, a mail address after it was entered. One that no
    older contact was told of is not, however long it is, until a caseworker vouches for it."""

    email: timedelta = timedelta(hours=24)
    address: timedelta = timedelta(days=10)


class CaseloadRecipients:
    """Answers from the contact points: those that are safe to use and have not bounced.

    A mail address is checked each time by the rules of that day; the flags kept at intake are for
    reports. `window_lines` is how many lines the envelope's window holds.
    """

    def __init__(
        self,
        *,
        window_lines: int = WINDOW_LINES,
        cooling: Cooling | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._window_lines = window_lines
        self._cooling = cooling or Cooling()
        self._clock = clock

    async def email(
        self, connection: AsyncConnection, readers: Collection[Reader]
    ) -> Mapping[Reader, EmailAddress | Unreachable]:
        """The email address of each reader, or why none may be used."""
        asked = list(readers)
        driver = await driver_connection(connection)
        rows = await driver.fetch(_EMAIL, *_columns(asked))
        return {reader: self._email(row, reader) for reader, row in zip(asked, rows, strict=True)}

    async def mail(
        self, connection: AsyncConnection, readers: Collection[Reader]
    ) -> Mapping[Reader, PostalAddress | Unreachable]:
        """The mail address of each reader, or why none may be used."""
        asked = list(readers)
        driver = await driver_connection(connection)
        rows = await driver.fetch(_MAIL, *_columns(asked))
        counties = await counties_of(connection, {reader.participant_id for reader in asked})
        return {
            reader: self._mail(row, reader, counties.get(row["id"]))
            for reader, row in zip(asked, rows, strict=True)
        }

    async def returned(
        self, connection: AsyncConnection, contact_points: Collection[int], at: datetime
    ) -> None:
        """Letters to these came back at `at`: nothing more is posted there."""
        driver = await driver_connection(connection)
        await driver.execute(_RETURNED, list(contact_points), at)

    def _email(self, row: Any, reader: Reader) -> EmailAddress | Unreachable:
        fields = row["fields"]
        if fields is None:
            return Unreachable("no_email_on_file")
        if isinstance(fields, Unreadable):
            return _unreadable(row, fields)
        return (
            _usable(row)
            or self._untrusted_email(row, reader)
            or EmailAddress(fields["email"], row["contact_point"])
        )

    def _untrusted_email(self, row: Any, reader: Reader) -> Unreachable | None:
        if not reader.secret or row["changed_by"] != "participant" or row["vouched_at"]:
            return None
        if not row["told"]:
            return Unreachable("email_untold")
        if row["verified_at"] is None:
            return Unreachable("email_not_confirmed")
        if row["verified_at"] > self._clock() - self._cooling.email:
            return Unreachable("email_too_new")
        return None

    def _mail(self, row: Any, reader: Reader, county: str | None) -> PostalAddress | Unreachable:
        fields = row["fields"]
        if fields is None:
            confidential = row["confidential"]
            return Unreachable("no_substitute_address" if confidential else "no_address_on_file")
        if isinstance(unopened := row["name"], Unreadable) or isinstance(
            unopened := fields, Unreadable
        ):
            return _unreadable(row, unopened)
        return (
            _usable(row)
            or _unfit(row, self._window_lines)
            or self._untrusted_address(row, reader)
            or PostalAddress(
                name=row["name"],
                addr1=fields["addr1"],
                addr2=fields.get("addr2", ""),
                urbanization=fields.get("urbanization", ""),
                city=fields["city"],
                state=fields["state"],
                zip5=fields["zip5"],
                zip4=fields.get("zip4", ""),
                confidential=row["confidential"],
                contact_point=row["contact_point"],
                large_print=row["large_print"],
                # An envelope must not tell where the case of a protected reader is.
                county=None if row["confidential"] else county,
            )
        )

    def _untrusted_address(self, row: Any, reader: Reader) -> Unreachable | None:
        """A new address is given time: whoever was signed in for a moment must not have the next
        PIN sent to a place of their own. A caseworker may vouch for it."""
        if not reader.secret or row["changed_by"] != "participant" or row["vouched_at"]:
            return None
        if not row["told"]:
            return Unreachable("address_untold")
        if row["created_at"] > self._clock() - self._cooling.address:
            return Unreachable("address_too_new")
        return None


def _columns(asked: Sequence[Reader]) -> tuple[list[int], list[int | None]]:
    return [reader.participant_id for reader in asked], [reader.contact_point for reader in asked]


def _unreadable(row: Any, unopened: Unreadable) -> Unreachable:
    """What was altered, or sealed under a key that is gone, is as good as no address."""
    log.error("contact_unreadable", contact_point=row["contact_point"], why=str(unopened.why))
    return Unreachable("unreadable")


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
    if row["superseded"] and row["confidential"]:
        # Whoever lives there now may be whom they fled from.
        return Unreachable("old_contact_of_confidential")
    return None
