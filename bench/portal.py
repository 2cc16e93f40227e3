"""How fast the portal answers: pages of signed-in parents under load, and signing in.

    python -m bench.portal [--participants 100000] [--seconds 20] [--rate 300] [--portals 2]
                           [--tries 200]

Over PostgreSQL and Redis of its own, with portal processes of their own, one for each core, asked
by `wrk` on the same machine at an even rate. It prints a table: for each page the requests a second
and the median, 99th percentile and most of the milliseconds to answer, alone and beside a flood of
sign-ins; how many sign-ins a second; and whether a failed sign-in takes the same time for a number
that somebody has, one that nobody has and one that is locked.
"""

import argparse
import asyncio
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import httpx
from rich.console import Console
from rich.progress import track

from bench.findings import OUT, Findings, Sheet
from bench.machine import machine
from bench.plots import Bar, bars
from bench.stand import portals, stand
from engine.bootstrap import Application, open_application
from engine.caseload.columns import Rules
from engine.caseload.importing import import_caseload
from engine.caseload.sample import write_sample
from engine.caseload.sign_in import Attempt
from engine.database import driver_connection
from engine.security.sessions import Stage
from engine.settings import Settings
from engine.stack.visitors import hidden_fields

SESSIONS = 2_000
CONNECTIONS = 30
PAGES = {"home page": "/en/home", "payment history": "/es/payments"}
WARM_UP_SECONDS = 3
# wrk asks as fast as it is answered, or waits as long as it is told to in between: until the next
# of the moments at which requests are due, of which each connection takes one. So they come at an
# even rate, and one that is answered late makes none of the others late.
SCRIPT = """
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } moment; int clock_gettime(int, moment *);")
local moment = ffi.new("moment")
local function now()
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.seconds) * 1000 + tonumber(moment.nanoseconds) / 1000000
end
local due
function delay()
  due = math.max((due or now()) + %(between)f, now() - %(behind)d)
  return math.max(0, math.floor(due - now() + 0.5))
end
local cookies = {}
for line in io.lines("%(cookies)s") do cookies[#cookies + 1] = line end
function init() math.randomseed(os.time()) end
function request()
  return wrk.format("GET", "%(path)s", {["Cookie"] = "session=" .. cookies[math.random(#cookies)]})
end
"""
_BEHIND_MOST_MS = 1_000
"""So much is caught up with, where answers were late; more would make a flood of its own."""
_LATENCY = re.compile(r"(50|99)%\s+([\d.]+)(us|ms|s)\b")
_MOST = re.compile(r"Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)\b")
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def main() -> None:
    """Measure over embedded servers of its own."""
    parser = argparse.ArgumentParser(prog="bench.portal", description=__doc__)
    parser.add_argument("--participants", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--portals", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--tries", type=int, default=200, help="to sign in, of each kind")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("bench.portal needs wrk: apt-get install wrk")
    unlimited = {
        "sign_in_rate": "1000000/minute",
        "sign_in_rate_per_participant": "1000000/hour",
        "sign_in_slow_seconds": 0,
    }
    with stand(**unlimited) as settings:
        findings = asyncio.run(_measure(settings, settings.data_dir, asked))
    findings.show()
    findings.write(asked.out)


async def _measure(settings: Settings, folder: Path, asked: argparse.Namespace) -> Findings:
    console = Console()
    rows: list[tuple[str, ...]] = []
    async with open_application(settings) as application:
        with console.status("loading the caseload"):
            numbers = await _caseload(application, folder, asked.participants)
        with console.status("signing in"):
            cookies = await _sessions(application, folder)
        rates = {
            "SIGN_IN_RATE": settings.sign_in_rate,
            "SIGN_IN_RATE_PER_PARTICIPANT": settings.sign_in_rate_per_participant,
            "SIGN_IN_SLOW_SECONDS": str(settings.sign_in_slow_seconds),
        }
        with portals(settings, asked.portals, **rates) as port:
            for name, path in PAGES.items():
                with console.status(f"asking for the {name}"):
                    rows.append((name, *await _ask(port, path, cookies, asked)))
            with console.status("asking for the home page beside a flood of sign-ins"):
                flood = asyncio.create_task(_flood(port, numbers, asked.seconds))
                row = await _ask(port, PAGES["home page"], cookies, asked)
                signed_in = await flood
            rows.append(("home page, beside sign-ins", *row))
        failed = await _failures(application, numbers, asked.tries)
    return _told(rows, signed_in, failed, asked)


def _told(
    rows: list[tuple[str, ...]],
    signed_in: float,
    failed: dict[str, float],
    asked: argparse.Namespace,
) -> Findings:
    findings = Findings("portal")
    title = (
        f"{asked.participants:,} participants, {asked.rate} requests a second, "
        f"{asked.portals} portal process(es)"
    )
    columns = ("page", "a second", "p50 ms", "p99 ms", "most ms", "errors")
    findings.sheets.append(Sheet(title, columns, rows))
    wrong = failed["wrong PIN"]
    compared = [
        (kind, f"{median:.1f} ms", f"{median / wrong:.3f}") for kind, median in failed.items()
    ]
    kinds = ("a failed sign-in", "median", "of a wrong PIN's")
    findings.sheets.append(Sheet("The same time for whoever fails to sign in", kinds, compared))
    findings.lines.append(f"Sign-ins beside the home page: {signed_in:.1f} a second.")
    drawn = [Bar(row[0], float(row[3]), f"{row[3]} ms", ours=True) for row in rows]
    findings.plots["portal"] = bars(f"Milliseconds at p99: {title}", drawn, machine())
    findings.figures = {"pages": rows, "sign_ins_a_second": signed_in, "failed_ms": failed}
    return findings


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


async def _ask(
    port: int, path: str, cookies: Path, asked: argparse.Namespace
) -> tuple[str, str, str, str, str]:
    """Ask for a page at the rate, for a moment without counting; a row of the table."""
    script = cookies.with_name("ask.lua")
    values = {"between": 1000 / asked.rate, "behind": _BEHIND_MOST_MS, "path": path}
    script.write_text(SCRIPT % (values | {"cookies": cookies}))
    for seconds in (WARM_UP_SECONDS, asked.seconds):
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s",
                   str(script), f"http://127.0.0.1:{port}"]  # fmt: skip
        asking = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        output = (await asking.communicate())[0].decode()
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


async def _failures(application: Application, numbers: list[str], tries: int) -> dict[str, float]:
    """The median milliseconds of a failed sign-in, for each kind of failure, asked in turn."""
    known, locked = numbers[-tries * 2 : -tries], numbers[-tries:]
    for number in track(locked, "locking"):
        for _ in range(5):
            await application.sign_in.attempt(Attempt(number, "000001", "192.0.2.1"))
    times: dict[str, list[float]] = {"wrong PIN": [], "unknown number": [], "locked": []}
    for turn in track(range(tries), "failing"):
        asked = (known[turn], f"99{turn:08d}", locked[turn])
        for kind, number in zip(times, asked, strict=True):
            started = time.perf_counter()
            await application.sign_in.attempt(Attempt(number, "000001", "192.0.2.1"))
            times[kind].append((time.perf_counter() - started) * 1000)
    return {kind: statistics.median(taken) for kind, taken in times.items()}


if __name__ == "__main__":
    main()
