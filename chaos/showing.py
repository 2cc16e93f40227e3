"""The figures of a run: for a terminal, as JSON, and as the table and the plot of
docs/reliability.md."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from math import isinf
from pathlib import Path
from typing import Any, Final

from bench.findings import Sheet
from bench.machine import machine, versions
from bench.plots import Bar, bars
from chaos.running import RECOVERY_SECONDS, Result
from chaos.scenario import Scenario

Told = Mapping[str, Any]
"""A run as its JSON has it."""

_COUNTS: Final = {
    "owed": "owed",
    "met": "met",
    "still owed": "still_owed",
    "held": "held",
    "cancelled": "cancelled",
    "breached": "breached",
    "lost": "lost",
    "emails": "emails",
    "sent again": "repeats",
    "letters": "letters",
    "printed twice": "letters_twice",
}
_COLUMNS: Final = ("scenario", *_COUNTS, "recovery", "took")
_NOT: Final = "—"
_BEGIN: Final = "<!-- made by `make chaos`: begin -->"
_END: Final = "<!-- made by `make chaos`: end -->"
_PLOT: Final = "reliability.svg"


def told_of(
    scenarios: Sequence[Told],
    communications: int,
    seed: int,
    lanes: int,
    not_run: Mapping[str, str] | None = None,
) -> Told:
    """Everything that was measured in a run; `not_run` are scenarios, and what they lack here."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": dict(versions()),
        "communications": communications,
        "seed": seed,
        "lanes": lanes,
        "not_run": dict(not_run or {}),
        "scenarios": list(scenarios),
    }


def cut_short(scenario: Scenario, error: Exception) -> Told:
    """What is told of a scenario that raised: nothing was counted, and that fails the run."""
    return {
        **_titles(scenario),
        "recovery_seconds": None,
        "seconds": None,
        "faults": [f"it was cut short: {type(error).__name__}: {error}"],
        "notes": [],
    }


def _titles(scenario: Scenario) -> Told:
    return {"name": scenario.name, "item": scenario.item, "title": scenario.title}


def told_of_one(result: Result) -> Told:
    """Everything that was measured of one scenario."""
    return {
        **_titles(result.scenario),
        **asdict(result.account),
        "lost": result.account.lost,
        "recovery_seconds": result.recovery,
        "seconds": round(result.seconds, 1),
        "faults": list(result.faults),
        "notes": list(result.notes),
        "broken": [asdict(span) for span in result.spans],
    }


def as_json(told: Told) -> str:
    """For a file."""
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def sheet(told: Told) -> Sheet:
    """A row for each scenario."""
    return Sheet(
        f"What became of {told['communications']:,} communications, seed {told['seed']}",
        _COLUMNS,
        [_cells(one) for one in told["scenarios"]],
    )


def _cells(one: Told) -> tuple[str, ...]:
    counts = (f"{one[name]:,}" if name in one else _NOT for name in _COUNTS.values())
    return (one["name"], *counts, _seconds(one, "recovery_seconds", 1), _seconds(one, "seconds", 0))


def _seconds(one: Told, name: str, places: int) -> str:
    return _NOT if one[name] is None else f"{one[name]:.{places}f} s"


def not_run(told: Told) -> list[str]:
    """A line for each thing that is not installed here, with the scenarios that wanted it."""
    by_what: dict[str, list[str]] = {}
    for name, lacks in told.get("not_run", {}).items():
        by_what.setdefault(lacks, []).append(name)
    return [f"Not run, for want of {what}: {', '.join(names)}." for what, names in by_what.items()]


def write_page(page: Path, runs: Sequence[Told]) -> None:
    """Put the tables of `runs` between the page's marks, and the plot beside the page."""
    said = [f"![Seconds from a fault's end to the next outcome, by scenario]({_PLOT})"]
    for told in runs:
        with_ = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
        failed = [one["name"] for one in told["scenarios"] if one["faults"]]
        said += [
            sheet(told).markdown(),
            f"Scenarios in which a promise was not kept: {', '.join(failed) or 'none'}.",
            *not_run(told),
            f"*{told['at'][:10]}, {told['lanes']} at a time. {told['machine']}. {with_}.*",
        ]
    between = "\n\n".join([_BEGIN, *said, _END])
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    page.write_text(pattern.sub(lambda _: between, text), encoding="utf-8")
    page.with_name(_PLOT).write_text(_plot(runs), encoding="utf-8")


def _plot(runs: Sequence[Told]) -> str:
    rows = [
        _bar(one, f"{one['name']}, {told['communications']:,}" if len(runs) > 1 else one["name"])
        for told in runs
        for one in told["scenarios"]
        if one["recovery_seconds"] is not None
    ]
    bound = Bar("promised", RECOVERY_SECONDS, f"{RECOVERY_SECONDS:.0f} s")
    return bars("From a fault's end to the next outcome, at the longest", [*rows, bound])


def _bar(one: Told, label: str) -> Bar:
    """One that never came is drawn as long as a bar can sensibly be."""
    seconds = one["recovery_seconds"]
    written = "never" if isinf(seconds) else f"{seconds:.1f} s"
    return Bar(label, min(seconds, 2 * RECOVERY_SECONDS), written, ours=True)
