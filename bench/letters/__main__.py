"""Letters a second, side by side, and the memory of a batch of 50,000.

Run as `python -m bench.letters`. Ours goes from frozen rows in a PostgreSQL of its own to the
encrypted archive, tagged, on the cores it is given. The peers draw the first letters of the same
batch, and neither read, number, hash, compress nor encrypt anything. All take turns, several times
over; what is printed are medians, and the ratios between them are what counts.
"""

import argparse
import asyncio
import json
import pickle
import resource
import statistics
import subprocess
import sys
import time
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.progress import Progress

from bench.findings import OUT, Findings, Sheet
from bench.letters.peers import PEERS
from bench.letters.rows import freeze
from bench.machine import machine
from bench.memory import sampled_memory
from bench.plots import Bar, bars
from bench.stand import stand
from engine.bootstrap import Application, open_application
from engine.communications.catalogue import CATALOGUE
from engine.mail.composer import PartComposer
from engine.mail.frozen_letters import FrozenLetters
from engine.mail.letters import Letter
from engine.mail.printing import Frozen, Printer

OURS = "ours, to encrypted batch"
TITLES = {
    "weasyprint-each": "WeasyPrint, one per letter",
    "weasyprint-one": "WeasyPrint, one document",
    "reportlab-one": "ReportLab, one document",
}
ROLES = {"composing_process": "part", "sealing_process": "sealing"}


@dataclass(slots=True)
class Figures:
    """What one engine did, round by round."""

    title: str
    tagged: str
    letters: int
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    peaks: dict[str, float] = field(default_factory=dict)
    fault: str = ""

    @property
    def each(self) -> float:
        """Seconds a letter."""
        return statistics.median(self.seconds) / self.letters

    @property
    def processor_each(self) -> float:
        """Processor seconds a letter, of all processes and cores."""
        return statistics.median(self.processor) / self.letters

    def took(self, seconds: float, processor: float, peaks: dict[str, float]) -> None:
        """Note a round."""
        self.seconds.append(seconds)
        self.processor.append(processor)
        for role, peak in peaks.items():
            self.peaks[role] = max(peak, self.peaks.get(role, 0.0))


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


async def _ours(printer: Printer, frozen: Frozen, file: Path, figures: Figures) -> None:
    busy, began = _processor_seconds(), time.perf_counter()
    with sampled_memory(ROLES) as peaks, Progress(transient=True) as progress:
        task = progress.add_task(f"{figures.letters:,} letters")
        printed = await printer.print(
            frozen, file, lambda done, of: progress.update(task, completed=done, total=of)
        )
    figures.took(time.perf_counter() - began, _processor_seconds() - busy, peaks.of)
    if len(printed.pieces) != figures.letters:
        raise SystemExit(f"{len(printed.held)} letters were held; all should have been printed")


def _peer(key: str, letters: list[Letter], figures: Figures) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.letters.peers", key],
        input=pickle.dumps(letters),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        figures.fault = done.stderr.decode().strip().splitlines()[-1]
        return
    told = json.loads(done.stdout.splitlines()[-1])
    figures.took(told["seconds"], told["processor_seconds"], {"parent": told["peak"]})


async def _first_letters(printer: Printer, frozen: Frozen, number: int) -> list[Letter]:
    """As our own printer drafts them."""
    reader = FrozenLetters(
        engine=printer.engine,
        recipients=printer.recipients,
        secrets=printer.secrets,
        renderer=printer.renderer,
        box=printer.box,
        return_address_of=printer.return_address_of,
        approved=set(CATALOGUE),
        mailer=None,
        clock=printer.clock,
    )
    async with aclosing(reader.parts(frozen.id, frozen.name.day, number, {})) as parts:
        return [item.letter for item in await anext(parts)]


async def _measure(
    application: Application, arguments: argparse.Namespace, folder: Path
) -> tuple[list[Figures], Figures | None]:
    printer = replace(
        application.batches.printer, composer=PartComposer(processes=arguments.processes)
    )
    samples = {"reportlab-one": arguments.peers_sample * 10}
    figures = {OURS: Figures(OURS, "yes", arguments.letters)}
    for key, title in TITLES.items():
        number = min(arguments.letters, samples.get(key, arguments.peers_sample))
        figures[key] = Figures(title, "no" if key == "reportlab-one" else "declared", number)
    frozen = await freeze(application, arguments.letters, 1)
    letters = await _first_letters(printer, frozen, max(one.letters for one in figures.values()))
    for _ in range(arguments.rounds):
        await _ours(printer, frozen, folder / "batch", figures[OURS])
        for key in PEERS:
            await asyncio.to_thread(_peer, key, letters[: figures[key].letters], figures[key])
    big = None
    if arguments.big:
        big = Figures("ours, a large batch", "yes", arguments.big)
        await _ours(printer, await freeze(application, arguments.big, 2), folder / "batch", big)
    return list(figures.values()), big


def _table(figures: list[Figures], big: Figures | None) -> Sheet:
    columns = ("", "letters", "letters/s", "ours is", "CPU ms each", "MiB", "MiB a part", "tagged")
    rows: list[tuple[str, ...]] = []
    ours = figures[0]
    for one in [*figures, *([big] if big else [])]:
        if one.fault:
            rows.append((one.title, *[""] * 6, f"could not be run: {one.fault}"))
            continue
        rows.append(
            (
                one.title,
                f"{one.letters:,}",
                f"{1 / one.each:,.1f}",
                f"{one.each / ours.each:.1f} ×",
                f"{1000 * one.processor_each:.2f}",
                f"{one.peaks['parent']:.0f}",
                f"{one.peaks['part']:.0f}" if "part" in one.peaks else "",
                one.tagged,
            )
        )
    return Sheet("Letters", columns, rows)


def _cost(many: Figures, few: Figures) -> str:
    """Both ratios: on a machine that others use too, the processor's time is the steadier one."""
    return (
        f"each of {many.letters:,} takes {many.each / few.each:.2f} of the time of each of "
        f"{few.letters:,}, and {many.processor_each / few.processor_each:.2f} of the processor's"
    )


def _plot(figures: list[Figures]) -> str:
    rows = [
        Bar(one.title, 1 / one.each, f"{1 / one.each:,.1f}", ours=one is figures[0])
        for one in figures
        if not one.fault
    ]
    return bars("Letters a second, side by side in one run", rows, machine())


def _told(figures: list[Figures], big: Figures | None) -> Findings:
    findings = Findings("letters")
    findings.sheets.append(_table(figures, big))
    if big:
        findings.lines.append(_cost(big, figures[0]))
    findings.plots["letters"] = _plot(figures)
    findings.figures = {
        one.title: {
            "letters": one.letters,
            "fault": one.fault,
            "seconds": one.seconds,
            "mebibytes": one.peaks,
        }
        for one in [*figures, *([big] if big else [])]
    }
    return findings


def main() -> None:
    """Read the sizes wanted, and measure."""
    parser = argparse.ArgumentParser(prog="bench.letters", description=__doc__)
    parser.add_argument("--letters", type=int, default=5_000)
    parser.add_argument("--big", type=int, default=50_000, help="0 for none")
    parser.add_argument("--peers-sample", type=int, default=60, help="ReportLab: ten times that")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    with stand() as settings:

        async def run() -> tuple[list[Figures], Figures | None]:
            async with open_application(settings) as application:
                return await _measure(application, arguments, settings.data_dir)

        findings = _told(*asyncio.run(run()))
    findings.show()
    findings.write(arguments.out)


if __name__ == "__main__":
    main()
