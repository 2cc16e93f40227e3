"""Mail addresses of the caseload, checked by the mail room's rules when they are read in and again
whenever one is to be written to."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.caseload.loading import Connection
from engine.caseload.personal import FIELDS, NAME
from engine.mail.addresses.checking import WINDOW_LINES, Checked, check
from engine.mail.addresses.fields import MailAddress

ADDRESS_COLUMNS: Final = f"""
    {NAME} AS name, {FIELDS} AS fields, confidential, substitute,
    returned_at IS NOT NULL AS returned
"""
"""What a query over `participant` and `contact_point` selects for `checked`."""

_AT_A_TIME: Final = 5_000
_UNSEEN: Final = f"""
    SELECT contact_point.id, {ADDRESS_COLUMNS}
    FROM contact_point JOIN participant ON participant.id = participant_id
    WHERE kind = 'mail' AND superseded_at IS NULL AND address_flags IS NULL
        AND contact_point.id > $1
    ORDER BY contact_point.id LIMIT {_AT_A_TIME}
"""  # noqa: S608  every name in it is written in this module
_KEEP: Final = """
    UPDATE contact_point SET address_flags = told.flags
    FROM unnest($1::bigint[], $2::text[]) AS told (id, flags) WHERE contact_point.id = told.id
"""


def checked(row: Mapping[str, Any], *, window_lines: int = WINDOW_LINES) -> Checked:
    """The address in a row of `ADDRESS_COLUMNS`, as it would print, and why a letter is held."""
    fields = row["fields"]
    return check(
        MailAddress(
            name=row["name"],
            urbanization=fields.get("urbanization", ""),
            addr1=fields["addr1"],
            addr2=fields.get("addr2", ""),
            city=fields["city"],
            state=fields["state"],
            zip5=fields["zip5"],
            zip4=fields.get("zip4", ""),
        ),
        lines=window_lines,
        confidential=row["confidential"],
        substitute=row["substitute"],
        returned_before=row["returned"],
    )


async def flag_new_addresses(connection: Connection, *, window_lines: int = WINDOW_LINES) -> None:
    """Look at every current mail address that has not been looked at, and keep its flags.

    To be called, inside its transaction, by whoever has written one. The flags that are kept are
    for reports: before a letter is sent its address is checked again. Memory is bounded.
    """
    last = 0
    while rows := await connection.fetch(_UNSEEN, last):
        await _keep(connection, rows, window_lines)
        last = rows[-1]["id"]


async def _keep(connection: Connection, rows: Sequence[Mapping[str, Any]], lines: int) -> None:
    flags = [" ".join(checked(row, window_lines=lines).flags) for row in rows]
    await connection.execute(_KEEP, [row["id"] for row in rows], flags)
