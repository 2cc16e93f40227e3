"""Cases as a party sees them: balances of the case, and of the other party a role."""

from dataclasses import astuple
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.caseload.cases import AccountBalance, case_of, cases_of
from engine.database import driver_connection
from tests import people

PAYEE = people.Person("0000000002", "Wilhelmina", "Featherstone", email="payee@example.com")


@pytest.fixture
async def parties(database: AsyncEngine) -> list[int]:
    """A payer and a payee of an open case with two accounts, and of an older, closed one; a
    stranger has none."""
    ids = await people.add(
        database, people.Person(), PAYEE, people.Person("0000000003", email=None)
    )
    async with database.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(
            "INSERT INTO support_case (external_id, county, status, opened_on)"
            " VALUES ('C1', 'Yolo', 'closed', '2010-01-01'), ('C2', 'Kern', 'open', '2020-01-01')"
        )
        for case in (1, 2):
            await driver.execute(
                "INSERT INTO case_party (case_id, participant_id, role)"
                " VALUES ($1, $2, 'payer'), ($1, $3, 'payee')",
                case, ids[0], ids[1],
            )  # fmt: skip
        await driver.execute(
            "INSERT INTO account (external_id, case_id, kind, monthly_cents, balance_cents, as_of)"
            " VALUES ('A1', 2, 'medical_support', 2000, 0, '2026-11-20'),"
            "        ('A2', 2, 'child_support', 52500, 104200, '2026-11-20')"
        )
    return ids


async def test_open_cases_come_first_with_their_balances(
    database: AsyncEngine, parties: list[int]
) -> None:
    """Two cases and two accounts are two cases, not three rows."""
    async with database.connect() as connection:
        cases = await cases_of(connection, parties[0])
    assert [(case.number, case.open, case.role) for case in cases] == [
        ("C2", True, "payer"),
        ("C1", False, "payer"),
    ]
    assert cases[0].accounts == (
        AccountBalance("child_support", 52_500, 104_200, date(2026, 11, 20)),
        AccountBalance("medical_support", 2_000, 0, date(2026, 11, 20)),
    )
    assert (cases[0].balance_cents, cases[1].accounts) == (104_200, ())


async def test_the_other_party_is_a_role_and_no_more(
    database: AsyncEngine, parties: list[int]
) -> None:
    """Nothing that tells who they are comes out of the service."""
    async with database.connect() as connection:
        (case, _) = await cases_of(connection, parties[0])
    assert case.other_roles == ("payee",)
    said = repr(astuple(case))
    for secret in (PAYEE.external_id, PAYEE.first_name, PAYEE.last_name, str(PAYEE.email)):
        assert secret not in said


async def test_a_case_is_there_for_its_parties_alone(
    database: AsyncEngine, parties: list[int]
) -> None:
    """A stranger's question is answered as one about a case that does not exist."""
    async with database.connect() as connection:
        own = await case_of(connection, parties[1], 2)
        assert own is not None
        assert own.role == "payee"
        assert await case_of(connection, parties[2], 2) is None
        assert await case_of(connection, parties[0], 999) is None
        assert await cases_of(connection, parties[2]) == []
