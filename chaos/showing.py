"""The figures of a run: for a terminal, and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from chaos.running import Result

HEADINGS = (
    *("scenario", "owed", "met", "still owed", "held", "cancelled", "breached", "lost"),
    *("emails", "again", "letters", "twice", "recovery", "took"),
)


def cells(result: Result) -> tuple[str, ...]:
    """One scenario's row, in the order of HEADINGS."""
    told = result.account
    counts = (
        *(told.owed, told.met, told.still_owed, told.held, told.cancelled, told.breached),
        *(told.lost, told.emails, told.repeats, told.letters, told.letters_twice),
    )
    recovery = "—" if result.recovery is None else f"{result.recovery:.1f} s"
    return (result.scenario.name, *map(str, counts), recovery, f"{result.seconds:.0f} s")


def table(results: Sequence[Result]) -> Table:
    """A row for each scenario."""
    shown = Table(title="what became of every communication")
    for heading in HEADINGS:
        shown.add_column(heading, justify="left" if heading == "scenario" else "right")
    for result in results:
        shown.add_row(*cells(result), style=None if result.stands else "red")
    return shown


def as_json(results: Sequence[Result], communications: int, seed: int) -> str:
    """Everything that was measured."""
    told = {
        "communications": communications,
        "seed": seed,
        "scenarios": [
            {
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
            for result in results
        ],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
