"""No page asks the database more often because there is more to show."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from sqlalchemy import event

from engine.database import driver_connection
from engine.portal.app import places
from engine.portal.places import Access
from tests import people
from tests.database_rows import execute
from tests.portal.filled_forms import give_samples
from tests.portal.portal_server import MONDAY_NOON, Portal
from tests.portal.test_documents import post

MANY: Final = 30
OTHER: Final = people.Person("0000000002", "Otra", email="otra@example.com")
PAGES: Final = [
    place.path for place in places() if "GET" in place.methods and place.access is Access.PRIVATE
]
MORE: Final = ("/payments?way=made&from=1/1/2010&case={case_id}", "/messages?case={case_id}")
"""Addresses of pages that ask for a part of what there is."""

_CASE: Final = """
INSERT INTO support_case (external_id, county, status, opened_on)
VALUES (gen_random_uuid(), 'Yolo', 'open', '2021-01-01') RETURNING id
"""
_PARTIES: Final = """
INSERT INTO case_party (case_id, participant_id, role) VALUES ($1, $2, 'payer'), ($1, $3, 'payee')
"""
_ACCOUNTS: Final = """
INSERT INTO account (external_id, case_id, kind, monthly_cents, balance_cents, as_of)
SELECT gen_random_uuid(), $1, kind, 100, 100, '2026-11-20'
FROM unnest(ARRAY['child_support', 'medical_support']) AS kind
"""
_PAYMENT: Final = """
INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents, method, paid_on)
VALUES (gen_random_uuid(), $1, $2, 'made', 100, 'check', '2026-11-01')
"""
_APPOINTMENTS: Final = """
INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place, status)
SELECT gen_random_uuid(), $1, $2, 'court', $3::timestamptz + away, 'Room 7', 'scheduled'
FROM unnest(ARRAY[interval '-9 days', interval '9 days']) AS away RETURNING id
"""
_ANSWER: Final = """
INSERT INTO appointment_answer (appointment_id, starts_at, answer, wish, answered_at)
SELECT id, starts_at, 'reschedule', 'A wish', $2 FROM appointment WHERE id = $1
"""
_QUESTION: Final = """
INSERT INTO caseworker_message (participant_id, case_id, author, body, written_at, reply_due)
VALUES ($2, $1, 'participant', 'A question', $3, '2026-11-30') RETURNING id
"""
_REPLY: Final = """
INSERT INTO caseworker_message
       (participant_id, case_id, author, staff, body, written_at, answers_id)
VALUES ($2, $1, 'caseworker', 'r.ortiz', 'An answer', $3, $4)
"""
_OLDER: Final = """
INSERT INTO contact_point (participant_id, kind, email, superseded_at)
VALUES ($1, 'email', 'older@example.com', now())
"""
_UNREAD: Final = """
WITH document AS (UPDATE document SET opened_at = NULL)
UPDATE caseworker_message SET read_at = NULL
"""


@asynccontextmanager
async def listening(portal: Portal) -> AsyncIterator[list[str]]:
    """The statements that the portal's database is asked meanwhile, in order."""
    heard: list[str] = []
    known: list[Any] = []

    def log(query: Any) -> None:
        heard.append(query.query)

    def listen(connection: Any, _record: Any, _proxy: Any) -> None:
        if connection.driver_connection not in known:
            known.append(connection.driver_connection)
            connection.driver_connection.add_query_logger(log)

    pool = portal.engine.sync_engine.pool
    event.listen(pool, "checkout", listen)
    try:
        yield heard
        await asyncio.sleep(0)  # asyncpg calls its query loggers at the loop's next turn
    finally:
        event.remove(pool, "checkout", listen)
        for driver in known:
            driver.remove_query_logger(log)


async def grow(portal: Portal, reader: int, other: int, number: int) -> dict[str, int]:
    """Give a reader `number` more of everything that a page lists, and of what hangs on each: the
    last ones' ids."""
    ids: dict[str, int] = {}
    async with portal.application.engine.begin() as connection:
        driver = await driver_connection(connection)
        for _ in range(number):
            case = await driver.fetchval(_CASE)
            await driver.execute(_PARTIES, case, reader, other)
            await driver.execute(_ACCOUNTS, case)
            await driver.execute(_PAYMENT, case, reader)
            [_, appointment] = await driver.fetch(_APPOINTMENTS, case, reader, MONDAY_NOON)
            await driver.execute(_ANSWER, appointment["id"], MONDAY_NOON)
            question = await driver.fetchval(_QUESTION, case, reader, MONDAY_NOON)
            await driver.execute(_REPLY, case, reader, MONDAY_NOON, question)
            await driver.execute(_OLDER, reader)
            ids = {"case_id": case, "appointment_id": appointment["id"]}
    await post(portal, number, reader)
    return ids


@pytest.mark.parametrize("path", [*PAGES, *MORE])
async def test_rows_cost_no_statement_each(portal: Portal, path: str) -> None:
    """One of everything, or thirty-one: the same statements, on every page and for every file."""
    [other] = await people.add(portal.application.engine, OTHER)
    browser = await portal.signed_in(1)
    await give_samples(portal.application)
    ids = await grow(portal, 1, other, 1) | {"document_id": 1}
    asked = f"/en{path.format_map(ids)}"
    await browser.get(asked)  # a new connection asks the database about itself
    heard = []
    for number in (0, MANY):
        await grow(portal, 1, other, number)
        await execute(portal.application, _UNREAD)
        async with listening(portal) as statements:
            assert (await browser.get(asked)).status_code == 200
        heard.append(statements)
    few, many = heard
    assert many == few
    assert len(few) > 1
