"""A backup of the run's database and its restore, in the test's own memory: what `pg_dump` and
`pg_restore` do, in a tenth of a second."""

import io
from dataclasses import dataclass

from engine.bootstrap import Application
from engine.database import Base, driver_connection


@dataclass(frozen=True, slots=True)
class Backup:
    """Every table, and every sequence's last number."""

    tables: dict[str, bytes]
    sequences: dict[str, int | None]


async def back_up(application: Application) -> Backup:
    """The database as it is now."""
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        tables = {}
        for table in Base.metadata.sorted_tables:
            content = io.BytesIO()
            await driver.copy_from_table(table.name, output=content)
            tables[table.name] = content.getvalue()
        sequences = await driver.fetch("SELECT sequencename, last_value FROM pg_sequences")
    return Backup(tables, {row["sequencename"]: row["last_value"] for row in sequences})


async def restore(application: Application, backup: Backup, emptying: str) -> None:
    """The database as it was then."""
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(emptying)
        for name, content in backup.tables.items():
            if content:
                await driver.copy_to_table(name, source=io.BytesIO(content))
        for name, last in backup.sequences.items():
            if last is not None:
                await driver.execute("SELECT setval($1::regclass, $2)", name, last)
