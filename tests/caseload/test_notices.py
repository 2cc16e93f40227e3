"""What the caseload tells without being asked: to whom, by which way, and once."""

from datetime import date, timedelta

import pytest

from engine.bootstrap import Application
from engine.caseload import notices
from tests import people
from tests.database_rows import execute, fetch

PAID = date(2026, 11, 20)


async def add_payment(application: Application, participant: int, number: int = 1) -> None:
    """A payment sent to `participant`, in a case of its own."""
    await execute(
        application,
        "WITH added AS (INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES (lpad($1::text, 15, '0'), 'Yolo', 'open', '2020-01-01') RETURNING id)"
        " INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents,"
        " method, paid_on) SELECT 'P' || $1::text, id, $2, 'sent', 12345, 'card', $3 FROM added",
        str(number),
        participant,
        PAID,
    )


async def routes(application: Application) -> list[object]:
    """The channels of each communication, in order."""
    rows = await fetch(
        application,
        "SELECT jsonb_path_query_array(route, '$[*][*][0]')::text AS route FROM communication"
        " ORDER BY id",
    )
    return [row["route"] for row in rows]


@pytest.mark.parametrize(
    ("person", "route"),
    [
        (people.Person(paperless=True), '["inbox", "email", "mail"]'),
        (people.Person(paperless=False), '["mail"]'),
        (people.Person(paperless=True, email=None), '["mail"]'),
        (people.Person(paperless=True, email_safe=False), '["mail"]'),
        (people.Person(paperless=True, confidential=True), '["inbox", "email"]'),
    ],
)
async def test_a_payment_goes_by_the_way_its_reader_chose(
    application: Application, person: people.Person, route: str
) -> None:
    """Paperless readers with an email that may be used get it in the inbox, then mail; the email
    of a confidential reader never turns into a letter by itself; everyone else gets a letter."""
    (participant,) = await people.add(application.engine, person)
    await add_payment(application, participant)
    assert await application.notices.payments_since(PAID) == 1
    assert await routes(application) == [route]


async def test_a_payment_is_announced_once(application: Application) -> None:
    """Announcing again, or from an earlier day, tells nobody twice."""
    (participant,) = await people.add(application.engine, people.Person())
    await add_payment(application, participant)
    assert await application.notices.payments_since(PAID) == 1
    assert await application.notices.payments_since(PAID - timedelta(days=30)) == 0
    assert await application.notices.payments_since(PAID + timedelta(days=1)) == 0


async def test_many_are_announced_in_pages(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than one page of payments: none is skipped, none is told twice."""
    monkeypatch.setattr(notices, "_AT_ONCE", 20)
    (participant,) = await people.add(application.engine, people.Person())
    await add_payment(application, participant)
    await execute(
        application,
        "INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents,"
        " method, paid_on) SELECT 'Q' || n, case_id, participant_id, direction, n, method, paid_on"
        " FROM payment, generate_series(1, 45) AS n",
    )
    assert await application.notices.payments_since(PAID) == 46
    rows = await fetch(
        application, "SELECT count(DISTINCT idempotency_key) AS n FROM communication"
    )
    assert rows == [{"n": 46}]
