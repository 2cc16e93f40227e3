"""Our own tracking numbers: one for each piece, and none twice while USPS may still see it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.database import driver_connection
from engine.errors import SettingsError
from engine.mail.tracking import (
    KEPT_APART,
    Addressed,
    Imb,
    Mailer,
    SerialsUsedUpError,
    allocate,
    routing_code,
)
from engine.settings import load_settings
from tests.mail.reference_barcode import decoded

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
SIX = Mailer("123456", "00", "700")
NINE = Mailer("912345678", "00", "700")


def test_a_short_mailer_id_has_long_serial_numbers_and_the_other_way_round() -> None:
    """Barcode identifier, service type, mailer id and serial number are always 20 digits."""
    assert SIX.tracking(7) == "00700123456000000007"
    assert NINE.tracking(7) == "00700912345678000007"
    assert SIX.tracking(10**9 + 7) == SIX.tracking(7)
    assert NINE.tracking(10**6) == NINE.tracking(0)


@pytest.mark.parametrize(
    ("zip5", "zip4", "routing"),
    [
        ("95814", "0042", "958140042"),
        ("00501", "", "00501"),
        ("95814", "42", "95814"),
        ("", "", ""),
    ],
)
def test_the_zip_code_is_the_routing_code(zip5: str, zip4: str, routing: str) -> None:
    """With its four digits where all are known; leading zeros stay."""
    assert routing_code(zip5, zip4) == routing


def test_the_settings_say_whose_pieces_they_are() -> None:
    """Nobody's where the vendor makes the barcodes, which is so unless it is set otherwise."""
    assert Mailer.of(load_settings()) is None
    ours = load_settings(imb_mode="ours", imb_mailer_id="912345678", imb_service_type="040")
    assert Mailer.of(ours) == Mailer("912345678", "00", "040")


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"imb_mode": "ours"}, "IMB_MAILER_ID"),
        *(
            ({"imb_mailer_id": wrong}, "IMB_MAILER_ID")
            for wrong in ("12345", "1234567", "912345", "812345678", "12345a", "١٢٣٤٥٦", "123456\n")
        ),
        *(({"imb_barcode_id": wrong}, "IMB_BARCODE_ID") for wrong in ("05", "0", "000", "0٤", "")),
        *(({"imb_service_type": wrong}, "IMB_SERVICE_TYPE") for wrong in ("70", "7000", "70x", "")),
        ({"imb_mode": "theirs"}, "IMB_MODE"),
    ],
)
def test_settings_that_give_no_legal_barcode_are_refused(given: dict[str, str], names: str) -> None:
    """At the start, by the name of the setting, and not when a batch is closed."""
    with pytest.raises(SettingsError, match=names):
        load_settings(**given)


async def test_every_piece_has_a_number_of_its_own(database: AsyncEngine) -> None:
    """Of one batch and of the next; and its bars say its number and its ZIP Code."""
    first, second = await pieces(database, 3), await pieces(database, 2)
    given = {**await given_to(database, SIX, first), **await given_to(database, SIX, second)}
    assert sorted(imb.tracking for imb in given.values()) == [
        f"00700123456{number:09d}" for number in range(1, 6)
    ]
    for imb in given.values():
        assert decoded(imb.bars) == (imb.tracking, imb.routing) == (imb.tracking, "958140042")
    assert await stored(database) == {piece_id: imb.imb31 for piece_id, imb in given.items()}


async def test_a_piece_keeps_its_number(database: AsyncEngine) -> None:
    """However often its batch is begun again; its ZIP Code is the one of its address now."""
    before = await pieces(database, 2)
    given = await given_to(database, SIX, before)
    moved = [replace(before[0], zip5="00501", zip4=""), before[1], *await pieces(database, 1)]
    again = await given_to(database, replace(SIX, service_type="040"), moved)
    assert again[before[0].piece_id] == Imb(given[before[0].piece_id].tracking, "00501")
    assert again[before[1].piece_id] == given[before[1].piece_id]
    assert again[moved[2].piece_id].tracking == "00040123456000000003"
    assert await stored(database) == {piece_id: imb.imb31 for piece_id, imb in again.items()}


