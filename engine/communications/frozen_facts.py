"""The frozen facts of a communication: those that are personal are sealed, the others stand in the
clear, where appointments and reports are looked up by them."""

import json
from typing import Final

from engine.communications.catalogue import Facts
from engine.security.sealed_columns import Personal, SealedColumn, fields_text, read_facts

PERSONAL_FACTS: Final = ("name", "body", "token")
"""Whose it is, what a caseworker wrote, and the token that proves an email address."""

NAME_CONTEXT: Final = "'participant:' || {number}"
"""What a participant's sealed name is bound to, as SQL; `{number}` is the Participant ID Number."""

_PERSONAL: Final = ", ".join(f"'{name}'" for name in PERSONAL_FACTS)
_NUMBER: Final = "(SELECT external_id FROM participant WHERE participant.id = {t}.participant_id)"

SEALED_FACTS: Final = SealedColumn(
    "communication",
    "sealed_facts",
    "facts_key_id",
    "'communication:' || {t}.participant_id || ':' || {t}.notice",
    clear=f"(SELECT jsonb_object_agg(key, value)::text FROM jsonb_each({{t}}.facts)"  # noqa: S608  joined from constants
    f" WHERE key IN ({_PERSONAL}))",
    plain=(
        (
            "facts",
            f"({{t}}.facts - ARRAY[{_PERSONAL}]) || coalesce(({{p}} ->> 3)::jsonb, '{{}}')",
        ),
    ),
)
COPIED_NAME: Final = SealedColumn(
    "communication", "sealed_name", "name_key_id", NAME_CONTEXT.replace("{number}", _NUMBER)
)
"""The name as it was when one notice to many was recorded: a copy of the participant's own, made
by PostgreSQL, which cannot open it."""

DELIVERY_SECRET: Final = SealedColumn("delivery", "secret", "secret_key_id", "{t}.id::text")
"""A PIN on its way; see `engine.security.sealing`."""

FACTS: Final = read_facts(
    "communication.facts::text",
    SEALED_FACTS.parts("communication"),
    COPIED_NAME.parts("communication"),
)
"""An SQL expression of all frozen facts of a `communication`, as one json text."""


def split(facts: Facts, participant_id: int, notice: str) -> tuple[str, Personal]:
    """Facts to be frozen: those in the clear as json, and the personal ones."""
    every = facts.model_dump(mode="json")
    personal: dict[str, object] = {
        name: every.pop(name) for name in PERSONAL_FACTS if name in every
    }
    context = f"communication:{participant_id}:{notice}"
    return json.dumps(every), Personal(context, fields_text(personal))
