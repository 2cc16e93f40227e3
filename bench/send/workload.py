"""The same messages for everybody: a reminder of an appointment to each of so many people, half of
them in Spanish, each with a day, an hour and a link of its own.

Ours are rows that its own templates are filled from. The peers are given the words that came out of
those templates, already translated and with their styles inlined, as templates of their own
languages, with places for what differs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from engine.caseload.unsubscribing import UnsubscribeTokens
from engine.clock import PACIFIC
from engine.communications.bulk_recording import Recording
from engine.communications.catalogue import (
    APPOINTMENT_REMINDER,
    LANGUAGES,
    AppointmentFacts,
    Channel,
)
from engine.communications.rendering import Renderer
from engine.communications.routing import in_order, route_to_json
from engine.i18n import Language, clock_time, full_date
from engine.settings import Settings

NOTICE: Final = APPOINTMENT_REMINDER
PLACE: Final = "1200 Example Street, Suite 300, Sacramento, CA 95814"
_DAYS: Final = 30
_HALF_HOURS: Final = 17

PEOPLE: Final = """
INSERT INTO participant (external_id, first_name, last_name, language)
SELECT lpad(n::text, 10, '0'), 'Ana', 'Sample', CASE n % 2 WHEN 0 THEN 'en' ELSE 'es' END
FROM generate_series(1, $1::bigint) AS n
"""
CONTACTS: Final = """
INSERT INTO contact_point (participant_id, kind, email)
SELECT id, 'email', 'person' || id || '@example.com' FROM participant
"""
_ASK: Final = f"""
INSERT INTO asked_in_bulk (key, participant_id, language, facts, route)
SELECT $1 || ':' || id, id, language,
       jsonb_build_object(
           'name', first_name || ' ' || last_name, 'kind', 'office', 'place', $2::text,
           'starts_at', $3::timestamptz + id % {_DAYS} * interval '1 day'
                        + id % {_HALF_HOURS} * interval '30 minutes'),
       $4::jsonb
FROM participant WHERE id <= $5 ORDER BY id
"""  # noqa: S608  joined from constants of this module


def first_hour(now: datetime) -> datetime:
    """When the first of the appointments begins: far enough ahead that none is past."""
    day = now.astimezone(PACIFIC).date() + timedelta(days=10)
    return datetime.combine(day, time(8), PACIFIC)


async def ask(recording: Recording, name: str, messages: int, first: datetime) -> None:
    """Stage the reminders of the first so many participants, by email alone."""
    route = route_to_json(in_order(Channel.EMAIL))
    await recording.driver.execute(_ASK, name, PLACE, first, route, messages)


def starts_at(number: int, first: datetime) -> datetime:
    """When the appointment of participant `number` begins: what `ask` says in SQL."""
    return first + timedelta(days=number % _DAYS, minutes=30 * (number % _HALF_HOURS))


def language_of(number: int) -> Language:
    """The language of participant `number`."""
    return "es" if number % 2 else "en"


def facts_of(number: int, first: datetime) -> AppointmentFacts:
    """What the reminder of participant `number` is made of."""
    starts = starts_at(number, first)
    return AppointmentFacts(name="Ana Sample", kind="office", starts_at=starts, place=PLACE)


def link_of(number: int, settings: Settings) -> str:
    """What stops the reminders of participant `number`."""
    token = UnsubscribeTokens(settings.tag_key_bytes()).token(number)
    return f"{settings.public_url}/{language_of(number)}/u/{token}"


def values_of(number: int, first: datetime, settings: Settings) -> Mapping[str, str]:
    """All that a peer has to put into the message of participant `number`."""
    language, starts = language_of(number), starts_at(number, first)
    tag = hashlib.sha256(str(number).encode()).hexdigest()[:16]
    return {
        "to": f"person{number}@example.com",
        "language": language,
        "day": full_date(starts, language),
        "hour": clock_time(starts, language),
        "link": link_of(number, settings),
        "message_id": f"<{number}.{tag}@{settings.return_path_domain}>",
    }


def peers_words(
    renderer: Renderer, settings: Settings, first: datetime
) -> Iterator[tuple[str, str, str]]:
    """Language, `subject`, `text` or `html`, and the words with `{{ day }}`, `{{ hour }}` and
    `{{ link }}` in them, which Jinja2 and Handlebars read alike."""
    for number, language in enumerate(LANGUAGES):
        facts, link = facts_of(number, first), link_of(number, settings)
        words = renderer.email(NOTICE, language, facts, unsubscribe=link)
        values = values_of(number, first, settings)
        for part in ("subject", "text", "html"):
            yield language, part, _with_places(getattr(words, part), values)


def write_for_peers(
    folder: Path, renderer: Renderer, settings: Settings, first: datetime, messages: int
) -> None:
    """The templates as `folder`/en.html, and the messages' values as `folder`/messages.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    for language, part, words in peers_words(renderer, settings, first):
        (folder / f"{language}.{part}").write_text(words, encoding="utf-8")
    sender = {language: settings.agency.programme(language) for language in LANGUAGES}
    about: dict[str, Any] = {"sender": settings.mail_from, "names": sender}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
    with (folder / "messages.jsonl").open("w", encoding="utf-8") as file:
        for number in range(1, messages + 1):
            file.write(json.dumps(values_of(number, first, settings)) + "\n")


def _with_places(words: str, values: Mapping[str, str]) -> str:
    for place in ("day", "hour", "link"):
        words = words.replace(values[place], "{{ " + place + " }}")
    return words
