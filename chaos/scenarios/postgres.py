"""3: a PostgreSQL that crashes, drops everybody, gives up transactions, and has no room."""

import asyncio
from typing import Any, Final

from chaos.scenario import Scenario
from chaos.world import World
from engine.database import create_engine, driver_connection

_PACE: Final = 0.02
_TERMINATE: Final = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# The trigger stands for two transactions that met: PostgreSQL gives one of them up (SQLSTATE
# 40001), and whoever began it begins it again.
_GIVE_UP: Final = """
CREATE FUNCTION chaos_gives_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.2 THEN
        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_gives_up AFTER UPDATE OR INSERT ON delivery
FOR EACH STATEMENT EXECUTE FUNCTION chaos_gives_up();
CREATE TRIGGER chaos_gives_up AFTER INSERT ON delivery_event
FOR EACH STATEMENT EXECUTE FUNCTION chaos_gives_up();
"""
_GIVE_UP_NO_MORE: Final = "DROP FUNCTION chaos_gives_up() CASCADE"


async def restart(world: World) -> None:
    """Crashed (SIGQUIT) and started, twice."""
    for share in (0.2, 0.5):
        await world.until_taken(share)
        async with world.broken("PostgreSQL crashed and started"):
            await asyncio.to_thread(world.ground.crash_postgres)
            await asyncio.sleep(2)
            await asyncio.to_thread(world.ground.start_postgres)


async def terminate(world: World) -> None:
    """Every connection is ended at once, five times."""
    for share in (0.1, 0.2, 0.3, 0.4, 0.5):
        await world.until_taken(share)
        async with world.broken("connections terminated"):
            await _say(world, _TERMINATE)


async def give_up(world: World) -> None:
    """Every fifth statement that writes down a delivery or an event fails, for a while."""
    await world.until_taken(0.1)
    async with world.broken("serialization failures"):
        await _say(world, _GIVE_UP)
        await asyncio.sleep(15)
        await _say(world, _GIVE_UP_NO_MORE)


async def _say(world: World, statement: str) -> Any:
    """Say something on a connection that nobody else uses."""
    assert world.settings.database_url is not None  # noqa: S101  every world has one
    engine = create_engine(world.settings.database_url.get_secret_value())
    try:
        async with engine.begin() as connection:
            return await (await driver_connection(connection)).execute(statement)
    finally:
        await engine.dispose()


async def fill_disk(world: World) -> None:
    """Not a byte is left where PostgreSQL keeps its data, for a while."""
    await world.until_taken(0.2)
    async with world.broken("disk full"):
        await asyncio.to_thread(world.ground.fill_disk)
        await asyncio.sleep(15)
        await asyncio.to_thread(world.ground.free_disk)
    world.notes.append(world.ground.own_disk.how)


SCENARIOS: Final = (
    Scenario("postgres-restarted", 3, "PostgreSQL crashed and started, twice", restart, pace=_PACE),
    Scenario(
        "postgres-terminated", 3, "every connection terminated, five times", terminate, pace=_PACE
    ),
    Scenario("postgres-gives-up", 3, "serialization failures, for 15 s", give_up, pace=_PACE),
    Scenario("disk-full", 3, "PostgreSQL's disk full, for 15 s", fill_disk, pace=_PACE),
)
