"""The figures of a run: for a terminal, as JSON, and as the table and the plot of
docs/reliability.md."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.findings import Sheet
from bench.machine import machine, versions
from bench.plots import Bar, bars
from chaos.running import RECOVERY_SECONDS, Result

COLUMNS: Final = (
    *("scenario", "owed", "met", "still owed", "held", "cancelled", "breached", "lost"),
    *("emails", "sent again", "letters", "printed twice", "recovery", "took"),
)
_BEGIN: Final = "<!-- made by `make chaos`: begin -->"
_END: Final = "<!-- made by `make chaos`: end -->"
_PLOT: Final = "reliability.svg"


def cells(result: Result) -> tuple[str, ...]:
    """One scenario's row, in the order of COLUMNS."""
    told = result.account
    counts = (
        *(told.owed, told.met, told.still_owed, told.held, told.cancelled, told.breached),
        *(told.lost, told.emails, told.repeats, told.letters, told.letters_twice),
    )
    recovery = "—" if result.recovery is None else f"{result.recovery:.1f} s"
    return (result.scenario.name, *map(str, counts), recovery, f"{result.seconds:.0f} s")


def sheet(results: Sequence[Result]) -> Sheet:
    """A row for each scenario."""
    return Sheet("What became of every communication", COLUMNS, [cells(one) for one in results])


def as_json(results: Sequence[Result], communications: int, seed: int) -> str:
    """Everything that was measured."""
    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": dict(versions()),
        "communications": communications,
        "seed": seed,
        "scenarios": [_told(result) for result in results],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _told(result: Result) -> dict[str, Any]:
    return {
        "name": result.scenario.name,
        "item": result.scenario.item,
        "title": result.scenario.title,
        **asdict(result.account),
        "lost": result.account.lost,
        "recovery_seconds": result.recovery,
        "seconds": round(result.seconds, 1),
        "faults": list(result.faults),
        "notes": list(result.notes),
        "broken": [asdict(span) for span in result.spans],
    }


def write_page(page: Path, results: Sequence[Result], communications: int, seed: int) -> None:
    """Put the table between the page's marks, and the plot beside the page."""
    with_ = ", ".join(f"{name} {number}" for name, number in versions().items())
    asked = f"`--communications {communications} --seed {seed}`"
    failed = [one.scenario.name for one in results if not one.stands]
    said = (
        f"![Seconds from a fault's end to the next outcome, by scenario]({_PLOT})",
        sheet(results).markdown(),
        f"Promises that were not kept: {', '.join(failed) or 'none'}.",
        f"*{datetime.now(UTC):%Y-%m-%d}, {asked}. {machine()}. {with_}.*",
    )
    between = "\n\n".join([_BEGIN, *said, _END])
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    page.write_text(pattern.sub(lambda _: between, text), encoding="utf-8")
    page.with_name(_PLOT).write_text(_plot(results), encoding="utf-8")


def _plot(results: Sequence[Result]) -> str:
    rows = [
        Bar(one.scenario.name, one.recovery, f"{one.recovery:.1f} s", ours=True)
        for one in results
        if one.recovery is not None
    ]
    bound = Bar("promised", RECOVERY_SECONDS, f"{RECOVERY_SECONDS:.0f} s")
    return bars("From a fault's end to the next outcome, at the longest", [*rows, bound])
