"""2: a Redis that forgets, dies, stays away, and has no room."""

import asyncio
from typing import Final

from redis.asyncio import Redis

from chaos.scenario import Scenario
from chaos.world import World

AWAY_SECONDS: Final = 60.0
_FULL_SECONDS: Final = 15.0
_PACE: Final = 0.02


async def flush(world: World) -> None:
    """Everything that it holds is gone, three times."""
    for share in (0.1, 0.3, 0.5):
        await world.until_taken(share)
        async with world.broken("Redis flushed"):
            await world.ground.flush_redis()


async def restart(world: World) -> None:
    """Killed, and started empty."""
    await world.until_taken(0.3)
    async with world.broken("Redis killed and started"):
        await asyncio.to_thread(world.ground.kill_redis)
        await asyncio.sleep(2)
        await asyncio.to_thread(world.ground.start_redis)


async def away(world: World) -> None:
    """Gone for a whole minute."""
    await world.until_taken(0.2)
    async with world.broken("Redis gone"):
        await asyncio.to_thread(world.ground.kill_redis)
        await asyncio.sleep(AWAY_SECONDS)
        await asyncio.to_thread(world.ground.start_redis)


async def full(world: World) -> None:
    """It refuses every write, as `noeviction` does when the memory is used up."""
    await world.until_taken(0.2)
    async with Redis.from_url(world.ground.redis.url) as client, world.broken("Redis full"):
        await client.config_set("maxmemory-policy", "noeviction")
        await client.config_set("maxmemory", "1")
        await asyncio.sleep(_FULL_SECONDS)
        await client.config_set("maxmemory", "0")


SCENARIOS: Final = (
    Scenario("redis-flushed", 2, "Redis flushed, three times", flush, pace=_PACE),
    Scenario("redis-restarted", 2, "Redis killed and started, empty", restart, pace=_PACE),
    Scenario("redis-away", 2, f"Redis gone for {AWAY_SECONDS:.0f} s", away, pace=_PACE),
    Scenario("redis-full", 2, "Redis out of memory, noeviction", full, pace=_PACE),
)
