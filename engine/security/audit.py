"""The audit trail: who did what, when and from where, each entry chained to the one before it.

Each entry's hash covers that of the entry before (as in RFC 9162, without the tree) under
a key that is not in the database: whoever changes, removes or inserts an entry there cannot make
the chain whole again. A tail that was cut off shows against a head that was written down earlier.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.clock import Clock
from engine.database import driver_connection
from engine.errors import ConnectError, InputError

START: Final = bytes(32)
"""What the first entry of all follows."""
PRUNED: Final = "audit.pruned"
_TOLD_EVERY: Final = 1_000
_LOCK: Final = "SELECT pg_advisory_xact_lock(4107303)"
_LAST: Final = "SELECT id, hash FROM audit_entry ORDER BY id DESC LIMIT 1"
_APPEND: Final = """
INSERT INTO audit_entry (id, at, actor, participant_id, act, details, network, previous, hash)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9)
"""
_ALL: Final = """
SELECT id, at, actor, participant_id, act, details::text AS details, network, previous, hash
FROM audit_entry ORDER BY id
"""
_OLD: Final = """
SELECT id, hash, (SELECT count(*) FROM audit_entry AS earlier WHERE earlier.id <= last.id) AS number
FROM audit_entry AS last
WHERE id < coalesce((SELECT min(id) FROM audit_entry WHERE at >= $1), 9223372036854775807)
ORDER BY id DESC LIMIT 1
"""
_REMOVE: Final = "DELETE FROM audit_entry WHERE id <= $1"
_MAY_REMOVE: Final = "SELECT set_config('connect.removing', 'audit_entry', true)"
_OF_PARTICIPANT: Final = """
SELECT id, at, actor, participant_id, act, details::text AS details, network
FROM audit_entry WHERE participant_id = $1 ORDER BY id DESC LIMIT $2
"""
_LATEST: Final = """
SELECT id, at, actor, participant_id, act, details::text AS details, network
FROM audit_entry ORDER BY id DESC LIMIT $1
"""

Detail = str | int | bool | None


class AuditBrokenError(ConnectError):
    """The trail is not as it was written: somebody must look at who had access to the database."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `actor` reads `participant:<id>`, `staff:<account>`, `api:<key>`, `system`
    or `unknown`; `details` are plain values, never a secret, a name or a contact."""

    actor: str
    act: str
    participant_id: int | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)
    network: str | None = None

    def __post_init__(self) -> None:
        """Refuse details that are not plain values."""
        for name, value in self.details.items():
            if not isinstance(value, str | int | bool | None):
                raise TypeError(f"the detail {name!r} of {self.act} is not a plain value")


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it stands in the trail, under its number."""

    id: int
    at: datetime
    entry: Entry


