"""What is on file of a participant, for their own eyes."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.personal import FIELDS, LINE_FIELDS, NAME
from engine.caseload.reminder_choices import WANTED
from engine.database import driver_connection
from engine.i18n import Language

_READER: Final = f"""
SELECT {NAME} AS name, external_id, language, paperless, confidential,
       {WANTED} AS reminders
FROM participant WHERE id = $1
"""  # noqa: S608  joined from a constant of ours
_CONTACTS: Final = f"""
SELECT id, kind, {FIELDS} AS fields, substitute, safe_to_use, changed_by, verified_at, created_at,
       vouched_at, bounced_at IS NOT NULL AS bounced, returned_at IS NOT NULL AS returned
FROM contact_point WHERE participant_id = $1 AND superseded_at IS NULL
"""  # noqa: S608  joined from constants of ours
_NORTH_AMERICAN: Final = re.compile(r"\+1([0-9]{3})([0-9]{3})([0-9]{4})")


@dataclass(frozen=True, slots=True)
class Contact:
    """One current contact point. `lines` is its value as it is shown; `fields` as it is typed."""

    id: int
    kind: str
    lines: tuple[str, ...]
    fields: dict[str, str]
    safe: bool
    own_change: bool
    verified_at: datetime | None
    created_at: datetime
    vouched: bool
    bounced: bool
    returned: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """The participant, and how they are reached. A protected one is shown no mailing address: the
    substitute address is the programme's, and any other must not be read over a shoulder.
    `reminders` says whether they want those of appointments by email."""

    name: str
    participant_number: str
    language: Language
    paperless: bool
    confidential: bool
    reminders: bool
    email: Contact | None
    mail: Contact | None
    phone: Contact | None


async def profile_of(connection: AsyncConnection, participant_id: int) -> Profile:
    """What is on file now, in two statements."""
    driver = await driver_connection(connection)
    reader = await driver.fetchrow(_READER, participant_id)
    rows = await driver.fetch(_CONTACTS, participant_id)
    shown = {
        row["kind"]: _contact(row)
        for row in rows
        if row["kind"] != "mail" or not (reader["confidential"] or row["substitute"])
    }
    return Profile(
        name=reader["name"],
        participant_number=reader["external_id"],
        language=reader["language"],
        paperless=reader["paperless"],
        confidential=reader["confidential"],
        reminders=reader["reminders"],
        email=shown.get("email"),
        mail=shown.get("mail"),
        phone=shown.get("phone"),
    )


def phone_as_written(number: str) -> str:
    """A telephone number as people here write it, `(916) 555-0142`; one abroad stays as it is."""
    found = _NORTH_AMERICAN.fullmatch(number)
    return "({}) {}-{}".format(*found.groups()) if found else number


def _contact(row: Any) -> Contact:
    fields = dict.fromkeys(LINE_FIELDS, "") | row["fields"]
    zip_code = "-".join(filter(None, (fields["zip5"], fields["zip4"])))
    last = f"{fields['city']}, {fields['state']} {zip_code}" if row["kind"] == "mail" else None
    phone = phone_as_written(fields["phone"]) if fields["phone"] else None
    lines = (
        fields["email"], phone, fields["urbanization"], fields["addr1"], fields["addr2"], last,
    )  # fmt: skip
    return Contact(
        id=row["id"],
        kind=row["kind"],
        lines=tuple(filter(None, lines)),
        fields=fields,
        safe=row["safe_to_use"],
        own_change=row["changed_by"] == "participant",
        verified_at=row["verified_at"],
        created_at=row["created_at"],
        vouched=row["vouched_at"] is not None,
        bounced=row["bounced"],
        returned=row["returned"],
    )
