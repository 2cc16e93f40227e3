"""What a demonstration says on the terminal when it is over: what became of everything, where it
lies, and what to try next."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from engine.mail.vendor.reconciling import Totals
from engine.stack.print_run import BatchAtVendor, PrintRun
from engine.stack.second_channels import Moved
from engine.stack.tally import Row
from engine.stack.vendor import vendor_root


def show(
    console: Console, rows: list[Row], moves: Sequence[Moved], run: PrintRun, report: Path
) -> None:
    """All of it."""
    console.print(closing_table(rows))
    if moves:
        console.print(second_channels(moves))
    for batch in run.batches:
        for line in _batch_lines(batch):
            console.print(line, highlight=False, soft_wrap=True)
    console.print(_places(report), highlight=False, soft_wrap=True)
    names = [batch.detail.standing.name for batch in run.batches]
    console.print(_commands(report.parent, names[-1:]), highlight=False, soft_wrap=True)


def closing_table(rows: list[Row]) -> Table:
    """Notice × channel × language, with counts, times and promises."""
    table = Table(
        title="What was owed, and what became of it",
        box=box.SIMPLE,
        pad_edge=False,
        padding=0,
        show_edge=False,
    )
    table.add_column("notice", no_wrap=True)
    table.add_column("by")
    table.add_column("lang")
    for name in ("count", "done", "held", "moved", "back", "median", "p99"):
        table.add_column(name, justify="right")
    table.add_column("due by", no_wrap=True)
    table.add_column("in time", justify="right")
    for row in rows:
        table.add_row(
            row.notice,
            row.channel,
            row.language,
            str(row.deliveries),
            str(row.met),
            str(row.held),
            str(row.failed + row.cancelled),
            str(row.returned),
            _seconds(row.median),
            _seconds(row.p99),
            row.due,
            str(row.in_time),
        )
    table.caption = (
        "held: waits for a person, still owed. moved: to the next channel, or to a newer request.\n"
        "back: mailed and returned; then held or moved. in time: of those done. Times run from\n"
        "the request to the mail server's 250, or to the vendor's `mailed`."
    )
    return table


def second_channels(moves: Sequence[Moved]) -> Table:
    """What went from one channel to the next, and whether that one kept its promise."""
    table = Table(
        title="What failed on its first channel, and was met on the next",
        box=box.SIMPLE,
        pad_edge=False,
        padding=0,
        show_edge=False,
    )
    for name in ("notice", "from → to", "because"):
        table.add_column(name, no_wrap=name != "because")
    for name in ("count", "missed", "met", "in time", "held"):
        table.add_column(name, justify="right")
    table.add_column("due by", no_wrap=True)
    for move in moves:
        table.add_row(
            move.notice,
            f"{move.first} → {move.second}",
            move.cause,
            str(move.number),
            str(move.missed),
            str(move.met),
            str(move.in_time),
            str(move.held),
            move.due,
        )
    table.caption = (
        "missed: first promises that were not kept. met, in time: on the second channel, by the\n"
        "day that it promises, counted in business days from the first request."
    )
    return table


def _batch_lines(batch: BatchAtVendor) -> list[str]:
    standing, found = batch.detail.standing, batch.detail.reconciliation
    lines = [f"Batch [bold]{standing.name}[/]", f"  sha256       {standing.sha256}"]
    if found is not None:
        sides = {
            "sent": found.sent,
            "acknowledged": found.acknowledged,
            "mailed": found.mailed,
            "final": found.final,
        }
        lines += [f"  {side:13}{_totals(totals)}" for side, totals in sides.items()]
    said = ", ".join(f"{told.status} {told.pieces}" for told in batch.told if told.events)
    return [*lines, f"  pieces       {said}"]


def _totals(totals: Totals | None) -> str:
    if totals is None:
        return "–"
    return f"{totals.pieces} pieces, {totals.pages} pages, {totals.sheets} sheets"


def _places(report: Path) -> str:
    folder = report.parent
    places = {
        report: "what was sent, and what became of it",
        folder / "mailbox": "the emails",
        folder / "print" / "outgoing": "our copy of the batch",
        folder / "print" / "incoming": "our copies of what the vendor answered",
        vendor_root(folder): "the vendor's drop: it has destroyed what it held",
        folder / "print" / "vendor-key": "its keys, to open the batch with",
        folder / "logs": "what each process said",
    }
    width = max(len(str(place)) for place in places)
    lines = (f"  {place!s:{width}}  {what}" for place, what in places.items())
    return "\nLook at\n" + "\n".join(lines)


def _commands(folder: Path, names: list[str]) -> str:
    tried = [
        "deadlines",
        "batch list",
        *(f"batch show {name}" for name in names),
        "mail held",
        "run",
    ]
    lines = (f"  {command_on(folder, words)}" for words in tried)
    return "\nTry\n" + "\n".join(lines) + "   (everything up again, the vendor too, until Ctrl-C)"


def command_on(data_dir: Path, words: str) -> str:
    """The same program as this one, told to do `words` with `data_dir`, as a shell takes it."""
    called = Path(sys.argv[0])
    program = called if called.name == "connect" else Path("connect")
    return f"DATA_DIR={shlex.quote(str(data_dir))} {shlex.quote(str(program))} {words}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"
