"""What every test shares: real servers, and a plain word about what could not be run here."""

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from engine import bootstrap
from engine.bootstrap import Application, column_sealer
from engine.communications.rendering import Renderer
from engine.database import Base, create_engine, driver_connection
from engine.migrations.grants import WORKER
from engine.migrations.roles import MIGRATOR, login_url
from engine.migrations.run import make_embedded_roles, upgrade
from engine.security.pins import HashCost, PinHasher
from engine.settings import Agency, Settings, load_settings
from engine.stack.embedded import start_postgres, start_redis
from tests.acting import opened_in_parts
from tests.compiled_once import compiled_once
from tests.kept_connections import connections_kept
from tests.smtp_server import SmtpServer, smtp_server

IN_CI = os.environ.get("CI") == "true"
FULL = os.environ.get("CONNECT_FULL") == "1"
_LONGEST = {"test_demo.py", "test_portal_journeys.py", "test_accessibility.py", "test_access.py"}
_NEEDS = "this machine lacks "

# No test asserts a time: a machine that is busy with something else makes none of them fail.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set aside what this machine cannot run, and what only the fuller tier asks for. Begin with
    what takes longest, so that no process waits for it at the end."""
    items.sort(key=lambda item: item.path.name not in _LONGEST)
    for item in items:
        if item.get_closest_marker("full") and not FULL:
            item.add_marker(pytest.mark.skip(reason="fuller tier: .ci/run (CONNECT_FULL=1)"))
        for marker in item.iter_markers("needs"):
            absent = [program for program in marker.args if shutil.which(program) is None]
            if absent and not IN_CI:
                item.add_marker(pytest.mark.skip(reason=f"{_NEEDS}{', '.join(absent)}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which installed programs would have let more tests run, in whichever process."""
    missing: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        _, _, reason = report.longrepr
        _, needs, programs = reason.partition(_NEEDS)
        missing.update(programs.split(", ") if needs else [])
    for program, count in sorted(missing.items()):
        terminalreporter.write_line(f"not run here: {count} test(s) that need {program}")


class _Cheap(HashCost):
    """What production refuses: the hash of a test's PIN keeps no secret."""

    def __post_init__(self) -> None:
        """Refuse nothing."""


@pytest.fixture(scope="session", autouse=True)
def cheap_pin_hashes() -> Iterator[None]:
    """Of the applications that tests open a PIN's hash costs next to nothing: there are thousands.
    tests/security/test_pins.py looks at what it costs everywhere else."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = partial(PinHasher, cost=_Cheap(memory_kib=8, passes=1))
        patch.setattr(bootstrap, "PinHasher", cheap)
        yield


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once() -> Iterator[None]:
    """The applications that tests open share what renders notices, by agency and address, and
    portals what pages are drawn by: to compile the templates takes longer than most tests."""
    known: dict[tuple[str, str], Renderer] = {}

    def shared(agency: Agency, public_url: str) -> Renderer:
        key = (agency.model_dump_json(), public_url)
        if key not in known:
            known[key] = Renderer(agency, public_url)
        return known[key]

    with pytest.MonkeyPatch.context() as patch, compiled_once():
        patch.setattr(bootstrap, "Renderer", shared)
        yield


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A folder for servers. As root PostgreSQL runs under an account of its own, which cannot
    reach into pytest's own folders: those are closed again by every run that starts."""
    with tempfile.TemporaryDirectory(prefix="connect-tests-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_url(servers_folder: Path) -> Iterator[str]:
    """A PostgreSQL of this test run's own, with the schema the migrations make; its owner's URL."""
    server = start_postgres(servers_folder / "postgres")
    asyncio.run(_write_to_no_disk(server.url))
    make_embedded_roles(server.url)
    upgrade(login_url(server.url, MIGRATOR))
    yield server.url
    server.stop()


async def _write_to_no_disk(url: str) -> None:
    """What a power cut would take is of no worth in a test: nothing waits for the disk."""
    engine = create_engine(url)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            await connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        await connection.execute(text("SELECT pg_reload_conf()"))
    await engine.dispose()


@pytest.fixture(scope="session")
def redis_url(servers_folder: Path) -> Iterator[str]:
    """A Redis of this test run's own."""
    server = start_redis(servers_folder / "redis")
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
async def kept_connections() -> AsyncIterator[None]:
    """Connections to PostgreSQL outlive the test that opened them."""
    async with connections_kept():
        yield


@pytest.fixture(scope="session")
async def engine(kept_connections: None, postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to the run's PostgreSQL, without any promise about what is in it."""
    created = create_engine(postgres_url, sealer=column_sealer(load_settings()))
    yield created
    await created.dispose()


@pytest.fixture(scope="session")
async def emptying(engine: AsyncEngine) -> str:
    """Statements that empty every table and start its numbers anew: a TRUNCATE of them all makes
    new files for each, which takes twenty times as long as there is little in them."""
    async with engine.connect() as connection:
        sequences = await connection.execute(
            text("SELECT quote_ident(sequencename) FROM pg_sequences WHERE schemaname = 'public'")
        )
    return ";".join(
        [
            # What the database keeps for ever it gives up only to whoever takes its triggers off.
            "SET LOCAL session_replication_role = replica",
            *(f"DELETE FROM {table.name}" for table in Base.metadata.sorted_tables),
            *(f"SELECT setval('{name}', 1, false)" for (name,) in sequences),
        ]
    )


@pytest.fixture
async def database(engine: AsyncEngine, emptying: str) -> AsyncEngine:
    """The run's PostgreSQL with every table empty."""
    async with engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(emptying)
    return engine


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """The run's Redis, flushed."""
    client = Redis.from_url(redis_url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """An empty data folder."""
    return tmp_path / "data"


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    """A real SMTP server that keeps what it takes."""
    async with smtp_server() as server:
        yield server


@pytest.fixture
def settings(postgres_url: str, redis_url: str, smtp: SmtpServer, data_folder: Path) -> Settings:
    """Settings over the run's servers, with an empty data folder and nothing to wait for."""
    return load_settings(
        database_url=postgres_url,
        redis_url=redis_url,
        smtp_url=smtp.url,
        data_dir=data_folder,
        smtp_timeout_seconds=5,
        sign_in_slow_seconds=0,
        quiet_hours="",
    )


@pytest.fixture
async def application(
    request: pytest.FixtureRequest, settings: Settings, database: AsyncEngine, redis: Redis
) -> AsyncIterator[Application]:
    """The whole application, over empty tables and an empty Redis."""
    acting = request.node.get_closest_marker("acting")
    role = acting.args[0] if acting else WORKER
    async with opened_in_parts(settings, acting=role) as opened:
        yield opened
