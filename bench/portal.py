"""How fast the portal answers: pages of signed-in parents under load, and signing in.

    python -m bench.portal [--participants 100000] [--seconds 20] [--rate 300]

Over PostgreSQL and Redis of its own, with the portal as a process of its own, asked by `wrk` on the
same machine. It prints a table: for each page the requests a second and the median, 99th percentile
and most of the milliseconds to answer, alone and beside a flood of sign-ins; how many sign-ins a
second; and whether a failed sign-in takes the same time for a number that somebody has, one that
nobody has and one that is locked.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from engine.bootstrap import Application, open_application
from engine.caseload.columns import Rules
from engine.caseload.importing import import_caseload
from engine.caseload.sample import write_sample
from engine.caseload.sign_in import Attempt
from engine.database import driver_connection
from engine.logs import configure_logs, log_file
from engine.migrations.run import upgrade
from engine.security.sessions import Stage
from engine.settings import Settings, load_settings
from engine.stack.servers import servers_for
from engine.stack.visitors import hidden_fields

SESSIONS = 2_000
CONNECTIONS = 30
TRIES = 200
PAGES = {"home page": "/en/home", "payment history": "/es/payments"}
# wrk asks as fast as it is answered; waiting between requests makes it ask at a rate.
SCRIPT = """
local cookies = {}
for line in io.lines("%(cookies)s") do cookies[#cookies + 1] = line end
function init() math.randomseed(os.time()) end
function delay() return %(delay)d end
function request()
  return wrk.format("GET", "%(path)s", {["Cookie"] = "session=" .. cookies[math.random(#cookies)]})
end
"""
_LATENCY = re.compile(r"(50|99)%\s+([\d.]+)(us|ms|s)\b")
_MOST = re.compile(r"Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)\b")
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def main() -> None:
    """Measure over embedded servers of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=int, default=300)
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("bench.portal needs wrk: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        configure_logs(log_file(Path(folder), "bench"))
        given = load_settings(
            data_dir=Path(folder), database_url=None, redis_url=None, smtp_url=None,
            sign_in_rate="1000000/minute", sign_in_rate_per_participant="1000000/hour",
            sign_in_slow_seconds=0,
        )  # fmt: skip
        with servers_for(given) as settings:
            assert settings.database_url is not None  # noqa: S101  servers_for fills it in
            upgrade(settings.database_url.get_secret_value())
            asyncio.run(_measure(settings, Path(folder), asked))


async def _measure(settings: Settings, folder: Path, asked: argparse.Namespace) -> None:
    console = Console()
    table = Table(title=f"{asked.participants} participants, {asked.rate} requests a second")
    for heading in ("page", "a second", "p50 ms", "p99 ms", "most ms", "errors"):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    async with open_application(settings) as application:
        with console.status("loading the caseload"):
            numbers = await _caseload(application, folder, asked.participants)
        with console.status("signing in"):
            cookies = await _sessions(application, folder)
        with _portal(settings) as port:
            for name, path in PAGES.items():
                with console.status(f"asking for the {name}"):
                    table.add_row(name, *await _ask(port, path, cookies, asked))
            with console.status("asking for the home page beside a flood of sign-ins"):
                flood = asyncio.create_task(_flood(port, numbers, asked.seconds))
                row = await _ask(port, PAGES["home page"], cookies, asked)
                signed_in = await flood
            table.add_row("home page, beside sign-ins", *row)
        console.print(table)
        console.print(f"sign-ins beside it: {signed_in:.1f} a second")
        await _failures(application, numbers, console)


async def _caseload(application: Application, folder: Path, participants: int) -> list[str]:
    write_sample(folder / "caseload", participants=participants, seed=1)
    await import_caseload(application.engine, folder / "caseload", Rules())
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute("ANALYZE")
        rows = await driver.fetch("SELECT external_id FROM participant ORDER BY id LIMIT 5000")
    return [row["external_id"] for row in rows]


async def _sessions(application: Application, folder: Path) -> Path:
    """Open sessions of participants from all over the table; the file of their tokens."""
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        most = await driver.fetchval("SELECT max(id) FROM participant")
        chosen = Random(1).sample(range(1, most + 1), min(SESSIONS, most))  # noqa: S311  a sample
        tokens = [
            (await application.sessions.open(connection, id_, Stage.FULL)).token for id_ in chosen
        ]
    path = folder / "sessions"
    path.write_text("\n".join(tokens))
    return path


@contextmanager
def _portal(settings: Settings) -> Iterator[int]:
    """A portal process over the servers of `settings`; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    urls = {
        name.upper(): getattr(settings, name).get_secret_value()
        for name in ("database_url", "redis_url", "smtp_url")
    }
    rates = {
        "SIGN_IN_RATE": settings.sign_in_rate,
        "SIGN_IN_RATE_PER_PARTICIPANT": settings.sign_in_rate_per_participant,
        "SIGN_IN_SLOW_SECONDS": str(settings.sign_in_slow_seconds),
    }
    connect = Path(sys.executable).with_name("connect")
    with (settings.data_dir / "portal.log").open("wb") as output:
        process = subprocess.Popen(
            [connect, "portal", "--port", str(port)],
            env=os.environ | urls | rates | {"DATA_DIR": str(settings.data_dir)},
            stdout=output,
            stderr=output,
        )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


async def _ask(
    port: int, path: str, cookies: Path, asked: argparse.Namespace
) -> tuple[str, str, str, str, str]:
    """Ask for a page at the rate; a row of the table."""
    script = cookies.with_name("ask.lua")
    delay = CONNECTIONS * 1000 // asked.rate
    script.write_text(SCRIPT % {"cookies": cookies, "delay": delay, "path": path})
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{asked.seconds}s", "--latency", "-s",
               str(script), f"http://127.0.0.1:{port}"]  # fmt: skip
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    output = (await process.communicate())[0].decode()
    percentiles = {
        share: float(value) * _UNITS[unit] for share, value, unit in _LATENCY.findall(output)
    }
    most = _MOST.search(output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if most is None or rate is None:
        raise SystemExit(f"wrk said nothing of its measurements:\n{output}")
    return (
        f"{float(rate[1]):.0f}",
        f"{percentiles['50']:.1f}",
        f"{percentiles['99']:.1f}",
        f"{float(most[1]) * _UNITS[most[2]]:.1f}",
        wrong[1] if wrong else "0",
    )


async def _flood(port: int, numbers: list[str], seconds: int) -> float:
    """Sign in, wrongly, eight at a time, as fast as it is answered; how many a second."""
    ends, done = time.monotonic() + seconds, 0
    waiting = iter(numbers)

    async def lane() -> None:
        nonlocal done
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as browser:
            fields = hidden_fields((await browser.get("/en/login")).text)
            while time.monotonic() < ends:
                typed = {"participant_id": next(waiting), "pin": "000001"}
                answer = await browser.post("/en/login", data=fields | typed)
                if answer.status_code != 422:
                    raise SystemExit(f"a sign-in was answered with {answer.status_code}")
                done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(lane())
    return done / seconds


async def _failures(application: Application, numbers: list[str], console: Console) -> None:
    """The median milliseconds of a failed sign-in, for each kind of failure, asked in turn."""
    known, locked = numbers[-TRIES * 2 : -TRIES], numbers[-TRIES:]
    for number in track(locked, "locking"):
        for _ in range(5):
            await application.sign_in.attempt(Attempt(number, "000001", "192.0.2.1"))
    times: dict[str, list[float]] = {"wrong PIN": [], "unknown number": [], "locked": []}
    for turn in track(range(TRIES), "failing"):
        asked = (known[turn], f"99{turn:08d}", locked[turn])
        for kind, number in zip(times, asked, strict=True):
            started = time.perf_counter()
            await application.sign_in.attempt(Attempt(number, "000001", "192.0.2.1"))
            times[kind].append((time.perf_counter() - started) * 1000)
    medians = {kind: statistics.median(taken) for kind, taken in times.items()}
    for kind, median in medians.items():
        ratio = median / medians["wrong PIN"]
        console.print(f"a failed sign-in, {kind:15} median {median:.1f} ms, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
