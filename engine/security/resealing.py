"""Bringing sealed columns under the current key, a batch at a time, beside everybody's work.

Nothing is kept of how far it came: what is done is under the current key, so whoever was cut short
begins again. A row that changes meanwhile is left to whoever changed it, who seals anew.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.database import driver_connection
from engine.errors import SettingsError
from engine.security.sealed_columns import (
    Personal,
    SealedColumn,
    Unreadable,
    box_of,
    fields_text,
    fingerprint_of,
    key_of,
)

AT_ONCE: Final = 500
IN_CLEAR: Final = ""
"""Stands for a key's id where a row is in the clear."""
_CLEAR: Final = "$2::text IS NULL"
_STALE: Final = "{key} <> $2::text OR ({clear}) IS NOT NULL"
_EVERY: Final = "{key} IS NOT NULL AND $2::text IS NOT NULL"
"""Which rows are sealed anew besides those in the clear."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How many rows of a column were sealed anew, and the ids of those that do not open."""

    column: SealedColumn
    sealed: int
    unreadable: tuple[int, ...]


async def held(driver: Any, column: SealedColumn) -> Mapping[str, int]:
    """How many rows of a column are sealed under each key; `IN_CLEAR` → those in the clear."""
    table = column.table
    clear = f"({column.clear}) IS NOT NULL".replace("{t}", table)
    rows = await driver.fetch(
        f"SELECT CASE WHEN {clear} THEN '{IN_CLEAR}' ELSE {column.key_id} END AS key, "  # noqa: S608  joined from constants of ours
        f"count(*) AS rows FROM {table} WHERE {column.box} IS NOT NULL OR {clear} "
        "GROUP BY 1"
    )
    return Counter({row["key"]: row["rows"] for row in rows})


async def require_keys(
    engine: AsyncEngine, columns: Sequence[SealedColumn], held_ids: Sequence[str]
) -> None:
    """Raise SettingsError where a column has rows under a key that is not held. For whoever serves:
    an address that does not open would be taken for none, and its emails would turn into letters.
    """
    async with engine.connect() as connection:
        driver = await driver_connection(connection)
        for column in columns:
            missing = await driver.fetchval(
                f"SELECT {column.key_id} FROM {column.table} "  # noqa: S608  joined from constants of ours
                f"WHERE {column.key_id} <> ALL($1::text[]) LIMIT 1",
                list(held_ids),
            )
            if missing is not None:
                raise SettingsError(
                    f"SEALING_KEYS: the key {missing!r} is not held, and rows of {column.table} "
                    "are sealed under it; see: connect keys show"
                )


async def reseal(
    engine: AsyncEngine, columns: Sequence[SealedColumn], current: str, *, every: bool = False
) -> AsyncIterator[Batch]:
    """Seal under `current` whatever is not, or `every` row there is, a committed batch at a time.

    Every row, where the key of the fingerprints is another one.
    """
    which = _EVERY if every else _STALE
    for column in columns:
        last: int | None = 0
        while last is not None:
            async with engine.begin() as connection:
                driver = await driver_connection(connection)
                batch, last = await _next(driver, column, which, current, last)
            yield batch


async def seal_clear(driver: Any, column: SealedColumn) -> None:
    """Seal what is in the clear, in the caller's transaction."""
    last: int | None = 0
    while last is not None:
        _, last = await _next(driver, column, _CLEAR, IN_CLEAR, last)


async def _next(
    driver: Any, column: SealedColumn, which: str, current: str, last: int
) -> tuple[Batch, int | None]:
    """The next batch of `which` after the id `last`, and the id that it came to, if any is left."""
    rows = await driver.fetch(_find(column, which), last, current)
    opened = [row for row in rows if not isinstance(row["text"], Unreadable)]
    texts = [_uniform(column, row["text"]) for row in opened]
    sealed = await driver.fetchval(
        _write(column),
        [row["id"] for row in opened],
        [Personal(row["context"], text) for row, text in zip(opened, texts, strict=True)],
        [row["box"] for row in opened],
    )
    unreadable = tuple(row["id"] for row in rows if isinstance(row["text"], Unreadable))
    going_on = rows[-1]["id"] if len(rows) == _at_once(column) else None
    return Batch(column, sealed, unreadable), going_on


def _at_once(column: SealedColumn) -> int:
    return column.at_once or AT_ONCE


def _uniform(column: SealedColumn, text: str) -> str:
    """Fields that PostgreSQL wrote, as we write them: equal ones have one fingerprint."""
    return fields_text(json.loads(text)) if column.form == "fields" else text


def _find(column: SealedColumn, which: str) -> str:
    table = column.table
    clear = f"{column.box} IS NULL AND ({column.clear}) IS NOT NULL".replace("{t}", table)
    others = which.replace("{key}", column.key_id).replace("{clear}", column.clear)
    others = others.replace("{t}", table)
    return (
        f"SELECT id, {column.context.replace('{t}', table)} AS context, "  # noqa: S608  joined from constants of ours
        f"{column.read(form='text')} AS text, {column.box} AS box FROM {table} "
        f"WHERE id > $1 AND ({others} OR {clear}) ORDER BY id LIMIT {_at_once(column)}"
    )


def _write(column: SealedColumn) -> str:
    table = column.table
    changes = [
        f"{column.box} = {box_of('anew.personal')}",
        f"{column.key_id} = {key_of('anew.personal')}",
        *(
            f"{name} = {value}".replace("{t}", table).replace("{p}", "anew.personal")
            for name, value in column.plain
        ),
    ]
    if column.fingerprint is not None:
        changes.append(f"{column.fingerprint} = {fingerprint_of('anew.personal')}")
    return (
        f"WITH anew AS (SELECT * FROM unnest($1::bigint[], $2::json[], $3::bytea[]) "  # noqa: S608  joined from constants of ours
        f"AS anew (id, personal, box)), written AS (UPDATE {table} "
        f"SET {', '.join(changes)} FROM anew WHERE {table}.id = anew.id "
        f"AND {table}.{column.box} IS NOT DISTINCT FROM anew.box RETURNING 1) "
        "SELECT count(*) FROM written"
    )
