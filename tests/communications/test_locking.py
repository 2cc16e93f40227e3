"""Two who write down what became of deliveries beside each other never wait in a ring."""

import asyncio

from redis.asyncio import Redis

from engine.bootstrap import Application
from engine.caseload.notices import route_of
from engine.communications.catalogue import DOCUMENT_READY
from engine.communications.outbox import Obligation
from engine.database import driver_connection
from engine.stack.bouncing import Fate
from tests import people
from tests.database_rows import fetch
from tests.promises import bounced
from tests.smtp_server import SmtpServer

_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
_LOCK = "SELECT id FROM delivery WHERE id = $1 FOR UPDATE"


async def beside(application: Application) -> dict[str, int]:
    """A document and the email that tells of it; channel → delivery."""
    (person,) = await people.add(application.engine, people.Person(paperless=True))
    async with application.outbox.transaction() as transaction:
        await transaction.record(
            Obligation(
                key="document:1",
                notice=DOCUMENT_READY,
                participant_id=person,
                language="es",
                facts=DOCUMENT_READY.sample,
                route=route_of(enrolled=True, by_email=True, confidential=False),
                requested_at=application.clock(),
            )
        )
    rows = await fetch(application, "SELECT channel, id FROM delivery")
    return {str(row["channel"]): int(str(row["id"])) for row in rows}


async def test_the_first_is_locked_before_its_neighbour(
    application: Application, smtp: SmtpServer, redis: Redis
) -> None:
    """While somebody records what became of a document, a report of the email beside it comes in:
    it waits for the one with the lower number, and holds nothing meanwhile."""
    ids = await beside(application)
    lower, higher = sorted(ids.values())
    assert higher == ids["email"]
    async with application.engine.connect() as watching, application.engine.begin() as connection:
        recorder = await driver_connection(connection)
        await recorder.execute(_LOCK, lower)
        reporting = asyncio.create_task(bounced(application, ids["email"], Fate.GONE))
        watcher = await driver_connection(watching)
        async with asyncio.timeout(60):
            while not await watcher.fetchval(_WAITS):  # noqa: ASYNC110  PostgreSQL tells nobody
                await asyncio.sleep(0.01)
        assert await recorder.fetchval(f"{_LOCK} NOWAIT", higher) == higher
    assert await reporting
