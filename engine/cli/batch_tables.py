"""What `connect batch` shows, as tables."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from engine.clock import PACIFIC
from engine.mail.overview import Detail, Standing, StandingAlarm
from engine.mail.vendor.reconciling import Reconciliation


def batch_table(batches: Sequence[Standing]) -> Table:
    """The batches, one a row."""
    table = _table("Print batches")
    for name in ("batch", "state", "pieces", "sheets", "closed", "ack", "final", "mail by"):
        table.add_column(name, justify="right" if name in {"pieces", "sheets"} else "left")
    for item in batches:
        state = "held" if item.held_at is not None else item.state.replace("_", " ")
        table.add_row(
            item.name,
            f"{state}{' — waits' if item.trouble else ''}",
            str(item.gathered if item.pieces is None else item.pieces),
            _number(item.sheets),
            _moment(item.closed_at),
            item.ack or "–",
            "yes" if item.final_at else "–",
            str(item.mail_by or "–"),
        )
    return table


def alarm_table(alarms: Sequence[StandingAlarm]) -> Table:
    """The alarms that stand, one a row."""
    table = _table("[red]Alarms[/]")
    for name in ("since", "alarm", "of", "what"):
        table.add_column(name, overflow="fold")
    for alarm in alarms:
        table.add_row(_moment(alarm.raised_at), alarm.kind, alarm.subject, alarm.detail)
    return table


def route_table(batch: str, piece: str, stops: Sequence[Any]) -> Table:
    """The route of one piece, one stop a row."""
    table = _table(f"{batch}, piece {piece}")
    for name in ("when", "status", "reason", "sheets", "makes good", "NCOA"):
        table.add_column(name)
    for stop in stops:
        table.add_row(
            _moment(stop["at"]),
            stop["status"],
            stop["reason"] or "",
            _number(stop["sheets"]) if stop["sheets"] else "",
            stop["reprint_of"] or "",
            stop["ncoa_code"] or "",
        )
    if not stops:
        table.caption = "The vendor has said nothing of it yet."
    return table


def print_detail(console: Console, detail: Detail) -> None:
    """One batch, from its numbers to what was done about it by hand."""
    item = detail.standing
    console.print(batch_table([item]))
    for line in _facts(item):
        console.print(line, highlight=False)
    if detail.reconciliation is not None:
        console.print(_reconciliation(detail.reconciliation))
        for disagreement in detail.reconciliation.disagreements:
            console.print(f"[red]disagrees[/]  {disagreement}", highlight=False)
    if detail.files:
        console.print(_files(detail.files))
    if detail.orders:
        console.print(_orders(detail.orders))
    for act in detail.acts:
        console.print(
            f"{_moment(act['at'])}  {act['act']} by {act['who']}: {act['why']}", highlight=False
        )


def _facts(item: Standing) -> list[str]:
    facts = []
    if item.sha256:
        facts.append(f"sha256 {item.sha256}, {item.bytes} bytes")
    if item.handed_over_at:
        facts.append(f"handed over {_moment(item.handed_over_at)}, to be purged by {item.purge_by}")
    if item.supersedes:
        facts.append(f"replaces {item.supersedes}")
    if item.trouble:
        facts.append(f"[red]waits[/]  {item.trouble}")
    return facts


def _reconciliation(found: Reconciliation) -> Table:
    table = _table("Sent, acknowledged, mailed")
    for name in ("", "sent", "acknowledged", "mailed", "final"):
        table.add_column(name, justify="right" if name else "left")
    sides = (found.sent, found.acknowledged, found.mailed, found.final)
    for name in ("pieces", "pages", "sheets"):
        values = ("–" if side is None else str(getattr(side, name)) for side in sides)
        table.add_row(name, *values)
    table.caption = "now: " + ", ".join(
        f"{count} {'sent' if status == 'none' else status}"
        for status, count in sorted(found.by_status.items())
    )
    return table


def _files(files: Sequence[Any]) -> Table:
    table = _table("From the vendor")
    for name in ("received", "file", "", "reason"):
        table.add_column(name, overflow="fold")
    for file in files:
        table.add_row(
            _moment(file["received_at"]), file["name"], file["result"], file["reason"] or ""
        )
    return table


def _orders(orders: Sequence[Any]) -> Table:
    table = _table("Orders")
    for name in ("order", "what", "pieces", "reason", "sent"):
        table.add_column(name)
    for order in orders:
        table.add_row(
            f"{order['number']:03d}",
            order["action"],
            str(order["pieces"]),
            order["reason"],
            _moment(order["sent_at"]),
        )
    return table


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_edge=False,
        caption_justify="left",
    )


def _moment(at: datetime | None) -> str:
    return "–" if at is None else f"{at.astimezone(PACIFIC):%Y-%m-%d %H:%M}"


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)
