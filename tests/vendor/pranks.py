"""What a mischief makes of a document before it is sealed."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.vendor.answers import COUNTS_SHEETS, Status, StatusRow, moment, to_csv
from tests.vendor.manners import Mischief

A_WEEK = timedelta(days=7)
UNKNOWN_NUMBER = "999"
NO_PIECE = str(UUID(int=0))
Mischiefs = Collection[Mischief]


def twist_batch(batch_id: str, mischief: Mischiefs) -> str:
    """The batch that an answer is for."""
    if Mischief.UNKNOWN_BATCH in mischief:
        return f"{batch_id[: -len(UNKNOWN_NUMBER)]}{UNKNOWN_NUMBER}"
    return batch_id


def twist_name(name: str, mischief: Mischiefs) -> str:
    """The name that an answer comes under."""
    if Mischief.WRONG_NAME in mischief:
        return name.replace(".pgp", ".asc")
    return name


def twist_document(document: dict[str, Any], mischief: Mischiefs) -> dict[str, Any]:
    """An ack or a final."""
    twisted = {**document, "batch_id": twist_batch(document["batch_id"], mischief)}
    twisted["at"] = twist_moment(document["at"], mischief)
    if Mischief.MISSHAPEN in mischief:
        twisted["operator"] = "night shift"
    if "result" in document:
        _twist_ack(twisted, mischief)
    else:
        _twist_final(twisted, mischief)
    return twisted


def _twist_ack(ack: dict[str, Any], mischief: Mischiefs) -> None:
    if Mischief.REJECTS in mischief:
        ack["result"] = "rejected"
        ack["errors"] = [{"code": "OTHER", "piece_id": None, "detail": "the presses stand still"}]
    if Mischief.OUT_OF_VOCABULARY in mischief:
        ack["errors"] = [*ack["errors"], {"code": "SHRUG", "piece_id": None, "detail": None}]
    if Mischief.WRONG_HASH in mischief:
        ack["sha256"] = ack["sha256"][::-1]
    if Mischief.WRONG_TOTALS in mischief and ack["counted"]:
        counted = ack["counted"]
        more = {"pieces": 1, "pages": 2, "sheets": 1}
        ack["counted"] = {**counted, **{name: counted[name] + n for name, n in more.items()}}


def _twist_final(final: dict[str, Any], mischief: Mischiefs) -> None:
    if Mischief.WRONG_TOTALS in mischief:
        for name, more in {"pieces": 1, "mailed": 1, "pages": 2, "sheets": 1}.items():
            final[name] += more
    if Mischief.WRONG_SUM in mischief:
        final["mailed"] += 1
    if Mischief.HELD_IN_FINAL in mischief:
        final["held"] += 1
        final["mailed"] -= 1


def twist_rows(
    rows: list[StatusRow], mischief: Mischiefs, confidential: Collection[str]
) -> list[StatusRow]:
    """The rows of a status file. `confidential` holds piece ids."""
    twisted = [replace(row, at=twist_moment(row.at, mischief)) for row in rows]
    if Mischief.WRONG_TOTALS in mischief:
        twisted = [
            replace(row, sheets=str(int(row.sheets) + 1)) if row.status in COUNTS_SHEETS else row
            for row in twisted
        ]
    if Mischief.NCOA_ON_CONFIDENTIAL in mischief:
        matched = {Status.ACCEPTED, Status.PRINTED, Status.MAILED}
        twisted = [
            replace(row, ncoa_code="A")
            if row.piece_id in confidential and row.status in matched
            else row
            for row in twisted
        ]
    if Mischief.MAILED_TWICE in mischief:
        twisted += [
            replace(row, event_id=f"{row.event_id[:58]}.again")
            for row in twisted
            if row.status == Status.MAILED
        ][:1]
    return _twist_first(twisted, mischief)


def _twist_first(rows: list[StatusRow], mischief: Mischiefs) -> list[StatusRow]:
    if not rows:
        return rows
    first, *others = rows
    if Mischief.UNKNOWN_PIECE in mischief:
        first = replace(first, piece_id=NO_PIECE)
    if Mischief.OUT_OF_VOCABULARY in mischief:
        first = replace(first, reason="SHRUG")
    return [first, *others]


def twist_csv(rows: list[StatusRow], mischief: Mischiefs) -> bytes:
    """The file of the rows, whose columns may be others."""
    content = to_csv(rows)
    if Mischief.MISSHAPEN in mischief:
        content = content.replace(b",reason,", b",why,", 1)
    return content


def twist_moment(at: str, mischief: Mischiefs) -> str:
    """A moment as it will stand in the file."""
    told = datetime.fromisoformat(at)
    if Mischief.LATE in mischief:
        told += A_WEEK
    text = moment(told)
    return text.replace("Z", "+00:00") if Mischief.LOCAL_TIME in mischief else text
