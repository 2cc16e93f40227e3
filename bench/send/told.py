"""What the runs say: a table with the ratios, a plot, and what was to be reached."""

import statistics
from collections.abc import Sequence
from typing import Final

from bench.findings import Findings, Sheet
from bench.machine import machine
from bench.plots import Bar, bars
from bench.send.runs import Contestant, Run

OURS: Final = "ours"
SOURCE: Final = "source"
RENDERING: Final = "rendering"
_LEAST: Final = {"celery": 25.0, "arq": 20.0, "bullmq": 8.0, SOURCE: 0.5}
"""How many times as fast as these ours is to be."""
_COST_MOST: Final = 1.15
_MEBIBYTES_MOST: Final = 250
_GROWTH_MOST: Final = 1.1


def told(
    contestants: Sequence[Contestant], messages: int, size: int, sink: str, many: Run | None
) -> Findings:
    """Put the runs into words."""
    findings = Findings("send")
    ran = [one for one in contestants if one.runs]
    ours = {one.workers: one for one in ran if one.key == OURS}
    title = f"{messages:,} messages of {size:,} bytes to {sink}, medians of {_rounds(ran)}"
    findings.sheets.append(_table(title, contestants, ours))
    rows = [
        Bar(_named(one), one.per_second, f"{one.per_second:,.0f}", one.key == OURS) for one in ran
    ]
    note = f"{messages:,} messages of {size:,} bytes to {sink}. {machine()}"
    findings.plots["send"] = bars("Messages a second, side by side in one run", rows, note)
    findings.figures["contestants"] = [
        {
            "key": one.key,
            "workers": one.workers,
            "fault": one.fault,
            "per_second": [round(run.per_second, 1) for run in one.runs],
            "processor_ms_each": [
                round(1000 * run.processor / run.messages, 3) for run in one.runs
            ],
            "mebibytes": round(one.memory),
        }
        for one in contestants
    ]
    if ours:
        most = max(ours)
        findings.lines.append(where_it_goes(ours[most].runs))
        findings.unmet += _unmet(ours[most], ran)
        if many is not None:
            _tell_many(findings, ours[most], many)
    return findings


def _table(title: str, contestants: Sequence[Contestant], ours: dict[int, Contestant]) -> Sheet:
    rows = []
    for one in contestants:
        if not one.runs:
            rows.append((one.title, str(one.workers), f"left out: {one.fault}", "", "", "", ""))
            continue
        beside = ours.get(one.workers)
        ratio = f"{beside.per_second / one.per_second:,.2f} ×" if beside else ""
        spread = [run.per_second for run in one.runs]
        rows.append(
            (
                one.title,
                str(one.workers),
                f"{one.per_second:,.0f}",
                f"{min(spread):,.0f} to {max(spread):,.0f}",
                ratio,
                f"{1000 * one.processor_each:.3f}" if one.processor_each else "",
                f"{one.memory:.0f}" if one.memory else "",
            )
        )
    columns = ("", "workers", "messages/s", "rounds", "ours is", "CPU ms each", "MiB")
    return Sheet(title, columns, rows)


def where_it_goes(runs: Sequence[Run]) -> str:
    """What each message takes of the processors, by whom, and of PostgreSQL's log."""
    each = shares(runs)
    said = ", ".join(f"{name} {1000 * seconds:.3f} ms" for name, seconds in each.items())
    logged = statistics.median(run.logged / run.messages for run in runs)
    return f"Of the processors each of ours takes: {said}; and {logged:,.0f} bytes of the log."


def shares(runs: Sequence[Run]) -> dict[str, float]:
    """Processor seconds a message, the median of `runs`: of the workers, and of each server."""
    each = {"the workers": statistics.median(run.processor / run.messages for run in runs)}
    for name in runs[0].beside:
        each[name] = statistics.median(run.beside[name] / run.messages for run in runs)
    return each


def _unmet(ours: Contestant, ran: Sequence[Contestant]) -> list[str]:
    found = []
    for key, least in _LEAST.items():
        beside = [one.per_second for one in ran if one.key == key]
        if beside and ours.per_second < least * max(beside):
            times = ours.per_second / max(beside)
            found.append(f"{times:.2f} times {key}, and it was to be {least:g} times")
    return found


def _tell_many(findings: Findings, few: Contestant, many: Run) -> None:
    """What each of many costs beside each of few, and whether memory grew."""
    clock = few.per_second / many.per_second
    processor = many.processor / many.messages / few.processor_each
    quarter = len(many.memory) // 4
    early, late = many.memory[quarter : 2 * quarter], many.memory[-quarter:]
    growth = statistics.median(late) / statistics.median(early) if quarter else 1.0
    findings.lines.append(
        f"Each of {many.messages:,} messages takes {clock:.2f} of the time of each of "
        f"{few.runs[0].messages:,} ({many.per_second:,.0f} a second with {few.workers} workers), "
        f"and {processor:.2f} of the workers' processor time. A worker held at most "
        f"{max(many.memory):.0f} MiB; in the last quarter of the run {growth:.2f} of the second."
    )
    findings.figures["many"] = {
        "messages": many.messages,
        "per_second": round(many.per_second, 1),
        "time_of_few": round(clock, 3),
        "processor_of_few": round(processor, 3),
        "mebibytes": round(max(many.memory)),
        "growth": round(growth, 3),
    }
    if clock > _COST_MOST:
        findings.unmet.append(f"{clock:.2f} of the time each, and {_COST_MOST} was the most")
    if max(many.memory) > _MEBIBYTES_MOST:
        findings.unmet.append(f"{max(many.memory):.0f} MiB, and {_MEBIBYTES_MOST} was the most")
    if growth > _GROWTH_MOST:
        findings.unmet.append(f"memory grew to {growth:.2f} of what it was")


def _rounds(ran: Sequence[Contestant]) -> str:
    rounds = max((len(one.runs) for one in ran), default=0)
    return f"{rounds} round{'s' * (rounds != 1)}"


def _named(one: Contestant) -> str:
    return f"{one.title}, {one.workers}"