@dataclass(frozen=True, slots=True)
class Verified:
    """A whole trail; `head` is the hash of its last entry, in hexadecimal."""

    entries: int
    first_id: int
    last_id: int
    head: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Appends to the trail, and proves it."""

    key: bytes
    clock: Clock

    async def append(self, connection: AsyncConnection, entry: Entry) -> None:
        """Append `entry` in the transaction of what it tells of.

        Call it last in that transaction: until its end, whoever else appends waits.
        """
        driver = await driver_connection(connection)
        await driver.execute(_LOCK)
        last = await driver.fetchrow(_LAST)
        number, previous = (last["id"] + 1, last["hash"]) if last else (1, START)
        row = {
            "id": number,
            "at": self.clock().astimezone(UTC),
            "actor": entry.actor,
            "participant_id": entry.participant_id,
            "act": entry.act,
            "details": dict(entry.details),
            "network": entry.network,
        }
        await driver.execute(
            _APPEND,
            number,
            row["at"],
            entry.actor,
            entry.participant_id,
            entry.act,
            json.dumps(row["details"]),
            entry.network,
            previous,
            self._hash(previous, row),
        )

    async def verify(
        self,
        connection: AsyncConnection,
        *,
        head: tuple[int, str] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Verified:
        """Prove the trail from its first entry to its last, `head` (number and hash in hexadecimal)
        among them where one was written down. Rows are streamed. Raises AuditBrokenError, which
        names the entry; InputError where `head` was pruned."""
        driver = await driver_connection(connection)
        walk = _Walk()
        async for row in driver.cursor(_ALL, prefetch=_TOLD_EVERY):
            self._step(walk, row)
            if head is not None and row["id"] == head[0] and row["hash"].hex() != head[1].lower():
                raise AuditBrokenError(f"entry {row['id']} is not the one that was written down")
            if progress is not None and walk.entries % _TOLD_EVERY == 0:
                progress(walk.entries)
        _beginning(walk)
        if head is not None:
            _tail(walk, head[0])
        return Verified(walk.entries, walk.first_id, walk.last_id, walk.previous.hex())

    async def latest(
        self, connection: AsyncConnection, limit: int, participant_id: int | None = None
    ) -> list[Written]:
        """The last entries, newest first; of one participant, or of all."""
        driver = await driver_connection(connection)
        if participant_id is None:
            rows = await driver.fetch(_LATEST, limit)
        else:
            rows = await driver.fetch(_OF_PARTICIPANT, participant_id, limit)
        return [_written(row) for row in rows]

    async def old(self, connection: AsyncConnection, before: datetime) -> int:
        """How many entries `prune` would remove."""
        driver = await driver_connection(connection)
        last = await driver.fetchrow(_OLD, before)
        return last["number"] if last else 0

    async def prune(self, connection: AsyncConnection, before: datetime) -> int:
        """Remove the entries before the moment `before`, from the beginning on, and say so in an
        entry of the trail; how many. Like `append`, it is called last in its transaction."""
        driver = await driver_connection(connection)
        await driver.execute(_LOCK)
        last = await driver.fetchrow(_OLD, before)
        if last is None:
            return 0
        # First the entry, and then what it tells of: a trail that was emptied would begin anew.
        await self.append(
            connection,
            Entry("system", PRUNED, details={"through": last["id"], "hash": last["hash"].hex()}),
        )
        await driver.execute(_MAY_REMOVE)
        await driver.execute(_REMOVE, last["id"])
        return int(last["number"])

    def _step(self, walk: "_Walk", row: Any) -> None:
        details = json.loads(row["details"])
        if walk.entries == 0:
            walk.first_id, walk.first_previous = row["id"], row["previous"]
        elif row["id"] != walk.last_id + 1:
            raise AuditBrokenError(f"entry {walk.last_id + 1} is missing")
        elif row["previous"] != walk.previous:
            raise AuditBrokenError(f"entry {row['id']} does not follow entry {walk.last_id}")
        told = {name: row[name] for name in ("id", "actor", "participant_id", "act", "network")}
        told |= {"at": row["at"].astimezone(UTC), "details": details}
        if not hmac.compare_digest(self._hash(row["previous"], told), row["hash"]):
            raise AuditBrokenError(f"entry {row['id']} was changed")
        if row["act"] == PRUNED:
            walk.pruned[details["through"]] = details["hash"]
        walk.entries += 1
        walk.last_id, walk.previous = row["id"], row["hash"]

    def _hash(self, previous: bytes, row: Mapping[str, Any]) -> bytes:
        told = json.dumps(
            {
                "previous": previous.hex(),
                **{name: value for name, value in row.items() if name != "at"},
                "at": row["at"].isoformat(timespec="microseconds"),
            },
            sort_keys=True,
            separators=(",", ":"),
        )
        key = hmac.digest(self.key, b"audit trail", "sha256")
        return hmac.digest(key, told.encode(), "sha256")


@dataclass(slots=True)
class _Walk:
    """How far a proof has come."""

    entries: int = 0
    first_id: int = 0
    last_id: int = 0
    first_previous: bytes = START
    previous: bytes = START
    pruned: dict[int, str] = field(default_factory=dict)


def _beginning(walk: _Walk) -> None:
    """The first entry of all, or the one after those that were pruned."""
    if walk.first_previous == START:
        if walk.entries and walk.first_id != 1:
            raise AuditBrokenError(f"entry 1 is missing: the trail begins at {walk.first_id}")
        return
    if walk.pruned.get(walk.first_id - 1) != walk.first_previous.hex():
        raise AuditBrokenError(
            f"the entries before {walk.first_id} are gone, and none says they were pruned"
        )


def _tail(walk: _Walk, written_down: int) -> None:
    """The entry that was written down was walked over."""
    if walk.last_id < written_down:
        raise AuditBrokenError(
            f"the trail ends at entry {walk.last_id}, and entry {written_down} was written down"
        )
    if written_down < walk.first_id:
        raise InputError(
            f"entry {written_down} was pruned since it was written down: the trail, which begins "
            f"at {walk.first_id}, is whole, but cannot be compared with it"
        )


def _written(row: Any) -> Written:
    entry = Entry(
        row["actor"], row["act"], row["participant_id"], json.loads(row["details"]), row["network"]
    )
    return Written(row["id"], row["at"], entry)
