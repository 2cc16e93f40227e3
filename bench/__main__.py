"""Every bench, one after the other, and what they found into docs/performance.md.

    python -m bench                     all of them: about half an hour on two cores
    python -m bench send latency        only these
    python -m bench --quick             a few minutes, to see that all of them run
    python -m bench --long              as many messages and rounds as patience allows

Each leaves its table, plot and figures in var/bench; its tables and plots then go into
docs/performance.md and docs/performance/. A quick run changes neither page nor plots.
A bench that fails is said, and the others go on.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.findings import OUT
from bench.page import PAGE, put_on_page

_MOST_SECONDS: Final = 5_400
_BUSY: Final = 0.3
"""Of each core: what others may use of a machine before figures say more of them than of us."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a bench is run, and in about how many minutes on two cores."""

    minutes: int
    usual: str
    quick: str
    long: str


PLANS: Final[Mapping[str, Plan]] = MappingProxyType(
    {
        "send": Plan(
            22, "--rounds 3", "--messages 1000 --rounds 1 --big 4000", "--rounds 5 --big 1000000"
        ),
        "scale": Plan(2, "--rounds 2", "--messages 1000 --rounds 1", "--messages 50000 --rounds 3"),
        "latency": Plan(3, "--seconds 45", "--communications 2000 --seconds 10", "--seconds 300"),
        "record": Plan(3, "", "--communications 20000", "--communications 5000000"),
        "letters": Plan(
            3,
            "--letters 1500 --rounds 2 --big 10000",
            "--letters 200 --rounds 1 --big 0 --peers-sample 10",
            "",
        ),
        "portal": Plan(
            2,
            "--participants 20000 --seconds 10 --tries 100",
            "--participants 1000 --seconds 3 --tries 10",
            "",
        ),
        "forgot_pin": Plan(1, "--rounds 400", "--rounds 80", "--rounds 2000"),
        "api": Plan(1, "--requests 100", "--requests 12 --size 200", "--requests 1000"),
        "import_caseload": Plan(1, "--participants 50000", "--participants 2000", ""),
    }
)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a bench: `fault` is empty where it ran, `unmet` what it did not reach."""

    name: str
    seconds: float
    fault: str
    unmet: Sequence[str] = ()


def run(name: str, arguments: str, out: Path, console: Console) -> Done:
    """Run a bench, and show what it said at its end."""
    out.mkdir(parents=True, exist_ok=True)
    log, figures = out / f"{name}.log", out / f"{name}.json"
    figures.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"bench.{name}", *arguments.split(), "--out", str(out)]
    began = time.monotonic()
    with log.open("w") as said, subprocess.Popen(command, stdout=said, stderr=said) as running:
        try:
            code = running.wait(_MOST_SECONDS)
            fault = f"ended with {code}: see {log}" if code else ""
        except subprocess.TimeoutExpired:
            running.terminate()
            fault = f"did not end within {_MOST_SECONDS} s: see {log}"
    seconds = time.monotonic() - began
    console.print(f"\n{name} {arguments}", style="bold", highlight=False)
    console.print(log.read_text().strip()[-6_000:], highlight=False, markup=False)
    if fault:
        return Done(name, seconds, fault)
    return Done(name, seconds, "", json.loads(figures.read_text())["unmet"])


def main() -> None:
    """Run what is wanted; ends with 1 where a bench failed."""
    asked = _asked()
    console = Console(width=max(112, Console().width))
    _warn_of_others(console)
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    finished: list[Done] = []
    with Progress(*bar, console=console) as progress:
        task = progress.add_task("", total=len(asked.benches))
        for name in asked.benches:
            plan = PLANS[name]
            how_long = "" if asked.how != "usual" else f", about {plan.minutes} min"
            progress.update(task, description=f"{name}{how_long}")
            finished.append(run(name, getattr(plan, asked.how), asked.out, console))
            if asked.how != "quick" and not finished[-1].fault:
                put_on_page(asked.out, [name])
            progress.advance(task)
    _tell(finished, asked, console)
    sys.exit(any(done.fault for done in finished))


def _tell(finished: Sequence[Done], asked: argparse.Namespace, console: Console) -> None:
    table = Table(title="Benches")
    for heading in ("bench", "took", "what became of it"):
        table.add_column(heading)
    for done in finished:
        standing = done.fault or "; ".join(done.unmet) or "ran, and reached what it was to reach"
        table.add_row(done.name, f"{done.seconds:.0f} s", standing)
    console.print(table)
    ran = [done.name for done in finished if not done.fault]
    if asked.how == "quick":
        console.print(f"Figures are in {asked.out}. They are of a quick run: try python -m bench")
    elif ran:
        console.print(f"docs/{PAGE.name} now says what {', '.join(ran)} found: look at git diff.")
    if failed := [done.name for done in finished if done.fault]:
        console.print(f"Again, once mended: python -m bench {' '.join(failed)}")


def _warn_of_others(console: Console) -> None:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > _BUSY * cores:
        console.print(
            f"Others use this machine (load {load:.1f} on {cores} cores): the figures will say "
            "more of them than of the program.",
            style="yellow",
        )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=", ".join(PLANS))
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", dest="how", action="store_const", const="quick", default="usual")
    how.add_argument("--long", dest="how", action="store_const", const="long")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    if unknown := set(asked.benches) - PLANS.keys():
        parser.error(f"no bench is called {', '.join(sorted(unknown))}; there are {[*PLANS]}")
    asked.benches = asked.benches or list(PLANS)
    return asked


if __name__ == "__main__":
    main()
