"""Invented participants by the hundred thousand, each with an email address, sealed as they are
at rest."""

from collections.abc import Iterator
from typing import Final

from engine.bootstrap import Application
from engine.caseload.personal import contact, names
from engine.database import driver_connection
from engine.security.sealed_columns import Personal, box_of, fingerprint_of, key_of

FIRST_NAME: Final = "Ana"
LAST_NAME: Final = "Sample"
_AT_ONCE: Final = 50_000
_STAGE: Final = """
CREATE TEMPORARY TABLE made (number text, name json, contact json, language text, paperless boolean)
ON COMMIT DROP
"""
_ADD: Final = f"""
INSERT INTO participant (external_id, sealed_name, name_key_id, name_fingerprint, language,
                         paperless)
SELECT number, {box_of("name")}, {key_of("name")}, {fingerprint_of("name")}, language, paperless
FROM made ORDER BY number
"""  # noqa: S608  joined from constants of ours
_ADD_CONTACTS: Final = f"""
INSERT INTO contact_point (participant_id, kind, sealed, sealed_key_id, fingerprint)
SELECT participant.id, 'email', {box_of("contact")}, {key_of("contact")},
       {fingerprint_of("contact")}
FROM made JOIN participant ON external_id = number ORDER BY number
"""  # noqa: S608  joined from constants of ours


async def make_people(application: Application, number: int, *, on_paper: int = 0) -> str:
    """Participants 1 to `number` of an empty database, every second of them reading Spanish; the
    first `on_paper` get letters, the others are without paper. Answers PostgreSQL's version.
    """
    for first in range(1, number + 1, _AT_ONCE):
        last = min(first + _AT_ONCE - 1, number)
        async with application.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_STAGE)
            await driver.copy_records_to_table("made", records=_people(first, last, on_paper))
            await driver.execute("ANALYZE made")
            await driver.execute(_ADD)
            await driver.execute(_ADD_CONTACTS)
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute("ANALYZE")
        return str(await driver.fetchval("SHOW server_version"))


def _people(
    first: int, last: int, on_paper: int
) -> Iterator[tuple[str, Personal, Personal, str, bool]]:
    for id_ in range(first, last + 1):
        number = f"{id_:010d}"
        yield (
            number,
            names(number, FIRST_NAME, LAST_NAME),
            contact(number, "email", {"email": f"person{id_}@example.com"}),
            "es" if id_ % 2 else "en",
            id_ > on_paper,
        )
