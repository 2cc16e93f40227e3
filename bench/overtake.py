"""How long a PIN takes to its mail server while a run of statements is under way, and without one.

    python -m bench.overtake [--communications 200000] [--rate 1] [--seconds 60] [--plot FILE.svg]

Over PostgreSQL, Redis and a mailbox of its own, with one worker process. PINs are asked for at a
steady pace, by different participants: first with nothing else to do, then while `connect
statements` records the run, then while the worker sends it, and then while it is paused: what that
differs from the first is the machine's own unrest. It prints the median, the 99th
percentile and the most of the seconds from the request to the 250 of the mail server, each beside
the same without the run; and how fast the run was recorded, and in how much memory. It ends by
itself, with most of the run unsent.
"""

import argparse
import asyncio
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bench.plots import Bar, bars
from engine.bootstrap import Application, open_application
from engine.caseload.statements import campaign_of, month_before
from engine.clock import pacific_date
from engine.database import driver_connection
from engine.logs import configure_logs, log_file
from engine.migrations.run import upgrade
from engine.settings import Settings, load_settings
from engine.stack.mailbox import serve_mailbox
from engine.stack.servers import servers_for

ASKERS = 4_000
WARM_UP = 10
CHUNK = 50
"""What a worker holds at a time: it has to finish that before the run counts as paused."""
WAIT_SECONDS = 120
_PARTICIPANTS = """
INSERT INTO participant (external_id, first_name, last_name, language, paperless)
SELECT lpad(n::text, 10, '0'), 'Ana', 'Sample', CASE n % 3 WHEN 0 THEN 'es' ELSE 'en' END, n > $2
FROM generate_series(1, $1::bigint + $2) AS n
"""
_CONTACTS = """
INSERT INTO contact_point (participant_id, kind, email)
SELECT id, 'email', 'person' || id || '@example.com' FROM participant
"""
_CASES = """
INSERT INTO support_case (external_id, county, status, opened_on)
SELECT lpad(n::text, 15, '0'), 'Yolo', 'open', '2020-01-01' FROM generate_series(1, 5000) AS n
"""
_PAYMENTS = """
INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents, method, paid_on)
SELECT participant.id || '-' || turn, 1 + participant.id % 5000, participant.id, 'sent',
       10000 + participant.id % 90000, 'direct_deposit', $1::date + 6 * turn
FROM participant CROSS JOIN generate_series(1, 2) AS turn WHERE paperless
"""
_HELD = "SELECT count(*) FROM delivery WHERE state = 'sending'"
_TAKEN = """
SELECT extract(epoch FROM accepted.at - pin_request.requested_at)::float8 AS seconds
FROM pin_request
LEFT JOIN communication ON communication.participant_id = pin_request.participant_id
     AND communication.notice = 'temporary_pin'
LEFT JOIN delivery ON communication_id = communication.id AND channel = 'email'
LEFT JOIN delivery_event AS accepted ON delivery_id = delivery.id AND accepted.event = 'accepted'
WHERE pin_request.id > $1 ORDER BY pin_request.id
"""


