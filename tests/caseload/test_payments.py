"""Payments as their own reader sees them: filtered, in pages, and never the other party's."""

from datetime import date, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.caseload.payments import (
    Choice,
    Direction,
    PaymentLine,
    last_direction,
    payments_page,
    whole_history,
)
from engine.database import driver_connection
from tests import people

FIRST = date(2026, 1, 1)


@pytest.fixture
async def payer(database: AsyncEngine) -> int:
    """A payer with 45 payments in a first case, a day apart, and 2 in a second; the payee of the
    first was sent 45."""
    payer, payee = await people.add(
        database, people.Person("0000000001"), people.Person("0000000002", email=None)
    )
    async with database.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(
            "INSERT INTO support_case (external_id, county, status, opened_on)"
            " VALUES ('C1', 'Yolo', 'open', '2020-01-01'), ('C2', 'Yolo', 'open', '2020-01-01')"
        )
        for case, party, way, number, prefix in (
            (1, payer, "made", 45, "A"),
            (2, payer, "made", 2, "B"),
            (1, payee, "sent", 45, "C"),
        ):
            await driver.execute(
                "INSERT INTO payment (external_id, case_id, participant_id, direction,"
                " amount_cents, method, paid_on) SELECT $4 || n, $1, $2, $3, 100 + n, 'check',"
                " $6::date + n FROM generate_series(0, $5::int - 1) AS n",
                case, party, way, prefix, number, FIRST,
            )  # fmt: skip
    return payer


async def test_pages_hold_every_payment_once(database: AsyncEngine, payer: int) -> None:
    """The latest first; the count and the sum are those of all pages."""
    choice = Choice(Direction.MADE, case_id=1)
    seen: list[PaymentLine] = []
    async with database.connect() as connection:
        for number in (1, 2, 3):
            page = await payments_page(connection, payer, choice, number=number, size=20)
            assert (page.number, page.pages) == (number, 3)
            assert (page.history.number, page.history.total_cents) == (45, 4500 + 44 * 45 // 2)
            seen += page.history.lines
        whole = await whole_history(connection, payer, choice)
    days = [line.paid_on for line in seen]
    assert days == [FIRST + timedelta(days=day) for day in range(44, -1, -1)]
    assert tuple(seen) == whole.lines
    assert (whole.number, whole.total_cents) == (45, 4500 + 44 * 45 // 2)


@pytest.mark.parametrize(("asked", "given"), [(99, 3), (0, 1)])
async def test_a_page_beyond_is_the_last(
    database: AsyncEngine, payer: int, asked: int, given: int
) -> None:
    """A link kept from before a filter leads to a page that is there."""
    async with database.connect() as connection:
        page = await payments_page(
            connection, payer, Choice(Direction.MADE, case_id=1), number=asked, size=20
        )
    assert page.number == given
    assert page.history.lines


@pytest.mark.parametrize(
    ("choice", "number"),
    [
        (Choice(Direction.MADE), 47),
        (Choice(Direction.MADE, case_id=2), 2),
        (Choice(Direction.MADE, since=FIRST + timedelta(days=40)), 5),
        (Choice(Direction.MADE, case_id=1, until=FIRST + timedelta(days=4)), 5),
        (Choice(Direction.MADE, case_id=1, since=FIRST, until=FIRST), 1),
        (Choice(Direction.MADE, since=date(2030, 1, 1)), 0),
        (Choice(Direction.SENT), 0),
        (Choice(Direction.SENT, case_id=1), 0),
    ],
)
async def test_a_filter_finds_what_it_says(
    database: AsyncEngine, payer: int, choice: Choice, number: int
) -> None:
    """By case and by days, both of them counted; what the payee of the same case was sent is not
    the payer's to see."""
    async with database.connect() as connection:
        whole = await whole_history(connection, payer, choice)
        page = await payments_page(connection, payer, choice, number=1, size=20)
    assert whole.number == page.history.number == number
    assert page.history.total_cents == whole.total_cents


async def test_the_latest_payment_says_which_way_it_went(database: AsyncEngine, payer: int) -> None:
    """The participant's own, by the day it was paid; who has none has no way."""
    [newcomer] = await people.add(database, people.Person("0000000003", email=None))
    async with database.begin() as connection:
        assert await last_direction(connection, payer) is Direction.MADE
        assert await last_direction(connection, newcomer) is None
        driver = await driver_connection(connection)
        await driver.execute(
            "INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents,"
            " method, paid_on) VALUES ('D1', 1, $1, 'sent', 100, 'check', '2026-12-01')",
            payer,
        )
        assert await last_direction(connection, payer) is Direction.SENT
