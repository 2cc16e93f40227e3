"""The one PostgreSQL: table metadata, connections, and the route for bulk work through asyncpg."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import MetaData, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Every table of the system; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def asyncpg_url(url: str) -> URL:
    """`url` as SQLAlchemy wants it: the asyncpg driver, whatever driver was named."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def libpq_url(url: str) -> str:
    """`url` as asyncpg and the PostgreSQL programs want it, password included: never print it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Sealer(Protocol):
    """What seals and opens personal columns on the way: `engine.security.sealed_columns`."""

    async def attach(self, driver: Any) -> None:
        """Take care of an asyncpg connection."""


def create_engine(url: str, pool_size: int = 5, sealer: Sealer | None = None) -> AsyncEngine:
    """An engine whose pooled connections are tested before use, so that a restart is survived.

    Without a `sealer` personal columns can be neither read nor written.
    """
    created = create_async_engine(
        asyncpg_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    if sealer is not None:
        # It needs no word from the server: a connection costs no more than before.
        @event.listens_for(created.sync_engine, "connect")
        def attach(connection: Any, _record: object) -> None:
            connection.run_async(sealer.attach)

    return created


async def driver_connection(connection: AsyncConnection) -> Any:
    """The asyncpg connection under `connection`, in its transaction, for COPY and array binding.

    asyncpg publishes no types.
    """
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    if not driver.is_in_transaction():
        # SQLAlchemy tells PostgreSQL of a transaction at the first statement that it sees itself;
        # without one, what is said to the driver would commit by itself.
        await connection.execute(text("SELECT"))
    return driver


async def driver_for_ids(connection: AsyncConnection) -> Any:
    """The same, for statements that are named the rows they are about.

    PostgreSQL plans such a statement by the length of the array it is given, and up to some tens of
    thousands of rows reads a table whole for a hundred of them; planned once for any array, it
    looks each up.
    """
    await connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    return await driver_connection(connection)


@asynccontextmanager
async def advisory_lock(engine: AsyncEngine, name: str) -> AsyncIterator[bool]:
    """Whether we alone hold the lock `name`; PostgreSQL drops it with the connection if we die."""
    async with engine.connect() as connection:
        held = await connection.execution_options(isolation_level="AUTOCOMMIT")
        key = {"name": name}
        taken = await held.scalar(
            text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), key
        )
        try:
            yield bool(taken)
        finally:
            if taken:
                await held.execute(
                    text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), key
                )
