"""How long a PIN takes to its mail server, with nothing else to do and while a run of statements is
under way.

    python -m bench.latency [--communications 100000] [--rate 2] [--seconds 60] [--workers 1]

Over PostgreSQL, Redis and a mail sink of its own. PINs are asked for at a steady pace, by different
participants: first on an idle system, then while `connect statements` records the run, then while
the worker sends it. It prints the median, the 99th percentile and the most of the seconds from the
request to the 250 of the mail server, as PostgreSQL has them. It ends by itself, with most of the
run unsent.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from rich.console import Console

from bench.findings import OUT, Findings, Sheet
from bench.machine import machine
from bench.memory import sampled_memory
from bench.people import FIRST_NAME, LAST_NAME, make_people
from bench.plots import Bar, bars
from bench.send.sink import sink, sink_name
from bench.stand import environment, process, stand, workers
from engine.bootstrap import Application, open_application
from engine.caseload.statements import campaign_of, month_before
from engine.clock import pacific_date
from engine.database import driver_connection
from engine.settings import Settings

ASKERS: Final = 4_000
WARM_UP: Final = 10
WAIT_SECONDS: Final = 120
IDLE: Final = "idle"
RECORDED: Final = "run recorded"
SENT: Final = "run sent"
_MOST: Final = {IDLE: 0.3, SENT: 2.0}
"""The most seconds that 99 of 100 PINs are to take."""
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
_TAKEN = """
SELECT extract(epoch FROM accepted.at - pin_request.requested_at)::float8 AS seconds
FROM pin_request
LEFT JOIN communication ON communication.participant_id = pin_request.participant_id
     AND communication.notice = 'temporary_pin'
LEFT JOIN delivery ON communication_id = communication.id AND channel = 'email'
LEFT JOIN delivery_event AS accepted ON delivery_id = delivery.id AND accepted.event = 'accepted'
WHERE pin_request.id > $1 ORDER BY pin_request.id
"""


async def _measure(settings: Settings, asked: argparse.Namespace) -> Findings:
    console = Console()
    taken: dict[str, list[float]] = {}
    async with open_application(settings) as application:
        month = month_before(pacific_date(application.clock()))
        with console.status("making the caseload"):
            await _caseload(application, asked.communications, month)
        asking = _Asking(application, asked.rate)
        with workers(settings, asked.workers):
            with console.status(f"{IDLE}: asking"):
                await asking.warm_up()
                taken[IDLE] = await asking.until(_ends_in(asked.seconds))
            command: list[str | Path] = [Path(sys.executable).with_name("connect"), "statements"]
            log = settings.data_dir / "bench-statements.log"
            began = time.monotonic()
            with (
                console.status(f"{RECORDED}: asking"),
                sampled_memory({"statements": "recorder"}) as peaks,
                process([*command, "--month", f"{month:%Y-%m}"], log, environment(settings)) as one,
            ):
                taken[RECORDED] = await asking.until(lambda: one.poll() is not None)
            seconds = time.monotonic() - began
            if one.returncode:
                raise SystemExit(log.read_text())
            with console.status(f"{SENT}: asking"):
                taken[SENT] = await asking.until(_ends_in(asked.seconds))
                shown = await application.campaigns.shown(campaign_of(month))
    findings = _told(taken)
    findings.lines.append(
        f"`connect statements` recorded {asked.communications:,} in {seconds:.1f} s with its "
        f"start, in at most {peaks.of['recorder']:.0f} MiB; when the bench ended, "
        f"{shown.communications.get('met', 0):,} of them were met, "
        f"{shown.per_second:.1f} deliveries a second."
    )
    return findings


async def _caseload(application: Application, enrolled: int, month: object) -> None:
    await make_people(application, ASKERS + enrolled, on_paper=ASKERS)
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
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
            FIRST_NAME, LAST_NAME, f"{self._next:010d}", "email", "en"
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


def _percentile(taken: list[float], share: float) -> float:
    return sorted(taken)[min(len(taken) - 1, int(share * len(taken)))]


def _told(taken: dict[str, list[float]]) -> Findings:
    findings = Findings("latency")
    rows, drawn = [], []
    for name, seconds in taken.items():
        p50, p99 = statistics.median(seconds), _percentile(seconds, 0.99)
        most = _MOST.get(name)
        rows.append(
            (
                name,
                str(len(seconds)),
                *(f"{1000 * value:.0f} ms" for value in (p50, p99, max(seconds))),
                f"{1000 * most:.0f} ms" if most else "",
            )
        )
        drawn += [Bar(f"{name}, median", p50, f"{1000 * p50:.0f} ms")]
        drawn += [Bar(f"{name}, 99th percentile", p99, f"{1000 * p99:.0f} ms", ours=True)]
        findings.figures[name] = {
            "pins": len(seconds),
            "p50": p50,
            "p99": p99,
            "most": max(seconds),
        }
        if most and p99 > most:
            findings.unmet.append(f"{name}: {1000 * p99:.0f} ms at p99, {1000 * most:.0f} at most")
    columns = ("", "PINs", "median", "p99", "most", "p99 is to be below")
    title = f"From asking for a PIN to the 250 of {sink_name()}"
    findings.sheets.append(Sheet(title, columns, rows))
    findings.plots["latency"] = bars(title, drawn, machine())
    return findings


def main() -> None:
    """Measure over embedded servers of its own."""
    parser = argparse.ArgumentParser(prog="bench.latency", description=__doc__)
    parser.add_argument("--communications", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    with sink() as opened, stand() as settings:
        url = SecretStr(f"smtp://127.0.0.1:{opened.port}")
        findings = asyncio.run(_measure(settings.model_copy(update={"smtp_url": url}), asked))
    findings.show()
    findings.write(asked.out)


if __name__ == "__main__":
    main()
