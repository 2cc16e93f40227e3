"""The outbox and the doorbell: recorded with the fact, rung after the commit, by ids alone."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.communications.catalogue import (
    TEMPORARY_PIN,
    Channel,
    TemporaryPinFacts,
)
from engine.communications.doorbell import QUEUES, Doorbell
from engine.communications.outbox import Obligation
from engine.communications.routing import in_order
from engine.database import driver_connection
from engine.errors import InputError
from tests import people, promises


def payment(participant_id: int, key: str = "payment:1") -> Obligation:
    """A payment notice by email, then by mail."""
    return promises.payment(participant_id, key=key)


async def count(engine: AsyncEngine, table: str) -> int:
    """Rows of `table`."""
    async with engine.connect() as connection:
        driver = await driver_connection(connection)
        found: int = await driver.fetchval(f"SELECT count(*) FROM {table}")
        return found


async def test_one_key_is_one_communication(application: Application) -> None:
    """An obligation recorded twice under one key, at once or later, is owed once."""
    (person,) = await people.add(application.engine, people.Person())
    async with application.outbox.transaction() as transaction:
        first = await transaction.record(payment(person))
        again = await transaction.record(payment(person))
    async with application.outbox.transaction() as transaction:
        later = await transaction.record_all([payment(person), payment(person)])
    assert first is not None
    assert again is None
    assert later == {}
    assert await count(application.engine, "communication") == 1
    assert await count(application.engine, "delivery") == 1


async def test_what_fails_owes_nothing_and_rings_nobody(
    application: Application, redis: Redis
) -> None:
    """When the fact is rolled back, so is what it owed, and the doorbell stays silent."""
    (person,) = await people.add(application.engine, people.Person())

    async def fail_after_recording() -> None:
        async with application.outbox.transaction() as transaction:
            await transaction.record(payment(person))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_recording()
    assert await count(application.engine, "communication") == 0
    assert await redis.keys("*") == []


async def test_each_channel_carries_its_own_promise(application: Application) -> None:
    """The deadline is the first channel's, in business days from the request."""
    (person,) = await people.add(application.engine, people.Person())
    async with application.outbox.transaction() as transaction:
        await transaction.record(payment(person))
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        row = await driver.fetchrow(
            "SELECT communication.due_by AS owed, delivery.due_by AS promised, channel"
            " FROM delivery JOIN communication ON communication.id = communication_id"
        )
    assert dict(row) == {
        "owed": date(2026, 11, 24),
        "promised": date(2026, 11, 24),
        "channel": "email",
    }


async def test_the_doorbell_carries_ids_and_nothing_else(
    application: Application, redis: Redis
) -> None:
    """Five hundred ids are one job, on the queue of their urgency; nobody's name is in Redis."""
    persons = await people.add(application.engine, *people.crowd(501))
    async with application.outbox.transaction() as transaction:
        await transaction.record_all([payment(id_, f"payment:{id_}") for id_ in persons])
    assert await redis.zcard(QUEUES["bulk"]) == 2
    assert await redis.zcard(QUEUES["urgent"]) == 0
    held = b"".join([await redis.get(key) for key in await redis.keys("arq:job:*")])
    assert b"Pe" not in held
    assert b"example.com" not in held


async def test_a_silent_redis_does_not_stop_the_recording(
    application: Application,
) -> None:
    """A doorbell that cannot ring is a warning: the obligation is committed all the same."""
    (person,) = await people.add(application.engine, people.Person())
    dead = Doorbell.at("redis://127.0.0.1:9")
    outbox = type(application.outbox)(
        application.engine, dead, application.outbox.secrets, application.renderer
    )
    async with outbox.transaction() as transaction:
        await transaction.record(payment(person))
    await dead.close()
    assert await count(application.engine, "communication") == 1


async def test_a_secret_is_sealed_before_it_is_committed(application: Application) -> None:
    """The PIN's row holds a hash and the delivery a sealed box; neither is the PIN."""
    (person,) = await people.add(application.engine, people.Person())
    async with application.outbox.transaction() as transaction:
        await transaction.record(
            Obligation(
                key="temporary_pin:1",
                notice=TEMPORARY_PIN,
                participant_id=person,
                language="es",
                facts=TemporaryPinFacts(name="Inés Peña-Ibáñez"),
                route=in_order(Channel.EMAIL),
                requested_at=promises.ASKED,
            )
        )
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        row = await driver.fetchrow(
            "SELECT hash, secret, secret_key_id FROM delivery"
            " JOIN pin_credential ON delivery_id = delivery.id"
        )
    assert "$argon2id$" in row["hash"]
    assert row["secret_key_id"] == application.settings.sealing_key_id
    assert len(row["secret"]) == 12 + 6 + 16  # nonce, PIN, GCM tag


def test_an_obligation_refuses_what_it_cannot_keep() -> None:
    """No route, or another notice's facts, or a naive hour: refused before anything is written."""
    with pytest.raises(InputError, match="the route has no channel"):
        replace(payment(1), route=())
    with pytest.raises(InputError, match="its facts must be PaymentFacts"):
        replace(payment(1), facts=TemporaryPinFacts(name="x"))
    with pytest.raises(ValueError, match="time zone"):
        replace(payment(1), requested_at=datetime(2026, 11, 23))  # noqa: DTZ001  naive on purpose
