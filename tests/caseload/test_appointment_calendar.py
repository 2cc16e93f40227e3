"""An appointment as a calendar file: it opens in three parsers, says when, and little else."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import icalendar
import ics  # type: ignore[import-untyped]  # it publishes none
import pytest
import vobject  # type: ignore[import-untyped]  # nor does it

from engine.bootstrap import Application
from engine.caseload.appointment_calendar import AppointmentCalendars, CalendarEntry
from engine.clock import PACIFIC
from engine.i18n import Language
from tests import people
from tests.caseload.appointments import add_appointment
from tests.database_rows import execute, fetch

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=PACIFIC)
AT: Final = datetime(2026, 12, 9, 9, 30, tzinfo=PACIFIC)
PLACE: Final = "100 Example Street, Room 210; ring, twice"
CALENDARS: Final = AppointmentCalendars(b"key", "portal.example")
SUMMARIES: Final = [("en", "Appointment"), ("es", "Cita")]


def entry(**changed: object) -> CalendarEntry:
    """An appointment, made into an entry."""
    values: dict[str, object] = {
        "appointment_id": 7,
        "starts_at": AT,
        "sequence": 3,
        "cancelled": False,
        "made_at": NOW,
    }
    return CalendarEntry(**(values | changed))  # type: ignore[arg-type]  # changed by the test


def unfolded(file: bytes) -> list[str]:
    """The content lines."""
    return file.decode().replace("\r\n ", "").split("\r\n")[:-1]


def event_of(file: bytes) -> Any:
    """The one event, as the icalendar library reads it."""
    [event] = icalendar.Calendar.from_ical(file).walk("VEVENT")
    return event


@pytest.mark.parametrize(("language", "summary"), SUMMARIES)
@pytest.mark.parametrize("cancelled", [False, True])
def test_three_parsers_read_it_alike(language: Language, summary: str, cancelled: bool) -> None:
    """The hour in Pacific time, an hour long, under a word that says nothing of child support."""
    file = CALENDARS.file(entry(cancelled=cancelled), language)
    method = "CANCEL" if cancelled else "PUBLISH"
    status = "CANCELLED" if cancelled else "CONFIRMED"

    by_icalendar = icalendar.Calendar.from_ical(file)
    event = event_of(file)
    assert by_icalendar["METHOD"] == method
    assert (event["SUMMARY"], event["STATUS"], event["SEQUENCE"]) == (summary, status, 3)
    assert event["CLASS"] == "PRIVATE"
    assert event["SUMMARY"].params["LANGUAGE"] == language

    by_vobject = vobject.readOne(file.decode())
    assert by_vobject.method.value == method
    assert by_vobject.vevent.summary.value == summary
    assert by_vobject.vevent.dtstart.value == AT

    [by_ics] = ics.Calendar(file.decode()).events
    assert (by_ics.name, by_ics.status) == (summary, status)
    for start, end in (
        (event["DTSTART"].dt, event["DTEND"].dt),
        (by_ics.begin.datetime, by_ics.end.datetime),
    ):
        assert start == AT
        assert end - start == timedelta(hours=1)


@pytest.mark.parametrize(
    ("at", "offset"),
    [
        (datetime(2026, 10, 31, 9, tzinfo=PACIFIC), -7),
        (datetime(2026, 11, 1, 9, tzinfo=PACIFIC), -8),
        (datetime(2027, 3, 13, 9, tzinfo=PACIFIC), -8),
        (datetime(2027, 3, 14, 9, tzinfo=PACIFIC), -7),
    ],
)
def test_nine_stays_nine_when_the_clocks_change(at: datetime, offset: int) -> None:
    """By the file's own rule for the zone, which vobject follows, around both changes."""
    file = CALENDARS.file(entry(starts_at=at.astimezone(UTC)), "es").decode()
    assert f"DTSTART;TZID=America/Los_Angeles:{at:%Y%m%d}T090000\r\n" in file
    read = vobject.readOne(file).vevent.dtstart.value
    assert read == at
    assert read.utcoffset() == timedelta(hours=offset)


def test_an_appointment_that_ends_after_the_clocks_went_back_is_an_hour_long() -> None:
    """Half past one, for the first time that night, to half past one for the second."""
    at = datetime(2026, 11, 1, 1, 30, tzinfo=PACIFIC)
    event = event_of(CALENDARS.file(entry(starts_at=at), "en"))
    assert event["DTSTART"].dt.replace(tzinfo=None) == event["DTEND"].dt.replace(tzinfo=None)


def test_it_says_nothing_of_whose_it_is_nor_of_what() -> None:
    """No place unless one is given, nobody's name, and nothing to read beside the hour."""
    lines = unfolded(CALENDARS.file(entry(), "es"))
    named = {line.partition(":")[0].partition(";")[0] for line in lines}
    assert not named & {"DESCRIPTION", "ATTENDEE", "ORGANIZER", "LOCATION", "COMMENT", "URL"}
    assert "support" not in "".join(lines).lower()


def test_a_place_is_escaped() -> None:
    """Marks of the format stand for themselves (RFC 5545, 3.3.11)."""
    file = CALENDARS.file(entry(place=PLACE), "es")
    assert "LOCATION:100 Example Street\\, Room 210\\; ring\\, twice" in unfolded(file)
    assert event_of(file)["LOCATION"] == PLACE


def test_the_identifier_hangs_on_the_appointment_and_the_key_alone() -> None:
    """So that a calendar moves its entry rather than adding one, whatever else became of it."""

    def uid(file: bytes) -> str:
        return str(event_of(file)["UID"])

    first = CALENDARS.file(entry(), "en")
    later = CALENDARS.file(entry(cancelled=True, sequence=4, place=PLACE), "es")
    assert uid(first) == uid(later)
    assert uid(first) != uid(CALENDARS.file(entry(appointment_id=8), "en"))
    other = AppointmentCalendars(b"another", "portal.example")
    assert uid(first) != uid(other.file(entry(), "en"))


def test_the_same_entry_gives_the_same_bytes() -> None:
    """A retry of an email sends what the first attempt sent."""
    assert CALENDARS.file(entry(), "es") == CALENDARS.file(entry(), "es")


def test_long_lines_are_folded_between_characters() -> None:
    """No line has more than 75 octets (RFC 5545, 3.1), ñ is never cut in two, and every line ends
    in CRLF."""
    file = CALENDARS.file(entry(place="ñandú " * 40), "es")
    lines = [line.decode() for line in file.split(b"\r\n")]
    assert all(len(line.encode()) <= 75 and "\n" not in line for line in lines)
    assert lines[-1] == ""
    assert event_of(file)["LOCATION"] == "ñandú " * 40


@pytest.mark.parametrize(
    ("change", "raised"),
    [
        ("starts_at = starts_at + interval '1 day'", 1),
        ("place = 'Elsewhere'", 1),
        ("status = 'cancelled'", 1),
        ("status = status, place = place", 0),
        ("external_id = 'another'", 0),
    ],
)
async def test_every_change_is_counted_whoever_makes_it(
    application: Application, change: str, raised: int
) -> None:
    """The nightly import too: the number by which a calendar tells the newer word goes up by one,
    and only where the hour, the place or the status is another."""
    (participant,) = await people.add(application.engine, people.Person())
    await add_appointment(application, participant, AT)
    await execute(application, f"UPDATE appointment SET {change}")
    [row] = await fetch(application, "SELECT calendar_sequence AS n FROM appointment")
    assert row["n"] == raised
