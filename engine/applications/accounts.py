"""Accounts of those who apply: who they are."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection
from engine.i18n import Language

NUMBER_PREFIX: Final = "applicant"
"""How the number of an applicant's participant row begins: no case system has such numbers, and no
form takes one."""

_OF: Final = """
SELECT applicant.id, participant.language FROM applicant
JOIN participant ON participant.id = participant_id WHERE participant_id = $1
"""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who applies, under an account that was confirmed; notices to them go to
    `participant_id`."""

    id: int
    participant_id: int
    language: Language


async def applicant_of(connection: AsyncConnection, participant_id: int) -> Applicant:
    """The applicant whose session it is."""
    driver = await driver_connection(connection)
    row = await driver.fetchrow(_OF, participant_id)
    return Applicant(row["id"], participant_id, row["language"])
