"""The personal columns of the applications room; see `engine.caseload.personal` for the others."""

from typing import Final

from engine.applications.draft_columns import SEALED
from engine.caseload import personal as caseload
from engine.security.sealed_columns import Personal, SealedColumn

USERNAME: Final = SealedColumn(
    "applicant",
    "sealed_username",
    "username_key_id",
    "'applicant:' || {t}.participant_id",
)

EVERY: Final = (*caseload.EVERY, USERNAME, *SEALED)
"""All that is sealed in the database."""


def username(participant_id: int, text: str) -> Personal:
    """The username of the account of that participant."""
    return Personal(f"applicant:{participant_id}", text)
