"""Looking into the database from a test."""

from engine.bootstrap import Application
from engine.database import driver_connection


async def fetch(
    application: Application, query: str, *arguments: object
) -> list[dict[str, object]]:
    """Rows of a query, as dictionaries."""
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        return [dict(row) for row in await driver.fetch(query, *arguments)]


async def execute(application: Application, statement: str, *arguments: object) -> None:
    """Run a statement and commit."""
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(statement, *arguments)


async def delivery_ids(application: Application, state: str = "owed") -> list[int]:
    """The ids of the deliveries in `state`, oldest first."""
    rows = await fetch(application, "SELECT id FROM delivery WHERE state = $1 ORDER BY id", state)
    return [int(str(row["id"])) for row in rows]


async def states(application: Application) -> list[object]:
    """The state of every delivery, by id."""
    rows = await fetch(application, "SELECT state FROM delivery ORDER BY id")
    return [row["state"] for row in rows]
