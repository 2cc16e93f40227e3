"""Ours with 1, 2 and 4 worker processes, and on paper with as many as a state or a country needs.

    python -m bench.scale [--messages 10000] [--workers 1,2,4] [--rounds 2]

The same reminders as `bench.send`, rung for, sent to an `smtp-sink` and recorded, on one machine.
Efficiency is what so many workers send beside so many times what one sends: beyond the machine's
cores it can only fall. The servers' share of the processors for each message is measured too, and
says how far more machines for the workers would help, and what is at its end first.
"""

import argparse
import asyncio
import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.findings import OUT, Findings, Sheet
from bench.machine import machine
from bench.plots import Bar, bars
from bench.send.ours import populate, run_ours
from bench.send.runs import Run
from bench.send.told import shares
from bench.send.workload import Calendar
from bench.stand import stand
from engine.clock import system_clock

STATE_CASES: Final = 1_100_000
COUNTRY_CASES: Final = 13_000_000
"""Twelve such states: assumed, for scale."""
READERS_A_CASE: Final = 2
"""Both parents: the most that a notice to everyone can come to."""
DATABASE_CORES: Final = 16
"""Of a machine that serves PostgreSQL and nothing else; what it sends is no faster for more."""
_HEADROOM: Final = 0.7
"""How busy a server may be before waiting for it grows faster than its work."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What one server can carry: messages a second."""

    name: str
    per_second: float


def limits(each: Mapping[str, float], logged: float) -> list[Limit]:
    """Where each server ends, soonest first, from the processor seconds that a message takes of it
    and the bytes it adds to PostgreSQL's log.

    Workers are added by the machine, and have no end. Redis works on one core (its event loop);
    PostgreSQL on all of its machine; its log goes to one disk, of 200 MB a second.
    """
    found = [
        Limit(
            f"PostgreSQL, {DATABASE_CORES} cores", _HEADROOM * DATABASE_CORES / each["PostgreSQL"]
        ),
        Limit("PostgreSQL's log, a disk of 200 MB/s", _HEADROOM * 200e6 / logged),
        Limit("Redis, one core", _HEADROOM / each["Redis"]),
    ]
    return sorted(found, key=lambda limit: limit.per_second)


def on_paper(cases: int, each: Mapping[str, float], first: Limit) -> tuple[float, float, float]:
    """A notice to both parents of every case: the cores for workers that bring the first server to
    its end, the minutes that it then takes, and the minutes on one core."""
    messages = cases * READERS_A_CASE
    cores = first.per_second * each["the workers"]
    return cores, messages / first.per_second / 60, messages * each["the workers"] / 60


def told(found: Mapping[int, Sequence[Run]]) -> Findings:
    """Put the runs, by number of workers, into words."""
    findings = Findings("scale")
    pace = {
        number: statistics.median(run.per_second for run in runs) for number, runs in found.items()
    }
    one = pace[min(pace)] / min(pace)
    cores = os.cpu_count() or 1
    rows = [
        (
            str(number),
            f"{each:,.0f}",
            f"{each / one:.2f} ×",
            f"{100 * each / (one * number):.0f} %",
            *(f"{1000 * share:.3f}" for share in shares(found[number]).values()),
        )
        for number, each in pace.items()
    ]
    names = [f"{name}, ms" for name in shares(found[min(pace)])]
    columns = ("workers", "messages/s", "of one", "efficiency", *names)
    findings.sheets.append(Sheet(f"Worker processes on {cores} cores", columns, rows))
    best = max(pace, key=lambda number: pace[number])
    each, logged = shares(found[best]), _logged(found[best])
    ends = limits(each, logged)
    findings.sheets.append(_ends(ends))
    findings.sheets.append(_paper(each, ends[0]))
    findings.lines.append(
        f"On paper {ends[0].name} is at its end first, at {ends[0].per_second:,.0f} messages a "
        f"second: from what a message takes of each server in the fastest row, each server on a "
        f"machine of its own and {100 * _HEADROOM:.0f} % busy. The smarthosts that take the mail "
        "are counted as having no end, and the sink's share of the processors is theirs."
    )
    drawn = [
        Bar(f"{number} worker{'s' * (number > 1)}", each, f"{each:,.0f}", number == best)
        for number, each in pace.items()
    ]
    title = f"Messages a second by worker processes, on {cores} cores"
    findings.plots["scale"] = bars(title, drawn, machine())
    findings.figures = {
        "per_second": {number: round(each, 1) for number, each in pace.items()},
        "processor_ms_each": {name: round(1000 * share, 4) for name, share in each.items()},
        "log_bytes_each": round(logged),
        "limits": {limit.name: round(limit.per_second) for limit in ends},
    }
    return findings


def _logged(runs: Sequence[Run]) -> float:
    return statistics.median(run.logged / run.messages for run in runs)


def _ends(ends: Sequence[Limit]) -> Sheet:
    rows = [(limit.name, f"{limit.per_second:,.0f}") for limit in ends]
    return Sheet("On paper: what each server can carry", ("", "messages/s"), rows)


def _paper(each: Mapping[str, float], first: Limit) -> Sheet:
    rows = []
    for name, cases in (("one state", STATE_CASES), ("one country", COUNTRY_CASES)):
        cores, least, alone = on_paper(cases, each, first)
        messages = f"{cases * READERS_A_CASE:,}"
        rows.append(
            (name, f"{cases:,}", messages, _span(alone), f"{_span(least)}, {cores:.0f} cores")
        )
    title = "On paper: one notice by email to both parents of every case"
    columns = ("", "cases", "messages", "one core of workers", "at the first server's end")
    return Sheet(title, columns, rows)


def _span(minutes: float) -> str:
    return f"{minutes:,.0f} min" if minutes < 120 else f"{minutes / 60:,.1f} h"


def main() -> None:
    """Read what is wanted, and measure."""
    parser = argparse.ArgumentParser(prog="bench.scale", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--days", type=int, default=3, help="over which they are spread")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    numbers = [int(word) for word in asked.workers.split(",")]
    found: dict[int, list[Run]] = {number: [] for number in numbers}
    console = Console()
    with stand() as settings:
        postgres = asyncio.run(populate(settings, asked.messages))
        calendar = Calendar.from_tomorrow(system_clock(), asked.days)
        for turn in range(asked.rounds):
            for number in numbers:
                with console.status(f"round {turn + 1} of {asked.rounds}: {number} workers"):
                    found[number].append(run_ours(settings, number, asked.messages, calendar))
    findings = told(found)
    findings.versions = {**findings.versions, "PostgreSQL": postgres}
    findings.show()
    findings.write(asked.out)


if __name__ == "__main__":
    main()
