"""By which way an appointment is told of, so that it is heard before the day."""

from datetime import datetime
from typing import Any, Final

from engine.calendar.deadlines import due_by
from engine.caseload.notices import route_of
from engine.clock import pacific_date
from engine.communications.catalogue import COURT_DATE_REMINDER, Channel, Urgency
from engine.communications.routing import Leg, Route, in_order

SOON_DAYS: Final = 2
"""Calendar days: what is nearer than that overtakes what is sent in bulk."""


def letter_arrives_before(starts_at: datetime, now: datetime) -> bool:
    """Whether ten business days, the mail's promise, end before the day of `starts_at`."""
    return due_by(now, COURT_DATE_REMINDER.days[Channel.MAIL]) < pacific_date(starts_at)


def days_ahead(starts_at: datetime, now: datetime) -> int:
    """How many calendar days of Pacific time lie between, whatever the clocks do meanwhile."""
    return (pacific_date(starts_at) - pacific_date(now)).days


def urgency_of(starts_at: datetime, now: datetime) -> Urgency:
    """Urgent inside two days."""
    return Urgency.URGENT if days_ahead(starts_at, now) < SOON_DAYS else Urgency.BULK


def court_route(*, by_email: bool) -> Route:
    """A letter, which nothing takes the place of, and an email besides that meets nothing."""
    if not by_email:
        return in_order(Channel.MAIL)
    return ((Leg(Channel.MAIL), Leg(Channel.EMAIL, meets=False)),)


def email_route(row: Any) -> Route:
    """By email alone, which for an enrolled reader says what is in the inbox: no letter would
    still come in time."""
    return route_of(enrolled=row["paperless"], by_email=True, confidential=row["confidential"])[:1]


def change_route(row: Any, before: datetime, now: datetime) -> Route | None:
    """How `row`'s reader hears of a change that must be known by `before`; None where neither an
    email nor a letter gets there in time, and somebody has to telephone."""
    by_mail = letter_arrives_before(before, now)
    if row["kind"] == "court" and by_mail:
        return court_route(by_email=row["has_email"])
    if row["has_email"] and not by_mail:
        return email_route(row)
    if row["has_email"] or by_mail:
        return route_of(
            enrolled=row["paperless"],
            by_email=row["has_email"],
            confidential=row["confidential"],
        )
    return None
