"""What all scenarios stand on: PostgreSQL and Redis of the suite's own, and a sample caseload that
is loaded once and copied for each."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import psutil
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from chaos.disk import Disk
from engine.bootstrap import open_application
from engine.caseload.columns import Rules
from engine.caseload.importing import import_caseload
from engine.caseload.sample import write_sample
from engine.clock import pacific_date, system_clock
from engine.database import create_engine, driver_connection
from engine.migrations.run import make_embedded_roles, upgrade
from engine.settings import Settings
from engine.stack.embedded import (
    EmbeddedPostgres,
    EmbeddedRedis,
    free_port,
    start_postgres,
    start_redis,
)

_TEMPLATE: Final = "sample"
_STOP_SECONDS: Final = 60


@dataclass(slots=True, kw_only=True)
class Ground:
    """The two servers, and where they and the caseload keep what is theirs."""

    folder: Path
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    redis_port: int
    disk: Disk | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """What PostgreSQL is started with."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Start both in `folder`; nothing stays up where one does not start."""
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        with ExitStack() as undo:
            disk = Disk.made(folder / "disk")
            undo.callback(disk.unmount)
            postgres = start_postgres(disk.folder / "postgres")
            undo.callback(postgres.stop)
            redis = start_redis(folder / "redis", port)
            undo.pop_all()
        return cls(folder=folder, postgres=postgres, redis=redis, redis_port=port, disk=disk)

    @property
    def caseload(self) -> Path:
        """The sample's files."""
        return self.folder / "caseload"

    def database_url(self, name: str) -> str:
        """Where the database `name` is."""
        url = make_url(self.postgres.url).set(database=name)
        return url.render_as_string(hide_password=False)

    async def fill(self, settings: Settings) -> None:
        """Load the sample into the database that `settings` name."""
        async with open_application(settings) as application:
            await import_caseload(application.engine, self.caseload, Rules.of(settings))
            async with application.engine.begin() as connection:
                await (await driver_connection(connection)).execute("ANALYZE")

    def migrate(self, participants: int, seed: int) -> str:
        """Make the database that every scenario's is a copy of, and the sample's files; where it
        is."""
        as_of = pacific_date(system_clock())
        write_sample(self.caseload, participants=participants, seed=seed, as_of=as_of)
        asyncio.run(self._make_template())
        url = self.database_url(_TEMPLATE)
        make_embedded_roles(url)
        upgrade(url)
        return url

    async def _make_template(self) -> None:
        await self.drop(_TEMPLATE)
        await self._say(f"CREATE DATABASE {_TEMPLATE}")

    async def copy(self, name: str) -> str:
        """A database of its own with the caseload in it; where it is. What was there is dropped."""
        await self._say(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await self._say(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self.database_url(name)

    async def recreate(self, name: str) -> None:
        """An empty database in the place of that one: whoever is connected is thrown out."""
        await self.drop(name)
        await self._say(f"CREATE DATABASE {name}")

    async def drop(self, name: str) -> None:
        """Give back what a scenario's database takes of the disk."""
        await self._say(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _say(self, statement: str) -> None:
        engine = create_engine(self.postgres.url)
        try:
            async with engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.exec_driver_sql(statement)
        finally:
            await engine.dispose()

    async def flush_redis(self) -> None:
        """Everything that Redis holds is gone."""
        async with Redis.from_url(self.redis.url) as client:
            await client.flushall()

    def go_by(self, environment: Mapping[str, str]) -> None:
        """Start PostgreSQL anew with another environment."""
        if environment != self.environment:
            self.environment = environment
            self.postgres.stop()
            self.start_postgres()

    def kill_redis(self) -> None:
        """SIGKILL."""
        _end(self.redis.pid, signal.SIGKILL)
        self.redis.stop()
        for kept in (self.folder / "redis").glob("*.rdb"):
            kept.unlink()

    def start_redis(self) -> None:
        """An empty Redis at the same port."""
        self.redis = start_redis(self.folder / "redis", self.redis_port)

    def crash_postgres(self) -> None:
        """SIGQUIT: it stops at once, and recovers from its log when it is started."""
        pid = self.postgres.server.get_pid()
        assert pid is not None  # noqa: S101  it was started
        _end(pid, signal.SIGQUIT)

    def start_postgres(self) -> None:
        """The same PostgreSQL, at the same place, by the clock that it is to go by."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            self.postgres.start()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def fill_disk(self) -> None:
        """Not a byte is left for PostgreSQL."""
        self.own_disk.fill(self._postmaster())

    def free_disk(self) -> None:
        """There is room again; a PostgreSQL that gave up is started."""
        try:
            self.own_disk.free(self._postmaster())
        except psutil.NoSuchProcess:
            self.own_disk.free(None)
        self.start_postgres()

    @property
    def own_disk(self) -> Disk:
        """PostgreSQL's."""
        assert self.disk is not None  # noqa: S101  a ground that was opened has one
        return self.disk

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(self.postgres.server.get_pid())

    def close(self) -> None:
        """Stop both."""
        self.redis.stop()
        self.postgres.stop()
        self.own_disk.unmount()


def _end(pid: int, signum: signal.Signals) -> None:
    process = psutil.Process(pid)
    os.kill(pid, signum)
    psutil.wait_procs([process], timeout=_STOP_SECONDS)
