"""The payments that one participant made, and those sent to them: by case and dates, in pages.

The other party's half of a case's money is a row of theirs, and is never read here.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection

# ix_payment_participant_paid_on serves all three.
_CHOSEN: Final = """
FROM payment
WHERE payment.participant_id = $1 AND direction = $2
      AND ($3::bigint IS NULL OR payment.case_id = $3)
      AND ($4::date IS NULL OR paid_on >= $4) AND ($5::date IS NULL OR paid_on <= $5)
"""
_TOTALS: Final = (
    f"SELECT count(*) AS number, coalesce(sum(amount_cents), 0)::bigint AS cents{_CHOSEN}"
)
_ROWS: Final = f"""
SELECT paid_on, amount_cents, method,
       (SELECT external_id FROM support_case WHERE support_case.id = payment.case_id) AS case_number
{_CHOSEN}
ORDER BY paid_on DESC, payment.id DESC LIMIT $6 OFFSET $7
"""  # noqa: S608  likewise
_LAST_DIRECTION: Final = """
SELECT direction FROM payment WHERE participant_id = $1 ORDER BY paid_on DESC, id DESC LIMIT 1
"""


class Direction(StrEnum):
    """Which way the money went, as its reader sees it."""

    MADE = "made"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which payments: one way, and where given of one case, from a day, to a day (both of them
    counted)."""

    direction: Direction
    case_id: int | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment. `method` is a word of `engine.caseload.columns.METHODS`."""

    paid_on: date
    amount_cents: int
    method: str
    case_number: str


@dataclass(frozen=True, slots=True)
class History:
    """Payments, the latest first, of `number` in all whose sum is `total_cents`."""

    lines: tuple[PaymentLine, ...]
    number: int
    total_cents: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a history; `number` counts from 1, and is the last one for any beyond it."""

    history: History
    number: int
    pages: int


async def payments_page(
    connection: AsyncConnection, participant_id: int, choice: Choice, *, number: int, size: int
) -> Page:
    """Page `number` of `size` payments; two statements, however many there are."""
    driver = await driver_connection(connection)
    chosen = _arguments(participant_id, choice)
    totals = await driver.fetchrow(_TOTALS, *chosen)
    pages = max(1, -(-totals["number"] // size))
    number = min(max(number, 1), pages)
    rows = await driver.fetch(_ROWS, *chosen, size, (number - 1) * size)
    history = History(tuple(_line(row) for row in rows), totals["number"], totals["cents"])
    return Page(history, number, pages)


async def whole_history(
    connection: AsyncConnection, participant_id: int, choice: Choice
) -> History:
    """Every payment of `choice`."""
    driver = await driver_connection(connection)
    rows = await driver.fetch(_ROWS, *_arguments(participant_id, choice), None, 0)
    lines = tuple(_line(row) for row in rows)
    return History(lines, len(lines), sum(line.amount_cents for line in lines))


async def last_direction(connection: AsyncConnection, participant_id: int) -> Direction | None:
    """Which way the participant's latest payment went; None where there is none."""
    driver = await driver_connection(connection)
    found = await driver.fetchval(_LAST_DIRECTION, participant_id)
    return Direction(found) if found else None


def _arguments(participant_id: int, choice: Choice) -> tuple[object, ...]:
    return (participant_id, choice.direction, choice.case_id, choice.since, choice.until)


def _line(row: Any) -> PaymentLine:
    return PaymentLine(row["paid_on"], row["amount_cents"], row["method"], row["case_number"])
