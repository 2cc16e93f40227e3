"""Survival: the demonstration's work while things break, and an account of every communication.

    python -m chaos [--communications 5000] [--seed N] [--only NAME …] [--json FILE] [--write-docs]

Each scenario runs alone, over PostgreSQL, Redis, a mail server, a print vendor and workers of its
own, all real processes; then all that can be joined run in one, in a random order from the seed.
After each it accounts for every communication.
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from random import Random, SystemRandom
from types import FrameType
from typing import Final, NoReturn

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from chaos.ground import Ground
from chaos.running import Result, run
from chaos.scenario import Scenario
from chaos.scenarios import ALL
from chaos.showing import as_json, sheet, told_of, write_page
from chaos.together import NAME, together
from chaos.work import participants_for
from engine.logs import configure_logs, log_file
from engine.settings import load_settings

_PAGE: Final = Path(__file__).parent.parent / "docs" / "reliability.md"


def main() -> None:
    """Run what was asked for; end with 1 where a promise was not kept."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--communications", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--only", nargs="+", choices=[*map(_name, ALL), NAME], metavar="NAME")
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
    asked = parser.parse_args()
    if asked.page_of:
        write_page(_PAGE, [json.loads(file.read_text()) for file in asked.page_of])
        return
    signal.signal(signal.SIGTERM, _leave)
    console = Console()
    if not console.is_terminal:
        console.width = 150
    asked.folder.mkdir(parents=True, exist_ok=True)
    configure_logs(log_file(asked.folder, "chaos"))
    console.print(
        f"seed {asked.seed}: --seed {asked.seed} breaks the same things in the same order"
    )
    results = _run(asked, console)
    told = told_of(results, asked.communications, asked.seed)
    console.print(sheet(told).drawn())
    if asked.write_docs:
        write_page(_PAGE, [told])
    sys.exit(0 if all(result.stands for result in results) else 1)


def _name(scenario: Scenario) -> str:
    return scenario.name


def _leave(signum: int, _frame: FrameType | None) -> NoReturn:
    """Stop what was started, and go; a second signal does not leave half of it running."""
    signal.signal(signum, signal.SIG_IGN)
    raise SystemExit(128 + signum)


def _run(asked: argparse.Namespace, console: Console) -> list[Result]:
    communications = asked.communications
    ground = Ground.open(asked.folder.resolve())
    try:
        settings = load_settings(
            data_dir=asked.folder,
            database_url=ground.migrate(participants_for(communications), asked.seed),
            redis_url=ground.redis.url,
            smtp_url="smtp://127.0.0.1:9",
        )
        asyncio.run(ground.fill(settings))
        every = [*ALL, together(ALL)]
        named = {one.name: one for one in every}
        chosen = every if asked.only is None else [named[name] for name in asked.only]
        for one in chosen:
            if one.lacks:
                console.print(f"[yellow]not run[/] {one.name}: this machine lacks {one.lacks}")
        results = []
        for one in chosen:
            if not one.lacks:
                results.append(_one(ground, one, communications, asked.seed, console))
                # Whatever comes next, what was found is kept.
                _keep(asked, results)
        return results
    finally:
        ground.close()


def _keep(asked: argparse.Namespace, results: list[Result]) -> None:
    if asked.json is not None:
        told = told_of(results, asked.communications, asked.seed)
        asked.json.write_text(as_json(told), encoding="utf-8")


def _one(
    ground: Ground, scenario: Scenario, communications: int, seed: int, console: Console
) -> Result:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        random = Random(f"{seed} {scenario.name}")  # noqa: S311  the same seed breaks the same things
        result = asyncio.run(run(ground, scenario, communications, random, bar))
    mark = "[green]stands[/]" if result.stands else "[red]FAILS[/]"
    console.print(f"{mark} {scenario.name}: {result.seconds:.0f} s")
    for said in (*result.faults, *result.notes):
        console.print(f"    {said}")
    return result


if __name__ == "__main__":
    main()