async def test_what_is_not_committed_was_not_given(database: AsyncEngine) -> None:
    """A batch cut short leaves no number behind, and the next begins where it began."""
    some = await pieces(database, 2)
    async with database.connect() as connection:
        lost = await allocate(await driver_connection(connection), SIX, some, NOW)
        await connection.rollback()
    assert set((await stored(database)).values()) == {None}
    assert await given_to(database, SIX, some) == lost


async def test_two_machines_give_no_number_twice(database: AsyncEngine) -> None:
    """Batches that are closed at the same time take turns."""
    batches = [await pieces(database, 50) for _ in range(4)]
    given = await asyncio.gather(*(given_to(database, SIX, batch) for batch in batches))
    assert len({imb.tracking for some in given for imb in some.values()}) == 200


async def test_two_machines_give_no_piece_two_numbers(database: AsyncEngine) -> None:
    """A piece that both close has the number that the first of them gave."""
    batch = await pieces(database, 50)
    one, other = await asyncio.gather(*(given_to(database, SIX, batch) for _ in range(2)))
    assert one == other
    assert await stored(database) == {piece_id: imb.imb31 for piece_id, imb in one.items()}


async def test_a_serial_number_is_not_given_again_too_soon(database: AsyncEngine) -> None:
    """A mailer id of nine digits has a million: the next must wait until the first is old."""
    await taken(database, NINE, 1, 400_000, NOW - KEPT_APART)
    await taken(database, NINE, 400_001, 999_999, NOW - KEPT_APART + timedelta(days=1))
    assert trackings(await given_to(database, NINE, await pieces(database, 2))) == [
        "00700912345678000000",
        "00700912345678000001",
    ]
    await taken(database, NINE, 1_000_002, 1_399_999, NOW)
    assert trackings(await given_to(database, NINE, await pieces(database, 1))) == [
        "00700912345678400000"
    ]
    waiting = await pieces(database, 1)
    with pytest.raises(SerialsUsedUpError, match="IMB_MAILER_ID has 1,000,000"):
        await given_to(database, NINE, waiting)
    assert (await stored(database))[waiting[0].piece_id] is None
    assert trackings(await given_to(database, SIX, waiting)) == ["00700123456000000001"]


async def test_more_pieces_than_serial_numbers(database: AsyncEngine) -> None:
    """One batch may not wrap around either."""
    few = Mailer("9" * 14, "00", "700")
    assert few.serials == 10
    with pytest.raises(SerialsUsedUpError):
        await given_to(database, few, await pieces(database, 11))
    assert len(trackings(await given_to(database, few, await pieces(database, 10)))) == 10


async def pieces(database: AsyncEngine, count: int) -> list[Addressed]:
    """So many pieces of a batch of their own."""
    async with database.begin() as connection:
        batch = await connection.scalar(
            text("INSERT INTO print_batch (job, state) VALUES ('letters', 'closing') RETURNING id")
        )
        rows = await connection.scalars(
            text(
                "INSERT INTO print_piece (batch_id) SELECT :batch FROM generate_series(1, :count) "
                "RETURNING piece_id::text"
            ),
            {"batch": batch, "count": count},
        )
        return [Addressed(piece_id, "95814", "0042") for piece_id in rows]


async def given_to(
    database: AsyncEngine, mailer: Mailer, some: Sequence[Addressed]
) -> Mapping[str, Imb]:
    """Barcodes for pieces, committed."""
    async with database.begin() as connection:
        return await allocate(await driver_connection(connection), mailer, some, NOW)


async def taken(
    database: AsyncEngine, mailer: Mailer, first: int, last: int, taken_at: datetime
) -> None:
    """Have numbers taken at another time."""
    async with database.begin() as connection:
        await connection.execute(
            text("INSERT INTO imb_range VALUES (:mailer, :first, :last, :taken_at)"),
            {"mailer": mailer.mailer_id, "first": first, "last": last, "taken_at": taken_at},
        )


async def stored(database: AsyncEngine) -> dict[str, str | None]:
    """What every piece has on record."""
    async with database.connect() as connection:
        rows = await connection.execute(text("SELECT piece_id::text, imb31 FROM print_piece"))
        return {row.piece_id: row.imb31 for row in rows}


def trackings(given: Mapping[str, Imb]) -> list[str]:
    """The tracking numbers, in order."""
    return sorted(imb.tracking for imb in given.values())
