"""One scenario's world: its database, mail server, vendor and workers, and the work of the demo."""

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from rich.progress import Progress

from chaos.clock import MovableClock
from chaos.ground import Ground
from chaos.mail_server import KeepingServer
from chaos.pulse import Pulse
from chaos.scenario import Scenario
from chaos.work import owe
from engine.bootstrap import Application, open_application
from engine.database import driver_connection
from engine.migrations.grants import WORKER
from engine.migrations.roles import login_url
from engine.settings import Settings, load_settings
from engine.stack.bouncing import Postmaster
from engine.stack.demo import MANNERS
from engine.stack.embedded import free_port
from engine.stack.stack import environment_of
from engine.stack.supervisor import Process, Supervisor
from engine.stack.vendor import start_vendor, vendor_listens, with_vendor
from engine.stack.waiting import Watch

WORKERS: Final = 2
_HURRIED: Final = {"QUIET_HOURS": "", "SOFT_BOUNCE_RETRY_HOURS": "0.0005"}
"""As in the demonstration: neither a night nor a full mailbox is waited for."""
_LOOK_SECONDS: Final = 0.05
_START_SECONDS: Final = 60.0


@dataclass(slots=True)
class World:
    """Everything that a scenario may break, and the means to see what became of the work."""

    ground: Ground
    settings: Settings
    application: Application
    supervisor: Supervisor
    mail: KeepingServer
    pulse: Pulse
    random: Random
    bar: Progress
    communications: int
    clock: MovableClock
    recorded: set[int] = field(default_factory=set)
    """The communications that were owed before anything broke."""
    emails: int = 0
    """How many emails were owed before anything broke."""
    notes: list[str] = field(default_factory=list)
    """What a scenario wants said beside its figures."""
    lost_events: list[dict[str, Any]] = field(default_factory=list)
    """What was on record, and was taken back with the database: whoever sent again knew of it."""
    faults: list[str] = field(default_factory=list)
    """Promises that a scenario saw broken while it struck."""

    @property
    def vendor_folder(self) -> Path:
        """The vendor's drop, as the vendor sees it."""
        return self.settings.data_dir / "print" / "vendor"

    @property
    def workers(self) -> list[Process]:
        """The worker processes."""
        return [one for one in self.supervisor.processes if one.name.startswith("worker-")]

    @property
    def vendor(self) -> Process:
        """The vendor's process."""
        return next(one for one in self.supervisor.processes if one.name == "vendor")

    def broken(self, what: str) -> AbstractAsyncContextManager[None]:
        """Something is broken inside the context; recovery is timed from its end."""
        return self.pulse.broken(what)

    def alive(self, process: Process) -> bool:
        """Whether it runs at this moment."""
        return process.popen is not None and process.popen.poll() is None

    def send(self, process: Process, signum: signal.Signals) -> None:
        """A signal to one process of ours; who brings it back knows nothing of earlier deaths."""
        if process.popen is not None and process.popen.poll() is None:
            process.popen.send_signal(signum)
        process.restarts = 0

    def as_role(self, role: str) -> dict[str, str]:
        """What a process is told of the database, so that it has the rights of `role` there."""
        return as_role(self.settings, role)

    async def start_worker(self) -> Process:
        """One more worker, under the role of all workers."""
        name = f"worker-{len(self.workers) + 1}"
        return self.supervisor.start(name, "-m", "jobs", environment=self.as_role(WORKER))

    async def until(self, true: Callable[[], bool], seconds: float = 300.0) -> bool:
        """Wait until something is `true`; False when the time is up first."""
        ends = time.monotonic() + seconds
        while not true():
            if time.monotonic() > ends:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    async def until_held(self, messages: int, seconds: float = 300.0) -> bool:
        """Wait until the mail server holds so many messages, or nothing is left to do."""
        return await self.until(lambda: self.mail.held >= messages or not self.left, seconds)

    async def until_more(self) -> bool:
        """Wait until the mail server has taken a few more."""
        return await self.until_held(self.mail.held + self.random.randint(5, 30))

    async def until_taken(self, share: float) -> bool:
        """Wait until the mail server holds this share of the emails that were owed at first."""
        return await self.until_held(max(1, int(share * self.emails)))

    @property
    def left(self) -> int:
        """How many emails were still to be sent at the last beat of the pulse."""
        return self.pulse.beats[-1].left if self.pulse.beats else self.emails

    async def owe(self) -> None:
        """The demonstration's work, recorded and rung for."""
        await owe(self.application, self.ground.caseload, self.communications)
        rows = await self.fetch("SELECT id FROM communication")
        self.recorded = {row["id"] for row in rows}
        counted = await self.fetch("SELECT count(*) AS n FROM delivery WHERE channel = 'email'")
        self.emails = counted[0]["n"]

    async def fetch(self, statement: str, *arguments: object) -> Sequence[dict[str, Any]]:
        """Rows of the scenario's database, as the harness sees it."""
        async with self.application.engine.connect() as connection:
            driver = await driver_connection(connection)
            return [dict(row) for row in await driver.fetch(statement, *arguments)]

    def watch(self) -> Watch:
        """The demonstration's own way of waiting."""
        return Watch(self.application, self.supervisor, self.bar)


