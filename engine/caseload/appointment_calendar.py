"""An appointment as an iCalendar file (RFC 5545) that a parent adds to a calendar of their own.

A calendar is often shared, or shown on a locked screen: it says when and where, and nothing of
what the appointment is about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.clock import PACIFIC, require_aware
from engine.security.tokens import derive_tag

LASTS: Final = timedelta(hours=1)
"""The case system does not say how long one takes; an hour is kept free."""
_UID_PURPOSE: Final = "appointment calendar"
_ZONE: Final = PACIFIC.key
_LONGEST_LINE: Final = 75
"""Octets of a content line, its break not counted (RFC 5545, 3.1)."""

# Pacific time since the Energy Policy Act of 2005, section 110: from the second Sunday of March to
# the first of November an hour ahead.
_TIME_ZONE: Final = (
    "BEGIN:VTIMEZONE",
    f"TZID:{_ZONE}",
    "BEGIN:DAYLIGHT",
    "DTSTART:20070311T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
    "TZOFFSETFROM:-0800",
    "TZOFFSETTO:-0700",
    "TZNAME:PDT",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "DTSTART:20071104T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
    "TZOFFSETFROM:-0700",
    "TZOFFSETTO:-0800",
    "TZNAME:PST",
    "END:STANDARD",
    "END:VTIMEZONE",
)


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """What a calendar is told. `made_at` is when the file is made."""

    appointment_id: int
    summary: str
    starts_at: datetime
    place: str
    cancelled: bool
    made_at: datetime


def calendar_file(entry: CalendarEntry, key: bytes, domain: str, language: str) -> bytes:
    """The file: one event, under an identifier that stays the same when it is fetched again, so
    that the calendar moves its entry rather than adding a second; nobody without `key` can tell
    from it whose it is. Raises ValueError for a moment without its time zone."""
    tag = derive_tag(key, _UID_PURPOSE, str(entry.appointment_id), 26)
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//{domain}//Customer Connect//{language.upper()}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        *_TIME_ZONE,
        "BEGIN:VEVENT",
        f"UID:{tag}@{domain}",
        f"DTSTAMP:{require_aware(entry.made_at).astimezone(UTC):%Y%m%dT%H%M%SZ}",
        # A file fetched later is the later word on the appointment (RFC 5546, 2.1.5).
        f"SEQUENCE:{int(entry.made_at.timestamp()) // 60}",
        f"DTSTART;TZID={_ZONE}:{_local(entry.starts_at)}",
        f"DTEND;TZID={_ZONE}:{_local(entry.starts_at + LASTS)}",
        f"SUMMARY;LANGUAGE={language}:{_text(entry.summary)}",
        f"LOCATION:{_text(entry.place)}",
        f"STATUS:{'CANCELLED' if entry.cancelled else 'CONFIRMED'}",
        "CLASS:PRIVATE",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return b"".join(folded + b"\r\n" for line in lines for folded in _folded(line))


def _local(moment: datetime) -> str:
    return f"{require_aware(moment).astimezone(PACIFIC):%Y%m%dT%H%M%S}"


def _text(words: str) -> str:
    """`words` as a TEXT value (RFC 5545, 3.3.11)."""
    for mark, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        words = words.replace(mark, escaped)
    return words


def _folded(line: str) -> Iterator[bytes]:
    """The content line in pieces that are short enough, none of which breaks a character."""
    piece, lead = b"", b""
    for character in line:
        octets = character.encode()
        if len(lead + piece + octets) > _LONGEST_LINE:
            yield lead + piece
            piece, lead = b"", b" "
        piece += octets
    yield lead + piece
