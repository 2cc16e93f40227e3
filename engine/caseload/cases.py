"""A participant's cases as the participant may see them: the other party is a role and no more."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection

_CASES: Final = """
SELECT support_case.id, support_case.external_id, county, status, opened_on, mine.role,
       (SELECT array_agg(role ORDER BY role) FROM case_party AS other
        WHERE other.case_id = support_case.id AND other.participant_id <> $1) AS other_roles,
       account.kind, monthly_cents, balance_cents, as_of
FROM case_party AS mine
JOIN support_case ON support_case.id = mine.case_id
LEFT JOIN account ON account.case_id = support_case.id
WHERE mine.participant_id = $1 AND ($2::bigint IS NULL OR support_case.id = $2)
ORDER BY status DESC, opened_on DESC, support_case.id, account.kind, account.id
"""


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What is ordered by the month, and what is past due, as of a day."""

    kind: str
    monthly_cents: int
    balance_cents: int
    as_of: date


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """One case: who its reader is in it (`payer` or `payee`), and what each other party is."""

    id: int
    number: str
    county: str
    open: bool
    opened_on: date
    role: str
    other_roles: tuple[str, ...]
    accounts: tuple[AccountBalance, ...]

    @property
    def balance_cents(self) -> int:
        """What is past due on all accounts together."""
        return sum(account.balance_cents for account in self.accounts)


async def cases_of(connection: AsyncConnection, participant_id: int) -> list[CaseSummary]:
    """The participant's cases, open ones first, the newest of them first; one statement."""
    return await _read(connection, participant_id, None)


async def case_of(
    connection: AsyncConnection, participant_id: int, case_id: int
) -> CaseSummary | None:
    """One of the participant's cases; None where it is none of theirs."""
    found = await _read(connection, participant_id, case_id)
    return found[0] if found else None


async def _read(
    connection: AsyncConnection, participant_id: int, case_id: int | None
) -> list[CaseSummary]:
    driver = await driver_connection(connection)
    rows = await driver.fetch(_CASES, participant_id, case_id)
    return [_summary(list(same)) for _, same in groupby(rows, itemgetter("id"))]


def _summary(rows: list[Any]) -> CaseSummary:
    first = rows[0]
    return CaseSummary(
        id=first["id"],
        number=first["external_id"],
        county=first["county"],
        open=first["status"] == "open",
        opened_on=first["opened_on"],
        role=first["role"],
        other_roles=tuple(first["other_roles"] or ()),
        accounts=tuple(_accounts(rows)),
    )


def _accounts(rows: list[Any]) -> Iterator[AccountBalance]:
    for row in rows:
        if row["kind"] is not None:
            yield AccountBalance(
                row["kind"], row["monthly_cents"], row["balance_cents"], row["as_of"]
            )
