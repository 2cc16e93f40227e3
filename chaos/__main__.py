"""Survival: the demonstration's work while things break, and an account of every communication.

    python -m chaos [--communications 5000] [--seed N] [--only NAME …] [--json FILE] [--write-docs]

Each scenario runs alone, over PostgreSQL, Redis, a mail server, a print vendor and workers of its
own, all real processes, two of these worlds at a time; then all that can be joined run in one, in
a random order from the seed. After each it accounts for every communication.
"""

import argparse
import json
import sys
from pathlib import Path
from random import SystemRandom
from typing import Final

from rich.console import Console

from chaos.lane import Asked, every, leave_when_told
from chaos.lanes import run_side_by_side
from chaos.showing import Told, as_json, not_run, sheet, told_of, write_page

_PAGE: Final = Path(__file__).parent.parent / "docs" / "reliability.md"
_LANES: Final = 2


def main() -> None:
    """Run what was asked for; end with 1 where a promise was not kept."""
    asked = _parser().parse_args()
    if asked.page_of:
        write_page(_PAGE, [json.loads(file.read_text()) for file in asked.page_of])
        return
    leave_when_told()
    console = Console()
    if not console.is_terminal:
        console.width = 160
    told = _run(asked, console)
    console.print(sheet(told).drawn())
    for said in not_run(told):
        console.print(f"[yellow]{said}[/]")
    if asked.write_docs:
        write_page(_PAGE, [told])
    sys.exit(1 if any(one["faults"] for one in told["scenarios"]) else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--communications", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--only", nargs="+", choices=list(every()), metavar="NAME")
    parser.add_argument("--lanes", type=int, default=_LANES, help="how many worlds at a time")
    parser.add_argument("--folder", type=Path, default=Path("var/chaos"))
    parser.add_argument("--json", type=Path, help="also write the figures there")
    parser.add_argument("--write-docs", action="store_true", help="into docs/reliability.md")
    parser.add_argument(
        "--page-of",
        nargs="+",
        type=Path,
        metavar="JSON",
        help="write the page of earlier runs alone",
    )
    return parser


def _run(asked: argparse.Namespace, console: Console) -> Told:
    console.print(
        f"seed {asked.seed}: --seed {asked.seed} breaks the same things in the same order"
    )
    lacking = {
        name: scenario.lacks
        for name, scenario in every().items()
        if scenario.lacks and name in (asked.only or every())
    }
    for name, lacks in lacking.items():
        console.print(f"[yellow]not run[/] {name}: this machine lacks {lacks}")
    names = [name for name in asked.only or every() if name not in lacking]
    results: list[Told] = []

    def told() -> Told:
        ordered = sorted(results, key=lambda one: names.index(one["name"]))
        return told_of(ordered, asked.communications, asked.seed, asked.lanes, lacking)

    def done(one: Told) -> None:
        results.append(one)
        _say(one, console)
        if asked.json is not None:
            # Whatever comes next, what was found is kept.
            asked.json.write_text(as_json(told()), encoding="utf-8")

    wanted = Asked(asked.folder, asked.communications, asked.seed)
    run_side_by_side(names, wanted, asked.lanes, console, done)
    return told()


def _say(one: Told, console: Console) -> None:
    mark = "[red]FAILS[/]" if one["faults"] else "[green]stands[/]"
    took = "" if one["seconds"] is None else f": {one['seconds']:.0f} s"
    console.print(f"{mark} {one['name']}{took}")
    for said in (*one["faults"], *one["notes"]):
        console.print(f"    {said}", markup=False)


if __name__ == "__main__":
    main()
