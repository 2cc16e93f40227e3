"""Reminders of appointments: by email 7, 3 and 1 days before; by post once, 15 business days ahead.

Days are those of the Pacific calendar, so that neither change of the clocks moves a reminder. One
whose day is over is not sent late, and nobody is reminded on the day on which they were told.
A court date is told of in a letter whatever its reader chose, and by the same emails as any other.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from engine.calendar.business_days import (
    add_business_days,
    is_business_day,
    next_business_day,
)
from engine.caseload.appointment_routes import (
    court_route,
    days_ahead,
    email_route,
    letter_arrives_before,
    urgency_of,
)
from engine.caseload.notices import READER
from engine.caseload.overtaken import Overtaken, subject_of
from engine.caseload.reminder_choices import WANTED
from engine.clock import PACIFIC, Clock, pacific_date
from engine.communications.catalogue import (
    APPOINTMENT_CANCELLED,
    APPOINTMENT_CHANGED,
    APPOINTMENT_REMINDER,
    APPOINTMENT_SCHEDULED,
    COURT_DATE_REMINDER,
    AppointmentFacts,
    Channel,
    CourtDateFacts,
)
from engine.communications.outbox import Obligation, Outbox, Transaction
from engine.communications.quiet_hours import QuietHours
from engine.communications.routing import in_order
from engine.database import driver_connection

EMAIL_DAYS: Final = (7, 3, 1)
"""Calendar days before the day of an appointment."""
MAIL_BUSINESS_DAYS: Final = 15
_AT_ONCE: Final = 2_000
_TELL_OF_IT: Final = (APPOINTMENT_SCHEDULED.key, APPOINTMENT_CHANGED.key)

_AHEAD: Final = f"""
SELECT appointment.id, participant.id AS participant_id, appointment.kind,
       appointment.starts_at, place, support_case.external_id AS case_number, county,
       told.at AS told_at, told.of_it, {WANTED} AS wanted, {READER}
FROM appointment
JOIN participant ON participant.id = appointment.participant_id
JOIN support_case ON support_case.id = appointment.case_id
CROSS JOIN LATERAL (
    SELECT max(requested_at) FILTER (WHERE notice = ANY($5::text[])) AS at,
           count(*) > 0 AS of_it
    FROM communication
    WHERE subject = 'appointment:' || appointment.id AND communication.state <> 'cancelled'
          AND notice <> '{APPOINTMENT_CANCELLED.key}'
          AND (facts->>'starts_at')::timestamptz = appointment.starts_at
) AS told
WHERE appointment.status = 'scheduled' AND appointment.starts_at > $1
      AND appointment.starts_at < $2 AND appointment.id > $3
