"""The same messages for everybody: a reminder of an appointment to each of so many people, half of
them in Spanish, each with a day, an hour and a link of its own.

Ours are rows that its own templates are filled from. The peers are given the words that came out of
those templates, already translated and with their styles inlined, as templates of their own
languages, with places for what differs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from bench.people import FIRST_NAME, LAST_NAME
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
_HALF_HOURS: Final = 17

_ASK: Final = f"""
INSERT INTO asked_in_bulk (key, participant_id, language, facts, sealed_name, name_key_id, route)
SELECT $1 || ':' || id, id, language,
       jsonb_build_object(
           'kind', 'office', 'place', $2::text,
           'starts_at', $3::timestamptz + id / 2 % $6 * interval '1 day'
                        + id / 2 / $6 % {_HALF_HOURS} * interval '30 minutes'),
       sealed_name, name_key_id, $4::jsonb
FROM participant WHERE id <= $5 ORDER BY id
"""  # noqa: S608  joined from constants of this module


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the appointments are: from the hour of `first` on, at one of seventeen half hours on one
    of so many `days` in a row. Reminders go out one, three and seven days ahead, so that those of
    one day are about three."""

    first: datetime
    days: int = 3

    @classmethod
    def from_tomorrow(cls, now: datetime, days: int) -> Self:
        """None of them is past."""
        day = now.astimezone(PACIFIC).date() + timedelta(days=1)
        return cls(datetime.combine(day, time(8), PACIFIC), days)

    def starts_at(self, number: int) -> datetime:
        """When the appointment of participant `number` begins: what `ask` says in SQL."""
        turn = number // 2
        half_hours = turn // self.days % _HALF_HOURS
        return self.first + timedelta(days=turn % self.days, minutes=30 * half_hours)


async def ask(recording: Recording, name: str, messages: int, calendar: Calendar) -> None:
    """Stage the reminders of the first so many participants, by email alone."""
    route = route_to_json(in_order(Channel.EMAIL))
    await recording.driver.execute(
        _ASK, name, PLACE, calendar.first, route, messages, calendar.days
    )


def language_of(number: int) -> Language:
    """The language of participant `number`."""
    return "es" if number % 2 else "en"


def facts_of(number: int, calendar: Calendar) -> AppointmentFacts:
    """What the reminder of participant `number` is made of."""
    starts = calendar.starts_at(number)
    return AppointmentFacts(
        name=f"{FIRST_NAME} {LAST_NAME}", kind="office", starts_at=starts, place=PLACE
    )


def address_of(number: int) -> str:
    """Where participant `number` is emailed."""
    return f"person{number}@example.com"


def link_of(number: int, settings: Settings) -> str:
    """What stops the reminders of participant `number`."""
    token = _tokens(settings.tag_key_bytes()).token(number)
    return f"{settings.public_url}/{language_of(number)}/u/{token}"


@cache
def _tokens(key: bytes) -> UnsubscribeTokens:
    return UnsubscribeTokens(key)


def values_of(number: int, calendar: Calendar, settings: Settings) -> Mapping[str, str]:
    """All that a peer has to put into the message of participant `number`."""
    language, starts = language_of(number), calendar.starts_at(number)
    tag = hashlib.sha256(str(number).encode()).hexdigest()[:16]
    return {
        "to": address_of(number),
        "language": language,
        "day": full_date(starts, language),
        "hour": clock_time(starts, language),
        "link": link_of(number, settings),
        "message_id": f"<{number}.{tag}@{settings.return_path_domain}>",
    }


def peers_words(
    renderer: Renderer, settings: Settings, calendar: Calendar
) -> Iterator[tuple[str, str, str]]:
    """Language, `subject`, `text` or `html`, and the words with `{{ day }}`, `{{ hour }}` and
    `{{ link }}` in them, which Jinja2 and Handlebars read alike."""
    for number, language in enumerate(LANGUAGES):
        facts, link = facts_of(number, calendar), link_of(number, settings)
        words = renderer.email(NOTICE, language, facts, unsubscribe=link)
        values = values_of(number, calendar, settings)
        for part in ("subject", "text", "html"):
            yield language, part, _with_places(getattr(words, part), values)


def write_for_peers(
    folder: Path, renderer: Renderer, settings: Settings, calendar: Calendar, messages: int
) -> None:
    """The templates as `folder`/en.html, and the messages' values as `folder`/messages.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    for language, part, words in peers_words(renderer, settings, calendar):
        (folder / f"{language}.{part}").write_text(words, encoding="utf-8")
    sender = {language: settings.agency.programme(language) for language in LANGUAGES}
    about: dict[str, Any] = {"sender": settings.mail_from, "names": sender}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
    with (folder / "messages.jsonl").open("w", encoding="utf-8") as file:
        for number in range(1, messages + 1):
            file.write(json.dumps(values_of(number, calendar, settings)) + "\n")


def _with_places(words: str, values: Mapping[str, str]) -> str:
    for place in ("day", "hour", "link"):
        words = words.replace(values[place], "{{ " + place + " }}")
    return words
