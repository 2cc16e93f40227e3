"""7: rows that no template can say or no catalogue knows, and jobs that nobody can read."""

import asyncio
import json
import pickle
from typing import Final

from redis.asyncio import Redis

from chaos.scenario import Scenario
from chaos.world import World
from engine.communications.doorbell import DELIVER, QUEUES
from engine.database import driver_connection

_ONE_IN: Final = 1_000
_POISONED_SECONDS: Final = 15.0

# An amount of 32 digits is one by its type; what writes money cannot write it.
_TEMPLATE_RAISES: Final = """
UPDATE communication SET facts = jsonb_set(facts, '{amount_cents}', to_jsonb(10::numeric ^ 31))
WHERE id IN (
    SELECT communication.id FROM communication JOIN delivery ON communication_id = communication.id
    WHERE notice = 'payment_notice' AND delivery.state = 'owed' ORDER BY communication.id DESC
    LIMIT greatest(1, (SELECT count(*) FROM communication) / $1)
) RETURNING id
"""
_CATALOGUE_REFUSES: Final = """
UPDATE communication SET facts = '{"of": "another version"}'
WHERE id IN (
    SELECT communication.id FROM communication JOIN delivery ON communication_id = communication.id
    WHERE notice = 'payment_notice' AND delivery.state = 'owed' AND communication.id <> ALL($2)
    ORDER BY communication.id DESC LIMIT greatest(1, (SELECT count(*) FROM communication) / $1)
) RETURNING id
"""
_KEEP: Final = "CREATE TABLE chaos_facts AS SELECT id, facts FROM communication"
_MEND: Final = """
UPDATE communication SET facts = chaos_facts.facts
FROM chaos_facts WHERE chaos_facts.id = communication.id AND communication.id = ANY($1::bigint[])
"""
_TRY_NOW: Final = """
UPDATE delivery SET next_attempt_at = now(), rung_at = now() - interval '2 minutes'
WHERE communication_id = ANY($1::bigint[]) AND state = 'owed'
"""


async def poison(world: World) -> None:
    """One row in a thousand cannot be said, one in a thousand cannot be read, and jobs of another
    version stand in the queues; after a while a person mends the rows."""
    async with world.broken("poisoned rows and jobs"):
        mute, strange = await _poison(world)
        await _enqueue_strange_jobs(world)
        before = world.mail.held
        await asyncio.sleep(_POISONED_SECONDS)
        await world.until_taken(0.5)
        if world.mail.held <= before and world.left:
            world.faults.append("poisoned rows kept the others from being sent")
        await _mend(world, [*mute, *strange])
    world.notes.append(
        f"{len(mute)} row(s) that no template can say, {len(strange)} that no catalogue knows"
    )


async def _poison(world: World) -> tuple[list[int], list[int]]:
    async with world.application.engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(_KEEP)
        mute = [row["id"] for row in await driver.fetch(_TEMPLATE_RAISES, _ONE_IN)]
        strange = [row["id"] for row in await driver.fetch(_CATALOGUE_REFUSES, _ONE_IN, mute)]
    return mute, strange


async def _enqueue_strange_jobs(world: World) -> None:
    """What an older or a newer version might have left in the queues."""
    payloads = (
        pickle.dumps({"t": 1, "f": DELIVER, "a": ([1],), "k": {}, "et": 1}),
        json.dumps({"t": 1, "f": DELIVER, "a": ["1"], "k": {}, "et": 1}).encode(),
        json.dumps({"t": 1, "f": DELIVER, "a": [[1]], "k": {"more": 1}, "et": 1}).encode(),
        json.dumps({"t": 1, "f": "send_fax", "a": [[1]], "k": {}, "et": 1}).encode(),
        b"{",
    )
    async with Redis.from_url(world.ground.redis.url) as redis:
        for queue in ("urgent", "bulk"):
            for number, payload in enumerate(payloads):
                name = f"strange-{queue}-{number}"
                await redis.set(f"arq:job:{name}", payload)
                await redis.zadd(QUEUES[queue], {name: number})


async def _mend(world: World, poisoned: list[int]) -> None:
    """What a person does: the facts are put right, and what was held is sent on."""
    async with world.application.engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(_MEND, poisoned)
        await driver.execute(_TRY_NOW, poisoned)
    await world.application.held.send_on(poisoned)


SCENARIOS: Final = (
    Scenario(
        "poison",
        7,
        "a row in a thousand that cannot be said, one that cannot be read, jobs of other versions",
        poison,
        pace=0.02,
    ),
)
