"""The personal columns of applications: answers, files, and the submitted record."""

from collections.abc import Mapping
from typing import Final

from engine.security.sealed_columns import Personal, SealedColumn, fields_text

ANSWERS: Final = SealedColumn(
    "application_answer",
    "sealed_values",
    "values_key_id",
    "'application_answer:' || {t}.draft_id || ':' || {t}.slot",
    form="fields",
)
UPLOAD: Final = SealedColumn(
    "application_upload",
    "sealed_content",
    "content_key_id",
    "'application_upload:' || {t}.draft_id || ':' || {t}.sha256",
    at_once=4,
)
"""Its octets in base64, for what is sealed is a text."""
RECORD: Final = SealedColumn(
    "application",
    "sealed_record",
    "record_key_id",
    "'application:' || {t}.number",
)

SEALED: Final = (ANSWERS, UPLOAD, RECORD)


def answers(draft_id: int, slot: str, values: Mapping[str, object]) -> Personal:
    """The answers of one page of a draft."""
    return Personal(f"application_answer:{draft_id}:{slot}", fields_text(values))


def upload(draft_id: int, sha256: str, base64: str) -> Personal:
    """A file of a draft; `sha256` is that of its octets."""
    return Personal(f"application_upload:{draft_id}:{sha256}", base64)


def record(number: str, text: str) -> Personal:
    """What was submitted under a number."""
    return Personal(f"application:{number}", text)