def main() -> None:
    """Measure over embedded servers of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--communications", type=int, default=200_000)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        configure_logs(log_file(Path(folder), "bench"))
        given = load_settings(
            data_dir=Path(folder), database_url=None, redis_url=None, smtp_url=None
        )
        with servers_for(given) as settings:
            assert settings.database_url is not None  # noqa: S101  servers_for fills it in
            upgrade(settings.database_url.get_secret_value())
            asyncio.run(_with_mailbox(settings, asked))


async def _with_mailbox(settings: Settings, asked: argparse.Namespace) -> None:
    mailbox = await serve_mailbox(settings.data_dir / "mailbox", "127.0.0.1", 0)
    try:
        url = {"smtp_url": SecretStr(mailbox.url)}
        await _measure(settings.model_copy(update=url), asked)
    finally:
        await mailbox.stop()


async def _measure(settings: Settings, asked: argparse.Namespace) -> None:
    console = Console()
    async with open_application(settings) as application:
        month = month_before(pacific_date(application.clock()))
        with console.status("making the caseload"):
            await _caseload(application, asked.communications, month)
        asking = _Asking(application, asked.rate)
        taken: dict[str, list[float]] = {}
        with _started(settings, "worker"):
            with console.status("asking, with nothing else to do"):
                await asking.warm_up()
                taken["no run"] = await asking.until(_ends_in(asked.seconds))
            with console.status("asking, while the run is recorded"):
                command = ("statements", "--month", f"{month:%Y-%m}")
                began = time.monotonic()
                with _started(settings, *command) as recording:
                    taken["run recorded"] = await asking.until(lambda: recording.poll() is not None)
                seconds = time.monotonic() - began
                recorder = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
                if recording.returncode:
                    raise SystemExit(_log(settings, "statements").read_text())
            with console.status("asking, while the run is sent"):
                taken["run sent"] = await asking.until(_ends_in(asked.seconds))
                shown = await application.campaigns.shown(campaign_of(month))
            with console.status("asking, while the run is paused"):
                await application.campaigns.pause(campaign_of(month), "bench", "to compare")
                await _until_nothing_is_held(application)
                taken["run paused"] = await asking.until(_ends_in(asked.seconds))
    console.print(_table(taken))
    console.print(_log(settings, "statements").read_text().splitlines()[0])
    console.print(f"the command: {seconds:.1f} s with its start, at most {recorder:.0f} MiB")
    console.print(
        f"the run, at the end: {dict(shown.communications)}, {shown.per_second:.1f} a second"
    )
    if asked.plot is not None:
        asked.plot.write_text(_plot(taken), encoding="utf-8")


async def _until_nothing_is_held(application: Application) -> None:
    """Wait until the worker has finished what it held of the run."""
    while True:
        async with application.engine.connect() as connection:
            driver = await driver_connection(connection)
            if not await driver.fetchval(_HELD):
                return
        await asyncio.sleep(0.5)


async def _caseload(application: Application, enrolled: int, month: object) -> None:
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(_PARTICIPANTS, enrolled, ASKERS)
        await driver.execute(_CONTACTS)
        await driver.execute(_CASES)
        await driver.execute(_PAYMENTS, month)
    async with application.engine.begin() as connection:
        await (await driver_connection(connection)).execute("ANALYZE")


class _Asking:
    """Participants who ask for a PIN one after another, each once."""

    def __init__(self, application: Application, rate: float) -> None:
        self._application = application
        self._every = 1 / rate
        self._next = 0
        self._last_request = 0

    async def warm_up(self) -> None:
        """Have the worker open what it keeps open."""
        for _ in range(WARM_UP):
            await self._ask()
        await self._taken()

    async def until(self, ends: Callable[[], bool]) -> list[float]:
        """Ask at the pace until it `ends`; the seconds that each PIN took."""
        at = time.monotonic()
        while not ends() and self._next < ASKERS:
            await self._ask()
            at += self._every
            await asyncio.sleep(max(0.0, at - time.monotonic()))
        return await self._taken()

    async def _ask(self) -> None:
        self._next += 1
        await self._application.pin_requests.receive(
            "Ana", "Sample", f"{self._next:010d}", "email", "en"
        )

    async def _taken(self) -> list[float]:
        ends = _ends_in(WAIT_SECONDS)
        while True:
            async with self._application.engine.connect() as connection:
                driver = await driver_connection(connection)
                rows = await driver.fetch(_TAKEN, self._last_request)
                if all(row["seconds"] is not None for row in rows):
                    self._last_request = await driver.fetchval("SELECT max(id) FROM pin_request")
                    return [row["seconds"] for row in rows]
            if ends():
                missing = sum(row["seconds"] is None for row in rows)
                raise SystemExit(f"{missing} PINs were not sent within {WAIT_SECONDS} s")
            await asyncio.sleep(0.5)


def _ends_in(seconds: float) -> Callable[[], bool]:
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() >= ends


def _log(settings: Settings, command: str) -> Path:
    return settings.data_dir / f"bench-{command}.log"


@contextmanager
def _started(settings: Settings, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A `connect` process over the servers of `settings`."""
    urls = {
        name.upper(): getattr(settings, name).get_secret_value()
        for name in ("database_url", "redis_url", "smtp_url")
    }
    connect = Path(sys.executable).with_name("connect")
    output: IO[bytes]
    with _log(settings, command[0]).open("wb") as output:
        process = subprocess.Popen(
            [connect, *command],
            env=os.environ | urls | {"DATA_DIR": str(settings.data_dir), "CHUNK": str(CHUNK)},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _percentile(taken: list[float], share: float) -> float:
    return sorted(taken)[min(len(taken) - 1, int(share * len(taken)))]


def _table(taken: dict[str, list[float]]) -> Table:
    table = Table(title=f"seconds from asking for a PIN to the 250, {datetime.now(UTC):%Y-%m-%d}")
    for heading in ("", "PINs", "p50", "p99", "most", "p50 ratio", "p99 ratio"):
        table.add_column(heading, justify="right" if heading else "left")
    alone = taken["no run"]
    for name, seconds in taken.items():
        p50, p99 = statistics.median(seconds), _percentile(seconds, 0.99)
        table.add_row(
            name,
            str(len(seconds)),
            f"{p50:.2f}",
            f"{p99:.2f}",
            f"{max(seconds):.2f}",
            f"{p50 / statistics.median(alone):.1f}",
            f"{p99 / _percentile(alone, 0.99):.1f}",
        )
    return table


def _plot(taken: dict[str, list[float]]) -> str:
    rows = [
        Bar(f"{name}, {label}", value, f"{value:.2f} s", ours=label == "p99")
        for name, seconds in taken.items()
        for label, value in (
            ("median", statistics.median(seconds)),
            ("p99", _percentile(seconds, 0.99)),
        )
    ]
    return bars("From asking for a PIN to the mail server's 250", rows)


if __name__ == "__main__":
    main()