ORDER BY appointment.id LIMIT $4
"""  # noqa: S608  joined from constants of modules of ours


@dataclass(frozen=True, slots=True)
class Unreached:
    """An appointment of which its participant hears from nobody unless somebody telephones."""

    appointment_id: int
    participant_id: int
    county: str
    starts_at: datetime


@dataclass(slots=True)
class Reminded:
    """What one run did: reminders recorded, by email and by mail; deliveries stopped that said
    what is no longer so; and how many appointments no reminder reaches. At `night` no email is
    recorded."""

    emails: int = 0
    letters: int = 0
    overtaken: int = 0
    unreached: int = 0
    night: bool = False


@dataclass(frozen=True, slots=True)
class Reminders:
    """Records what is due today; however often it runs, each reminder is recorded once."""

    outbox: Outbox
    overtaken: Overtaken
    quiet: QuietHours | None
    clock: Clock

    async def run(self) -> Reminded:
        """Stop what is no longer so, and record the reminders of this day."""
        now = self.clock()
        done = Reminded(night=bool(self.quiet and self.quiet.left(now)))
        async with self.outbox.transaction() as transaction:
            done.overtaken = await self.overtaken.cancel_all(transaction.connection)
        async for page in self._pages(now):
            async with self.outbox.transaction() as transaction:
                await _record(transaction, page, now, done)
            done.unreached += sum(_is_unreached(row, now) for row in page)
        return done

    async def unreached(self) -> list[Unreached]:
        """Appointments of the next 15 business days of which nobody hears, soonest first."""
        now = self.clock()
        found = [
            Unreached(row["id"], row["participant_id"], row["county"], row["starts_at"])
            async for page in self._pages(now)
            for row in page
            if _is_unreached(row, now)
        ]
        return sorted(found, key=lambda each: (each.starts_at, each.appointment_id))

    async def _pages(self, now: datetime) -> AsyncIterator[Sequence[Any]]:
        """What lies ahead, as far as anything is told of it."""
        last = 0
        while True:
            async with self.outbox.engine.connect() as connection:
                driver = await driver_connection(connection)
                rows = await driver.fetch(
                    _AHEAD, now, _horizon(now), last, _AT_ONCE, list(_TELL_OF_IT)
                )
            if rows:
                yield rows
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1]["id"]


async def _record(
    transaction: Transaction, page: Sequence[Any], now: datetime, done: Reminded
) -> None:
    emails = [_by_email(row, now) for row in page if not done.night and _email_is_due(row, now)]
    letters = [_by_mail(row, now) for row in page if _letter_is_due(row, now)]
    done.emails += len(await transaction.record_all(emails))
    done.letters += len(await transaction.record_all(letters))


def _horizon(now: datetime) -> datetime:
    """The midnight after which no letter is due yet."""
    today = pacific_date(now)
    # A closed day counts as the business day it leads to, which is itself one of the fifteen.
    ahead = MAIL_BUSINESS_DAYS if is_business_day(today) else MAIL_BUSINESS_DAYS - 1
    beyond = next_business_day(add_business_days(today, ahead))
    return datetime.combine(beyond, time(), PACIFIC)


def _email_is_due(row: Any, now: datetime) -> bool:
    told = row["told_at"]
    return bool(
        row["has_email"]
        and row["wanted"]
        and days_ahead(row["starts_at"], now) in EMAIL_DAYS
        and (told is None or pacific_date(told) != pacific_date(now))
    )


def _letter_is_due(row: Any, now: datetime) -> bool:
    """A court date's, and that of who has no email; not so soon after a notice said the same."""
    told = row["told_at"]
    return (
        (row["kind"] == "court" or not row["has_email"])
        and letter_arrives_before(row["starts_at"], now)
        and (told is None or not _within_mail_days(told, pacific_date(row["starts_at"])))
    )


def _within_mail_days(moment: datetime, day: date) -> bool:
    return day <= add_business_days(pacific_date(moment), MAIL_BUSINESS_DAYS)


def _is_unreached(row: Any, now: datetime) -> bool:
    if row["of_it"] or letter_arrives_before(row["starts_at"], now):
        return False
    if not row["has_email"] or days_ahead(row["starts_at"], now) < min(EMAIL_DAYS):
        return True
    # To do without reminders of meetings is a choice; a hearing is too grave to miss.
    return not row["wanted"] and row["kind"] == "court"


def _by_email(row: Any, now: datetime) -> Obligation:
    ahead = days_ahead(row["starts_at"], now)
    return Obligation(
        key=f"{_key(APPOINTMENT_REMINDER.key, row)}:{ahead}",
        notice=APPOINTMENT_REMINDER,
        participant_id=row["participant_id"],
        language=row["language"],
        facts=appointment_facts(row),
        route=email_route(row),
        requested_at=now,
        subject=subject_of(row["id"]),
        urgency=urgency_of(row["starts_at"], now),
    )


def _by_mail(row: Any, now: datetime) -> Obligation:
    court = row["kind"] == "court"
    notice = COURT_DATE_REMINDER if court else APPOINTMENT_REMINDER
    by_email = court and row["has_email"] and row["wanted"]
    return Obligation(
        key=f"{_key(notice.key, row)}:mail",
        notice=notice,
        participant_id=row["participant_id"],
        language=row["language"],
        facts=_court_facts(row) if court else appointment_facts(row),
        route=court_route(by_email=by_email) if court else in_order(Channel.MAIL),
        requested_at=now,
        subject=subject_of(row["id"]),
    )


def _key(notice: str, row: Any) -> str:
    """It holds the hour: an appointment that is moved is reminded of anew."""
    return f"{notice}:{row['id']}:{row['starts_at'].timestamp():.0f}"


def appointment_facts(row: Any) -> AppointmentFacts:
    """What a notice of an appointment says."""
    return AppointmentFacts(
        name=row["name"],
        kind=row["kind"],
        starts_at=row["starts_at"].astimezone(PACIFIC),
        place=row["place"],
    )


def _court_facts(row: Any) -> CourtDateFacts:
    return CourtDateFacts(
        name=row["name"],
        starts_at=row["starts_at"].astimezone(PACIFIC),
        place=row["place"],
        case_number=row["case_number"],
    )
