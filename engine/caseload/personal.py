"""The caseload's personal columns: whose each is, how it is read, and how it is written.

A contact point's fields are one sealed object. It is bound to its participant, its kind, and to
whether it is a substitute address: the address that somebody fled from does not open as one.
"""

from collections.abc import Mapping
from typing import Final

from engine.communications.frozen_facts import (
    COPIED_NAME,
    DELIVERY_SECRET,
    NAME_CONTEXT,
    SEALED_FACTS,
)
from engine.security.sealed_columns import Personal, SealedColumn, fields_text
from engine.security.webhook_signing import SIGNING_SECRET

LINE_FIELDS: Final = (
    "email", "phone", "addr1", "addr2", "urbanization", "city", "state", "zip5", "zip4",
)  # fmt: skip
"""What a contact point may hold: an email address, a telephone number, or an address's parts."""

_NUMBER: Final = "(SELECT external_id FROM participant WHERE participant.id = {t}.participant_id)"

NAMES: Final = SealedColumn(
    "participant",
    "sealed_name",
    "name_key_id",
    NAME_CONTEXT.replace("{number}", "{t}.external_id"),
    clear="{t}.first_name || E'\\n' || {t}.last_name",
    plain=(
        ("first_name", "split_part({p} ->> 3, E'\\n', 1)"),
        ("last_name", "split_part({p} ->> 3, E'\\n', 2)"),
    ),
    fingerprint="name_fingerprint",
)
CONTACT: Final = SealedColumn(
    "contact_point",
    "sealed",
    "sealed_key_id",
    f"'contact_point:' || {_NUMBER} || ':' || {{t}}.kind"
    " || CASE WHEN {t}.substitute THEN ':substitute' ELSE '' END",
    clear="nullif(jsonb_strip_nulls(jsonb_build_object("
    + ", ".join(f"'{name}', {{t}}.{name}" for name in LINE_FIELDS)
    + ")), '{}')::text",
    plain=tuple((name, f"({{p}} ->> 3)::json ->> '{name}'") for name in LINE_FIELDS),
    fingerprint="fingerprint",
    form="fields",
)
MESSAGE: Final = SealedColumn(
    "caseworker_message",
    "sealed_body",
    "body_key_id",
    "'caseworker_message:' || {t}.participant_id || ':' || {t}.case_id || ':' || {t}.author",
    clear="{t}.body",
    plain=(("body", "{p} ->> 3"),),
)
WISH: Final = SealedColumn(
    "appointment_answer",
    "sealed_wish",
    "wish_key_id",
    "'appointment_answer:' || {t}.appointment_id",
    clear="{t}.wish",
    plain=(("wish", "{p} ->> 3"),),
)
REPORT: Final = SealedColumn(
    "other_party_report",
    "sealed_facts",
    "facts_key_id",
    "'other_party_report:' || {t}.participant_id || ':' || {t}.case_id",
    clear="{t}.facts::text",
    plain=(("facts", "({p} ->> 3)::jsonb"),),
)

EVERY: Final = (
    NAMES, CONTACT, MESSAGE, WISH, REPORT, SEALED_FACTS, COPIED_NAME, DELIVERY_SECRET,
    SIGNING_SECRET,
)  # fmt: skip
"""All that is sealed here and in the rooms below."""

NAME: Final = NAMES.read(form="line")
"""A `participant`'s name, as it is written."""
NAMES_APART: Final = NAMES.read()
"""Given names and surnames, a line each."""
FIELDS: Final = CONTACT.read()
"""A `contact_point`'s fields by their names, those alone that are filled."""


def names(number: str, first_name: str, last_name: str) -> Personal:
    """The names of the participant of that number."""
    return Personal(f"participant:{number}", f"{first_name}\n{last_name}")


def contact(
    number: str, kind: str, fields: Mapping[str, object], *, substitute: bool = False
) -> Personal:
    """The fields of a contact point of the participant of that number; empty ones are left out."""
    filled = {name: fields[name] for name in LINE_FIELDS if fields.get(name)}
    context = f"contact_point:{number}:{kind}{':substitute' if substitute else ''}"
    return Personal(context, fields_text(filled))


def message(participant_id: int, case_id: int, author: str, body: str) -> Personal:
    """What was written of a case, by its participant or to them."""
    return Personal(f"caseworker_message:{participant_id}:{case_id}:{author}", body)


def wish(appointment_id: int, words: str) -> Personal:
    """What somebody wishes of an appointment."""
    return Personal(f"appointment_answer:{appointment_id}", words)


def report(participant_id: int, case_id: int, facts: Mapping[str, str]) -> Personal:
    """What a participant reports about the other party of a case."""
    context = f"other_party_report:{participant_id}:{case_id}"
    return Personal(context, fields_text(facts))
