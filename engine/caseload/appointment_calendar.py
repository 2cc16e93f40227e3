"""An appointment as an iCalendar file (RFC 5545) that a parent adds to a calendar of their own.

A calendar is often shared, or shown on a locked screen: it says when, and nothing of what the
appointment is about. Where it is stands only in the file of whoever is signed in.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from icalendar import (
    Calendar,
    Event,
    Timezone,
    TimezoneDaylight,
    TimezoneStandard,
)

from engine.clock import PACIFIC, require_aware
from engine.i18n import Language, translations
from engine.security.tokens import derive_tag

LASTS: Final = timedelta(hours=1)
"""The case system does not say how long one takes; an hour is kept free."""
_UID_PURPOSE: Final = "appointment calendar"
_STANDARD: Final = timedelta(hours=-8)
_DAYLIGHT: Final = timedelta(hours=-7)
# The onset of a zone's own rule is local time, without a zone (RFC 5545, 3.6.5).
_FIRST_DAYLIGHT: Final = datetime.fromisoformat("2007-03-11T02:00")
_FIRST_STANDARD: Final = datetime.fromisoformat("2007-11-04T02:00")


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """What a calendar is told. `sequence` counts the appointment's changes; `made_at` is the moment
    of which all this is true. Without a `place` the file says none."""

    appointment_id: int
    starts_at: datetime
    sequence: int
    cancelled: bool
    made_at: datetime
    place: str | None = None

    @property
    def method(self) -> Literal["PUBLISH", "CANCEL"]:
        """What a calendar is asked to do with it (RFC 5546, 1.4)."""
        return "CANCEL" if self.cancelled else "PUBLISH"


@dataclass(frozen=True, slots=True)
class AppointmentCalendars:
    """Makes the files. Nobody without `key` can tell from one whose it is; `domain` is ours."""

    key: bytes
    domain: str

    def file(self, entry: CalendarEntry, language: Language) -> bytes:
        """One event, under an identifier that stays the same when it is fetched again or sent by
        email, so that the calendar moves its entry rather than adding a second. The same entry
        gives the same bytes. Raises ValueError for a moment without its time zone."""
        calendar = Calendar()
        calendar.add("version", "2.0")
        calendar.add("prodid", f"-//{self.domain}//Calendar//{language.upper()}")
        calendar.add("calscale", "GREGORIAN")
        calendar.add("method", entry.method)
        calendar.add_component(_pacific_time())
        calendar.add_component(_event(entry, self._uid(entry), language))
        return bytes(calendar.to_ical())

    def _uid(self, entry: CalendarEntry) -> str:
        tag = derive_tag(self.key, _UID_PURPOSE, str(entry.appointment_id), 26)
        return f"{tag}@{self.domain}"


def _event(entry: CalendarEntry, uid: str, language: Language) -> Event:
    # RFC 5546 (3.2.1) asks for an ORGANIZER too. It would name the agency in a shared calendar, and
    # calendars take a published event without one.
    starts_at = require_aware(entry.starts_at).astimezone(PACIFIC)
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", require_aware(entry.made_at).astimezone(UTC))
    event.add("sequence", entry.sequence)
    event.add("dtstart", starts_at)
    event.add("dtend", (starts_at.astimezone(UTC) + LASTS).astimezone(PACIFIC))
    event.add(
        "summary",
        translations(language).gettext("Appointment"),
        parameters={"LANGUAGE": language},
    )
    if entry.place is not None:
        event.add("location", entry.place)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event


def _pacific_time() -> Timezone:
    """Pacific time since the Energy Policy Act of 2005, section 110: from the second Sunday of
    March to the first of November an hour ahead."""
    zone = Timezone()
    zone.add("tzid", PACIFIC.key)
    daylight, standard = TimezoneDaylight(), TimezoneStandard()
    for part, name, since, month, sunday, was, becomes in (
        (daylight, "PDT", _FIRST_DAYLIGHT, 3, "2SU", _STANDARD, _DAYLIGHT),
        (standard, "PST", _FIRST_STANDARD, 11, "1SU", _DAYLIGHT, _STANDARD),
    ):
        part.add("dtstart", since)
        part.add("rrule", {"FREQ": "YEARLY", "BYMONTH": month, "BYDAY": sunday})
        part.add("tzoffsetfrom", was)
        part.add("tzoffsetto", becomes)
        part.add("tzname", name)
        zone.add_component(part)
    return zone
