"""What `connect batch` shows, as tables."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.cli.plain import add_row, moment, new_table, number, say, show_table
from engine.mail.overview import Detail, Standing
from engine.mail.vendor.reconciling import Reconciliation


def batch_table(batches: Sequence[Standing]) -> Table:
    """The batches, one a row."""
    table = new_table("Print batches")
    for name in ("batch", "state", "pieces", "sheets", "closed", "ack", "final", "mail by"):
        table.add_column(
            name,
            justify="right" if name in {"pieces", "sheets"} else "left",
            no_wrap=name == "batch",
        )
    for item in batches:
        state = "held" if item.held_at is not None else item.state.replace("_", " ")
        add_row(
            table,
            item.name,
            f"{state}{' — waits' if item.trouble else ''}",
            str(item.gathered if item.pieces is None else item.pieces),
            number(item.sheets),
            moment(item.closed_at),
            item.ack or "–",
            "yes" if item.final_at else "–",
            str(item.mail_by or "–"),
        )
    return table


def route_table(batch: str, piece: str, stops: Sequence[Any]) -> Table:
    """The route of one piece, one stop a row."""
    table = new_table(f"{batch}, piece {piece}")
    for name in ("when", "status", "reason", "sheets", "makes good", "NCOA"):
        table.add_column(name)
    for stop in stops:
        add_row(
            table,
            moment(stop["at"]),
            stop["status"],
            stop["reason"] or "",
            number(stop["sheets"]) if stop["sheets"] else "",
            stop["reprint_of"] or "",
            stop["ncoa_code"] or "",
        )
    if not stops:
        table.caption = "The vendor has said nothing of it yet."
    return table


def print_detail(console: Console, detail: Detail) -> None:
    """One batch, from its numbers to what was done about it by hand."""
    item = detail.standing
    show_table(console, batch_table([item]))
    for line in _facts(item):
        say(console, line)
    if item.trouble:
        say(console, f"waits  {item.trouble}", "red")
    if detail.reconciliation is not None:
        _print_reconciliation(console, detail.reconciliation)
    if detail.files:
        show_table(console, _files(detail.files))
    if detail.orders:
        show_table(console, _orders(detail.orders))
    for act in detail.acts:
        say(console, f"{moment(act['at'])}  {act['act']} by {act['who']}: {act['why']}")


def _facts(item: Standing) -> list[str]:
    facts = []
    if item.sha256:
        facts.append(f"sha256 {item.sha256}, {item.bytes} bytes")
    if item.handed_over_at:
        facts.append(f"handed over {moment(item.handed_over_at)}, to be purged by {item.purge_by}")
    if item.supersedes:
        facts.append(f"replaces {item.supersedes}")
    return facts


def _print_reconciliation(console: Console, found: Reconciliation) -> None:
    show_table(console, _reconciliation(found))
    for disagreement in found.disagreements:
        say(console, f"disagrees  {disagreement}", "red")
    if found.superseded_by is not None:
        say(console, f"{found.superseded_by} replaces it")
    elif found.superseded:
        say(console, "its letters were taken out of it, and wait for the next close")
    elif found.rejected:
        say(console, f"to put its letters into a new batch: connect batch supersede {found.name}")


def _reconciliation(found: Reconciliation) -> Table:
    table = new_table("Sent, acknowledged, mailed")
    for name in ("", "sent", "acknowledged", "mailed", "final"):
        table.add_column(name, justify="right" if name else "left")
    sides = (found.sent, found.acknowledged, found.mailed, found.final)
    for name in ("pieces", "pages", "sheets"):
        values = ("–" if side is None else str(getattr(side, name)) for side in sides)
        add_row(table, name, *values)
    table.caption = "now: " + ", ".join(
        f"{count} {'sent' if status == 'none' else status}"
        for status, count in sorted(found.by_status.items())
    )
    return table


def _files(files: Sequence[Any]) -> Table:
    table = new_table("From the vendor")
    for name in ("received", "file", "", "reason"):
        table.add_column(name, overflow="fold")
    for file in files:
        add_row(
            table, moment(file["received_at"]), file["name"], file["result"], file["reason"] or ""
        )
    return table


def _orders(orders: Sequence[Any]) -> Table:
    table = new_table("Orders")
    for name in ("order", "what", "pieces", "reason", "sent"):
        table.add_column(name)
    for order in orders:
        add_row(
            table,
            f"{order['number']:03d}",
            order["action"],
            str(order["pieces"]),
            order["reason"],
            moment(order["sent_at"]),
        )
    return table