@asynccontextmanager
async def open_world(
    ground: Ground, scenario: Scenario, communications: int, random: Random, bar: Progress
) -> AsyncIterator[World]:
    """A world for one scenario, with everything running but the workers; all is stopped at the
    end."""
    folder = ground.folder / scenario.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    clock = MovableClock(folder / "clock")
    faked = clock.environment if scenario.moves_clock else {}
    clock.move(0)
    await asyncio.to_thread(ground.go_by, faked)
    await ground.flush_redis()
    database = scenario.name.replace("-", "_")
    mail = KeepingServer(
        port=free_port(),
        pace=scenario.pace,
        clock=clock.time,
        postmaster=Postmaster("127.0.0.1", free_port()),
    )
    await mail.start()
    assert mail.postmaster is not None  # noqa: S101  it was given one
    given = load_settings(
        data_dir=folder,
        database_url=await ground.copy(database),
        redis_url=ground.redis.url,
        smtp_url=mail.url,
        quiet_hours="",
        soft_bounce_retry_hours=0.0005,
        print_drop_url=None,
        vendor_certificate=None,
        print_signing_key=None,
        print_env="test",
    )
    supervisor = Supervisor(
        folder / "logs",
        {**_HURRIED, **scenario.environment, "DATA_DIR": str(folder.resolve())},
    )
    vendor = start_vendor(given, supervisor, MANNERS, removes=False)
    try:
        await _listening(vendor, folder)
        settings = with_vendor(given)
        # The vendor is another company: its clock is its own.
        vendor.environment = {**vendor.environment, "LD_PRELOAD": ""}
        supervisor.environment = {**supervisor.environment, **environment_of(settings), **faked}
        supervisor.start(
            *("bounces", "-m", "engine.cli", "bounce", "serve"),
            *("--port", str(mail.postmaster.port)),
            environment=as_role(settings, WORKER),
        )
        async with open_application(settings, clock) as application:
            pulse = Pulse(application.engine)
            world = World(
                ground=ground,
                settings=settings,
                application=application,
                supervisor=supervisor,
                mail=mail,
                pulse=pulse,
                random=random,
                bar=bar,
                communications=communications,
                clock=clock,
            )
            await scenario.before(world)
            keeper = asyncio.create_task(_keep(supervisor))
            try:
                async with pulse.felt():
                    yield world
            finally:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
                await asyncio.to_thread(supervisor.stop)
    finally:
        await asyncio.to_thread(supervisor.stop)
        await mail.postmaster.stop()
        mail.stop()
        await ground.drop(database)


def as_role(settings: Settings, role: str) -> dict[str, str]:
    """What a process is told of the database, to sign in as a member of `role`."""
    assert settings.database_url is not None  # noqa: S101  every world has one
    return {"DATABASE_URL": login_url(settings.database_url.get_secret_value(), role)}


async def _listening(vendor: Process, folder: Path) -> None:
    ends = time.monotonic() + _START_SECONDS
    while not vendor_listens(vendor, folder):
        if time.monotonic() > ends:
            raise TimeoutError(f"the vendor did not start: see {folder / 'logs' / 'vendor.log'}")
        await asyncio.sleep(_LOOK_SECONDS)


async def _keep(supervisor: Supervisor) -> None:
    """What init does on a machine: bring back what died."""
    while True:
        supervisor.check()
        await asyncio.sleep(_LOOK_SECONDS)
