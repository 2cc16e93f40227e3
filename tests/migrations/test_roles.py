"""The database roles: each may do what its processes do, and the database refuses the rest."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from asyncpg.exceptions import InsufficientPrivilegeError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.database import create_engine, driver_connection
from engine.migrations.grants import GRANTS, OPERATOR, PORTAL, PURGER, WORKER
from engine.migrations.roles import MIGRATOR, ROLES, faults, login_url

NAMES = (WORKER, PORTAL, OPERATOR, PURGER)


@asynccontextmanager
async def undone(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction of which nothing stays."""
    async with engine.connect() as connection:
        begun = await connection.begin()
        yield connection
        await begun.rollback()


def refusals() -> Iterator[tuple[str, str]]:
    """Role, and a statement that it is refused."""
    for role in NAMES:
        yield role, "CREATE TABLE of_its_own (id integer)"
        yield role, "DROP TABLE participant"
        yield role, "ALTER TABLE delivery_event DISABLE TRIGGER append_only"
        yield role, "SET session_replication_role = replica"
        yield role, "TRUNCATE audit_entry"
        yield role, "UPDATE audit_entry SET actor = 'nobody'"
        yield role, "UPDATE alembic_version SET version_num = '0001'"
    for role in (WORKER, PORTAL, OPERATOR):
        yield role, "DELETE FROM audit_entry"
        yield role, "DELETE FROM communication"
        yield role, "DELETE FROM delivery"
        yield role, "DELETE FROM document"
        yield role, "DELETE FROM pin_credential"
    for role in (WORKER, OPERATOR):
        yield role, "SELECT hash FROM pin_credential"
        yield role, "SELECT token_hash FROM portal_session"
        yield role, "UPDATE portal_session SET stage = 'full'"
        yield role, "INSERT INTO portal_session (token_hash, stage) VALUES ('', 'full')"
    yield WORKER, "SELECT body FROM caseworker_message"
    yield WORKER, "SELECT facts FROM other_party_report"
    yield WORKER, "SELECT token_hash FROM email_confirmation"
    yield WORKER, "UPDATE contact_point SET email = 'elsewhere@example.com'"
    yield WORKER, "UPDATE participant SET confidential = false"
    yield WORKER, "INSERT INTO payment (external_id) VALUES ('1')"
    yield WORKER, "SELECT why FROM legal_hold"
    yield WORKER, "SET ROLE connect_purger"
    yield PORTAL, "SELECT secret FROM delivery"
    yield PORTAL, "SELECT * FROM delivery"
    yield PORTAL, "SELECT facts FROM communication"
    yield PORTAL, "SELECT facts FROM other_party_report"
    yield PORTAL, "UPDATE contact_point SET email = 'elsewhere@example.com'"
    yield PORTAL, "UPDATE participant SET confidential = false"
    yield PORTAL, "UPDATE payment SET amount_cents = 1"
    yield PORTAL, "UPDATE support_case SET county = 'Yolo'"
    yield PORTAL, "SELECT name FROM print_batch"
    yield PORTAL, "SELECT piece_id FROM print_piece"
    yield PORTAL, "SELECT why FROM legal_hold"
    yield PORTAL, "SELECT subject FROM operator_act"
    yield PORTAL, "SET ROLE connect_purger"
    yield PORTAL, "SET ROLE connect_worker"
    yield PURGER, "SELECT secret FROM delivery"
    yield PURGER, "SELECT hash FROM pin_credential"
    yield PURGER, "UPDATE communication SET state = 'met'"
    yield PURGER, "UPDATE legal_hold SET lifted_at = now(), lifted_by = ''"
    yield PURGER, "DELETE FROM legal_hold"


@pytest.fixture(scope="module")
async def logins(postgres_url: str) -> AsyncIterator[dict[str, AsyncEngine]]:
    """Connections of each role."""
    engines = {role: create_engine(login_url(postgres_url, role)) for role in NAMES}
    yield engines
    for engine in engines.values():
        await engine.dispose()


@pytest.mark.parametrize(("role", "statement"), [*refusals()], ids=lambda said: said[:60])
async def test_what_a_role_does_not_need_is_refused(
    logins: dict[str, AsyncEngine], role: str, statement: str
) -> None:
    """By PostgreSQL, whatever our code says."""
    async with undone(logins[role]) as connection:
        driver = await driver_connection(connection)
        with pytest.raises(InsufficientPrivilegeError, match=r"permission denied|must be owner"):
            await driver.execute(statement)


async def test_the_grants_are_those_declared(engine: AsyncEngine) -> None:
    """No table is without an entry, and no role has more or less than its entry says."""
    async with undone(engine) as connection:
        assert await connection.run_sync(faults) == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "CREATE TABLE forgotten (id integer)",
            "forgotten: engine/migrations/grants.py does not say who may read and write it",
        ),
        (
            "GRANT DELETE ON audit_entry TO connect_worker",
            "audit_entry: connect_worker has DELETE, which is not declared",
        ),
        (
            "GRANT SELECT (secret) ON delivery TO connect_portal",
            "delivery: connect_portal has SELECT of secret, which is not declared",
        ),
        (
            "GRANT SELECT ON participant TO PUBLIC",
            "participant: PUBLIC has SELECT, which is not declared",
        ),
        (
            "REVOKE INSERT ON submission FROM connect_portal",
            "submission: connect_portal lacks INSERT",
        ),
    ],
)
async def test_a_grant_that_is_off_is_named(
    engine: AsyncEngine, statement: str, fault: str
) -> None:
    """A table that a migration made and nobody granted, a right too many, one too few."""
    async with undone(engine) as connection:
        await connection.execute(text(statement))
        assert await connection.run_sync(faults) == [fault]


async def test_what_is_append_only_can_be_added_to_and_read(engine: AsyncEngine) -> None:
    """Of every table that the database keeps append-only no role may change a row, and only the
    purger may remove one."""
    async with engine.connect() as connection:
        named = await connection.scalars(
            text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only'")
        )
        tables = list(named)
    assert len(tables) >= 10
    for table in tables:
        for role, rights in GRANTS[table].items():
            assert "UPDATE" not in rights, (table, role)
            assert ("DELETE" in rights) <= (role == PURGER), (table, role)


async def test_the_migrator_owns_everything(engine: AsyncEngine) -> None:
    """A login that is no superuser made the schema that all these tests run on."""
    async with engine.connect() as connection:
        owners = await connection.scalars(
            text(
                "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
                " WHERE relnamespace = 'public'::regnamespace UNION"
                " SELECT DISTINCT pg_get_userbyid(proowner) FROM pg_proc"
                " WHERE pronamespace = 'public'::regnamespace"
            )
        )
        assert list(owners) == [MIGRATOR]
        supers = await connection.scalars(
            text("SELECT rolname FROM pg_roles WHERE rolsuper AND rolname LIKE 'connect%'")
        )
        assert list(supers) == []
        assert set(ROLES) == {MIGRATOR, *NAMES}
