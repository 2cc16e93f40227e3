"""The monthly statement run: whose, of which payments, once, and never of a month not over."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from engine.bootstrap import Application
from engine.caseload.statements import StatementRun
from engine.communications.bulk_recording import Bulk
from engine.communications.campaigns import CampaignBell
from engine.communications.catalogue import StatementFacts
from engine.communications.claims import facts_from
from engine.communications.frozen_facts import FACTS
from engine.errors import InputError
from tests import people
from tests.database_rows import execute, fetch

OCTOBER = date(2026, 10, 1)
ENROLLED = people.Person("0000000001", paperless=True)


def run(
    application: Application, now: datetime = datetime(2026, 11, 2, 18, tzinfo=UTC)
) -> StatementRun:
    """The run, at the moment `now`."""
    bell = CampaignBell(application.engine, application.doorbell)
    bulk = Bulk(application.engine, bell, application.renderer, lambda: now)
    return StatementRun(bulk, lambda: now)


async def record(statements: StatementRun, *, everyone: bool = False) -> int:
    """Record October; how many were new."""
    async with statements.recording(OCTOBER, everyone=everyone) as recording:
        await recording.write()
    return recording.recorded


async def pay(application: Application, participant: int, *payments: tuple[str, int, date]) -> None:
    """Payments of `participant`, in an open case that is theirs."""
    await execute(
        application,
        "INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES (lpad($1::text, 15, '0'), 'Yolo', 'open', '2020-01-01')",
        str(participant),
    )
    await execute(
        application,
        "INSERT INTO case_party (case_id, participant_id, role)"
        " SELECT id, $1::bigint, 'payer' FROM support_case"
        " WHERE external_id = lpad($1::bigint::text, 15, '0')",
        participant,
    )
    for number, (direction, cents, day) in enumerate(payments):
        await execute(
            application,
            "INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents,"
            " method, paid_on) SELECT $1::text, id, $2::bigint, $3::text, $4::bigint, 'card', $5"
            " FROM support_case WHERE external_id = lpad($2::bigint::text, 15, '0')",
            f"{participant}-{number}",
            participant,
            direction,
            cents,
            day,
        )


async def told(application: Application) -> list[StatementFacts]:
    """What the statements say, by participant."""
    rows = await fetch(
        application,
        f"SELECT notice, {FACTS} AS facts FROM communication ORDER BY participant_id",
    )
    facts = [facts_from(str(row["notice"]), str(row["facts"])) for row in rows]
    return [each for each in facts if isinstance(each, StatementFacts)]


async def test_a_statement_has_the_payments_of_its_month(application: Application) -> None:
    """From its first day to its last, oldest first, and the sums of both directions."""
    (participant,) = await people.add(application.engine, ENROLLED)
    await pay(
        application,
        participant,
        ("sent", 1, date(2026, 9, 30)),
        ("sent", 20_000, date(2026, 10, 31)),
        ("made", 500, date(2026, 10, 1)),
        ("sent", 300, date(2026, 10, 15)),
        ("made", 4, date(2026, 11, 1)),
    )
    assert await record(run(application)) == 1
    (facts,) = await told(application)
    assert facts.month == OCTOBER
    assert [(each.paid_on.day, each.direction, each.amount_cents) for each in facts.lines] == [
        (1, "made", 500),
        (15, "sent", 300),
        (31, "sent", 20_000),
    ]
    assert (facts.made_cents, facts.sent_cents) == (500, 20_300)
    assert {each.case_number for each in facts.lines} == {f"{participant:015d}"}


async def test_statements_are_for_those_enrolled(application: Application) -> None:
    """Who chose paper, or has no email that may be used, has none, unless everyone shall."""
    persons = [
        ENROLLED,
        people.Person("0000000002", paperless=False),
        people.Person("0000000003", paperless=True, email=None),
        people.Person("0000000004", paperless=True, email_safe=False),
        people.Person("0000000005", paperless=True),
    ]
    ids = await people.add(application.engine, *persons)
    for participant in ids[:4]:
        await pay(application, participant, ("sent", 100, date(2026, 10, 5)))
    assert await record(run(application)) == 1
    assert await record(run(application), everyone=True) == 3
    rows = await fetch(
        application,
        "SELECT participant_id, route -> 0 -> 0 ->> 0 AS first FROM communication ORDER BY 1",
    )
    assert [row["participant_id"] for row in rows] == ids[:4]
    assert [row["first"] for row in rows] == ["inbox", "mail", "mail", "mail"]


async def test_a_month_without_money_is_a_statement_too(application: Application) -> None:
    """Whoever has an open case reads that nothing was paid; whose case is closed has none."""
    ids = await people.add(application.engine, ENROLLED, replace(ENROLLED, external_id="2"))
    for participant in ids:
        await pay(application, participant)
    await execute(
        application, "UPDATE support_case SET status = 'closed' WHERE external_id LIKE '%2'"
    )
    assert await record(run(application)) == 1
    (facts,) = await told(application)
    assert (facts.lines, facts.made_cents, facts.sent_cents) == ((), 0, 0)


async def test_a_month_is_told_once(application: Application) -> None:
    """A second run adds those who enrolled since, and nobody twice."""
    first, second = await people.add(
        application.engine, ENROLLED, people.Person("0000000002", paperless=False)
    )
    for participant in (first, second):
        await pay(application, participant, ("sent", 100, date(2026, 10, 5)))
    assert await record(run(application)) == 1
    assert await record(run(application)) == 0
    await execute(application, "UPDATE participant SET paperless = true")
    assert await record(run(application)) == 1


async def test_a_month_that_is_not_over_is_refused(application: Application) -> None:
    """In Pacific time: at eleven in the evening of its last day there it is the next in UTC."""
    late = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    with pytest.raises(InputError, match="2026-10 is not over"):
        await record(run(application, late))
    assert await record(run(application, datetime(2026, 11, 1, 7, 30, tzinfo=UTC))) == 0


async def test_the_clock_records_it_on_the_first_business_day(application: Application) -> None:
    """Not before it, later where that day was missed, and not where somebody did so by hand."""
    (participant,) = await people.add(application.engine, ENROLLED)
    await pay(application, participant, ("sent", 100, date(2026, 10, 5)))
    sunday = run(application, datetime(2026, 11, 1, 20, tzinfo=UTC))
    tuesday = run(application, datetime(2026, 11, 3, 20, tzinfo=UTC))
    assert await sunday.record_when_due() == 0
    assert await tuesday.record_when_due() == 1
    await execute(application, "UPDATE communication SET idempotency_key = 'another'")
    assert await tuesday.record_when_due() == 0
