"""What a person must look at at the print drop, found anew each time."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.alarms.book import keep
from engine.alarms.kinds import Alarm, AlarmKind, Finder
from engine.calendar.business_days import add_business_days
from engine.clock import Clock, pacific_date
from engine.database import driver_connection
from engine.errors import ConnectError
from engine.mail.keys import PrintKeys
from engine.mail.vendor.reconciling import reconcile

ACK_WITHIN: Final = timedelta(hours=2)
ORDER_WITHIN: Final = timedelta(minutes=15)
"""An order is sent within a minute, unless something is wrong with the drop or with its file."""

FINAL_WITHIN: Final = 2
"""Business days after the batch was handed over."""

LOOK_BACK: Final = timedelta(days=120)
"""Batches older than this were looked at long ago."""

_BATCHES: Final = """
SELECT id, name, sequence, job, env, state, handed_over_at, purge_by, trouble, supersedes,
       (SELECT content->>'result' FROM print_answer WHERE batch_id = print_batch.id
        AND kind = 'ack') AS ack,
       (SELECT content->'errors' @> '[{"code": "SEQUENCE_GAP"}]' FROM print_answer
        WHERE batch_id = print_batch.id AND kind = 'ack') AS vendor_sees_gap,
       (SELECT content->>'destroyed_at' FROM print_answer WHERE batch_id = print_batch.id
        AND kind = 'final') AS destroyed_at,
       EXISTS (SELECT FROM print_answer WHERE batch_id = print_batch.id AND kind = 'final')
           AS final,
       EXISTS (SELECT FROM print_batch later WHERE later.supersedes = print_batch.name)
           OR EXISTS (SELECT FROM print_piece WHERE batch_id = print_batch.id AND superseded)
           AS superseded,
       (SELECT max(number) - count(DISTINCT number) FROM print_file
        WHERE batch_id = print_batch.id AND kind = 'status' AND result = 'applied') AS missing
FROM print_batch
WHERE name IS NOT NULL AND closed_at > $1 ORDER BY job, env, sequence
"""
_UNSENT_ORDERS: Final = """
SELECT name || '.order.' || lpad(number::text, 3, '0') AS order_id
FROM print_order JOIN print_batch ON print_batch.id = batch_id
WHERE sent_at IS NULL AND print_order.sha256 IS NOT NULL AND ordered_at <= $1
ORDER BY print_order.id
"""
_REDIRECTED: Final = """
SELECT name, piece_id::text, ncoa_code
FROM piece_event JOIN print_piece ON print_piece.id = piece
JOIN print_batch ON print_batch.id = batch_id
WHERE confidential AND ncoa_code IS NOT NULL AND at > $1
"""
_QUARANTINED: Final = """
SELECT name, reason FROM print_file refused
WHERE result = 'quarantined' AND received_at > $1
  AND NOT EXISTS (SELECT FROM print_file mended WHERE mended.name = refused.name
                  AND mended.result = 'applied' AND mended.id > refused.id)
  AND NOT EXISTS (SELECT FROM operator_act WHERE act = 'answer' AND subject = refused.name
                  AND operator_act.at >= refused.received_at)
ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class DropAlarms:
    """Looks at every batch of the last months, and at the keys."""

    engine: AsyncEngine
    keys: Callable[[], PrintKeys]
    clock: Clock

    async def look(self) -> list[Alarm]:
        """What stands now; the book of alarms is brought in step with it."""
        now = self.clock()
        async with self.engine.begin() as connection:
            found = [alarm async for alarm in self._found(connection, now)]
            await keep(connection, Finder.PRINT_DROP, found, now)
        return found

    async def _found(self, connection: AsyncConnection, now: datetime) -> AsyncIterator[Alarm]:
        driver = await driver_connection(connection)
        since = now - LOOK_BACK
        batches = await driver.fetch(_BATCHES, since)
        for batch in batches:
            for alarm in _of_one(batch, batches, now):
                yield alarm
        handed_over = [batch["id"] for batch in batches if batch["handed_over_at"] is not None]
        for reconciled in await reconcile(connection, handed_over):
            if reconciled.blocks:
                yield Alarm("totals", reconciled.name, "; ".join(reconciled.disagreements))
        for row in await driver.fetch(_UNSENT_ORDERS, now - ORDER_WITHIN):
            yield Alarm("order", row["order_id"], "it was not sent; the log says why (order_waits)")
        for row in await driver.fetch(_REDIRECTED, since):
            yield Alarm(
                "confidential_redirected",
                row["name"],
                f"piece {row['piece_id']} came with NCOA code {row['ncoa_code']}: ask the vendor "
                "where it went",
            )
        for row in await driver.fetch(_QUARANTINED, since):
            yield Alarm("quarantined", row["name"], f"{row['reason']}; write to the vendor")
        for alarm in self._about_keys(now):
            yield alarm

    def _about_keys(self, now: datetime) -> Sequence[Alarm]:
        try:
            return [Alarm("key", key.subject, key.detail) for key in self.keys().expiring(now)]
        except ConnectError as error:
            return [Alarm("key", "settings", str(error))]


def _of_one(batch: Any, batches: Sequence[Any], now: datetime) -> list[Alarm]:
    """What is wrong with one batch by itself, and beside the others of its job."""
    name, sent = batch["name"], batch["handed_over_at"]
    found = []
    if batch["trouble"] is not None:
        kind: AlarmKind = "close" if batch["state"] == "closing" else "handover"
        found.append(Alarm(kind, name, batch["trouble"]))
    if sent is None:
        return found
    if batch["ack"] is None and now >= sent + ACK_WITHIN:
        found.append(Alarm("no_ack", name, "no ack 2 hours after .done: ask the vendor"))
    live = batch["ack"] != "rejected" and not batch["superseded"]
    due = add_business_days(pacific_date(sent), FINAL_WITHIN)
    if live and not batch["final"] and pacific_date(now) > due:
        found.append(Alarm("no_final", name, f"no final, and it was due on {due}: ask the vendor"))
    if batch["final"] and batch["destroyed_at"] is None and pacific_date(now) > batch["purge_by"]:
        found.append(
            Alarm("not_destroyed", name, f"its data was to be gone by {batch['purge_by']}")
        )
    if batch["missing"]:
        found.append(Alarm("status_gap", name, f"{batch['missing']} status file(s) are missing"))
    later = [
        other["name"]
        for other in batches
        if (other["job"], other["env"]) == (batch["job"], batch["env"])
        and other["sequence"] > batch["sequence"]
        and other["ack"] is not None
    ]
    if batch["vendor_sees_gap"]:
        found.append(Alarm("sequence_gap", name, "the vendor misses the batch before it"))
    if batch["ack"] is None and later:
        found.append(Alarm("sequence_gap", name, f"{later[0]} was acknowledged, and it was not"))
    return found
