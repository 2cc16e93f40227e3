"""Our own Intelligent Mail barcodes: a number for each piece that no other has for long enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from engine.errors import ConnectError
from engine.mail.barcode import encode
from engine.settings import Settings

KEPT_APART: Final = timedelta(days=60)
"""How long a serial number is not given out again. USPS asks for 45 days from the day of mailing
(Domestic Mail Manual 705.23, full-service); a batch may be days at the vendor's before that."""

_TRACKING_DIGITS: Final = 20
_MAILER_AND_SERIAL_DIGITS: Final = 15


class SerialsUsedUpError(ConnectError):
    """Every serial number of the mailer id is too young to be given out again; the batch waits."""


@dataclass(frozen=True, slots=True)
class Mailer:
    """Whose pieces they are, to USPS.

    `mailer_id` is six digits that begin with 0 to 8, or nine that begin with 9; the serial number
    has what is left of fifteen. `barcode_id` is 00 where no endorsement line is printed for
    presort. `service_type` is a number of the USPS STID table.
    """

    mailer_id: str
    barcode_id: str
    service_type: str

    @classmethod
    def of(cls, settings: Settings) -> "Mailer | None":
        """The mailer of the settings, or None where the vendor makes the barcodes."""
        if settings.imb_mode == "vendor":
            return None
        return cls(settings.imb_mailer_id, settings.imb_barcode_id, settings.imb_service_type)

    @property
    def serials(self) -> int:
        """How many serial numbers there are: a thousand million, or a million."""
        return int(10 ** (_MAILER_AND_SERIAL_DIGITS - len(self.mailer_id)))

    def tracking(self, number: int) -> str:
        """The 20 digits of the `number`-th piece; after the last serial number comes 0 again."""
        digits = _MAILER_AND_SERIAL_DIGITS - len(self.mailer_id)
        serial = f"{number % self.serials:0{digits}d}"
        return f"{self.barcode_id}{self.service_type}{self.mailer_id}{serial}"


@dataclass(frozen=True, slots=True)
class Imb:
    """What one piece's barcode says."""

    tracking: str
    routing: str

    @property
    def imb31(self) -> str:
        """Both, as `index.csv` has them: 20 digits, and then up to 11."""
        return self.tracking + self.routing

    @property
    def bars(self) -> str:
        """The 65 bars (`engine.mail.barcode.encode`), made anew each time: some 0.1 ms."""
        return encode(self.tracking, self.routing)


@dataclass(frozen=True, slots=True)
class Addressed:
    """A piece, and the ZIP Code to which it goes."""

    piece_id: str
    zip5: str
    zip4: str


def routing_code(zip5: str, zip4: str) -> str:
    """ZIP+4 where it is whole, and else the ZIP Code. The two digits of the delivery point are
    known only to CASS, which is the vendor's."""
    return zip5 + zip4 if len(zip4) == 4 else zip5


async def allocate(
    driver: Any, mailer: Mailer, pieces: Sequence[Addressed], now: datetime
) -> Mapping[str, Imb]:
    """Give each piece its barcode and store it as `print_piece.imb31`; piece id → barcode.

    `driver` is an asyncpg connection in a transaction; what was given out is kept when that
    commits. A piece keeps the tracking number it once had, however often a batch is begun again,
    and takes the ZIP Code that it goes to now. Raises SerialsUsedUpError, and stores nothing.
    """
    trackings = await _stored(driver, [piece.piece_id for piece in pieces])
    new = [piece.piece_id for piece in pieces if piece.piece_id not in trackings]
    if new:
        first = await _take(driver, mailer, len(new), now)
        trackings |= {
            piece_id: mailer.tracking(number) for number, piece_id in enumerate(new, first)
        }
    given = {
        piece.piece_id: Imb(trackings[piece.piece_id], routing_code(piece.zip5, piece.zip4))
        for piece in pieces
    }
    await _store(driver, given)
    return given


async def _stored(driver: Any, piece_ids: Sequence[str]) -> dict[str, str]:
    """The tracking numbers that pieces have. Their rows are locked, so that two machines that
    close one batch give a piece one number."""
    rows = await driver.fetch(
        "SELECT piece_id::text, imb31 FROM print_piece WHERE piece_id = ANY($1::uuid[]) "
        "ORDER BY id FOR NO KEY UPDATE",
        piece_ids,
    )
    return {row["piece_id"]: row["imb31"][:_TRACKING_DIGITS] for row in rows if row["imb31"]}


async def _take(driver: Any, mailer: Mailer, count: int, now: datetime) -> int:
    """Take `count` numbers in a row; the first of them.

    Numbers rise for ever and a serial number is what a number leaves when divided by how many
    there are: so those of the last `KEPT_APART` differ as long as they lie within one round.
    """
    await driver.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", _lock(mailer))
    row = await driver.fetchrow(
        "SELECT coalesce(max(last_number), 0) + 1 AS first, "
        "min(first_number) FILTER (WHERE taken_at > $2) AS oldest "
        "FROM imb_range WHERE mailer_id = $1",
        mailer.mailer_id,
        now - KEPT_APART,
    )
    first: int = row["first"]
    oldest = first if row["oldest"] is None else row["oldest"]
    if first + count - oldest > mailer.serials:
        raise SerialsUsedUpError(
            f"IMB_MAILER_ID has {mailer.serials:,} serial numbers, and more would be used within "
            f"{KEPT_APART.days} days: ask USPS for a six-digit mailer id, or set IMB_MODE=vendor"
        )
    await driver.execute(
        "INSERT INTO imb_range (mailer_id, first_number, last_number, taken_at) "
        "VALUES ($1, $2, $3, $4)",
        mailer.mailer_id,
        first,
        first + count - 1,
        now,
    )
    return first


def _lock(mailer: Mailer) -> str:
    return f"imb_range {mailer.mailer_id}"


async def _store(driver: Any, given: Mapping[str, Imb]) -> None:
    await driver.execute(
        "UPDATE print_piece SET imb31 = given.imb31 "
        "FROM unnest($1::uuid[], $2::text[]) AS given (piece_id, imb31) "
        "WHERE print_piece.piece_id = given.piece_id "
        "AND print_piece.imb31 IS DISTINCT FROM given.imb31",
        list(given),
        [imb.imb31 for imb in given.values()],
    )
