"""The print batch contract, version 1, as values: names, `manifest.json` and `B.done`."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from engine.clock import require_aware
from engine.errors import InputError

SCHEMA_VERSION: Final = 1
Environment = Literal["prod", "test"]

_PATTERN: Final = r"[a-z0-9]{2,16}_(prod|test)_[a-z0-9]{2,16}_[0-9]{8}_[0-9]{3}"
_NAME: Final = re.compile(
    r"(?P<agency>[a-z0-9]{2,16})_(?P<env>prod|test)_(?P<job>[a-z0-9]{2,16})_(?P<day>[0-9]{8})"
    r"_(?P<nnn>[0-9]{3})"
)
_MOMENT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"


@dataclass(frozen=True, slots=True)
class BatchName:
    """`B = {agency}_{env}_{job}_{yyyymmdd}_{nnn}`: `day` in Pacific time, `number` from 1 a day."""

    agency: str
    env: Environment
    job: str
    day: date
    number: int

    def __str__(self) -> str:
        """The name as it stands in every file name."""
        return f"{self.agency}_{self.env}_{self.job}_{self.day:%Y%m%d}_{self.number:03d}"

    def __post_init__(self) -> None:
        """Refuse parts that the name could not be read back from."""
        if not 1 <= self.number <= 999 or _NAME.fullmatch(str(self)) is None:
            raise InputError(f"not the name of a print batch: {str(self)!r}")

    @classmethod
    def parse(cls, text: str) -> "BatchName":
        """Read a name; InputError when it is not one."""
        match = _NAME.fullmatch(text)
        if match is None:
            raise InputError(f"not the name of a print batch: {text[:80]!r}")
        try:
            day = datetime.strptime(match["day"], "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError:
            raise InputError(f"not the name of a print batch: {text!r}") from None
        env: Environment = "prod" if match["env"] == "prod" else "test"
        return cls(match["agency"], env, match["job"], day, int(match["nnn"]))


def piece_ids_sha256(piece_ids: Iterable[str]) -> str:
    """The hash by which two sides know they speak of the same pieces: SHA-256, in lower-case
    hexadecimal, of the piece ids in the order of their `seq`, each followed by one line feed."""
    return hashlib.sha256("".join(f"{piece}\n" for piece in piece_ids).encode()).hexdigest()


def sha256(content: bytes) -> str:
    """SHA-256 in lower-case hexadecimal, as every hash in the contract is written."""
    return hashlib.sha256(content).hexdigest()


def _moment(value: object) -> object:
    """A moment as a file writes it, or as our own code hands it over: in UTC."""
    if isinstance(value, datetime):
        return require_aware(value).astimezone(UTC)
    if not isinstance(value, str) or re.match(_MOMENT, value, re.ASCII) is None:
        raise ValueError("must be a moment in UTC, like 2026-11-24T01:30:00Z")
    return datetime.fromisoformat(value).astimezone(UTC)


def _real_name(text: str) -> str:
    return str(BatchName.parse(text))


BatchId = Annotated[str, StringConstraints(pattern=f"^{_PATTERN}$"), AfterValidator(_real_name)]
UUID_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _MOMENT}),
]
PieceId = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
Action = Literal["cancel", "reprint"]
OrderReason = Literal[
    "ADDRESS_WRONG",
    "CONTENT_WRONG",
    "NO_LONGER_DUE",
    "LOST_IN_THE_MAIL",
    "DAMAGED_IN_THE_MAIL",
    "OTHER",
]
Endorsement = Literal[
    "ADDRESS SERVICE REQUESTED",
    "CHANGE SERVICE REQUESTED",
    "FORWARDING SERVICE REQUESTED",
    "RETURN SERVICE REQUESTED",
]


class Record(BaseModel):
    """A file of the contract: every field of it is known, and of its own type."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, json_schema_serialization_defaults_required=True
    )

    def to_json(self) -> bytes:
        """The file's bytes; the same record gives the same bytes."""
        return (self.model_dump_json(indent=2) + "\n").encode()


class Template(Record):
    """A letter template used in the batch; the proof fields are null until a proof is approved."""

    id: str
    version: str
    sha256: Sha256
    proof_id: str | None = None
    approved_by: str | None = None
    approved_at: Moment | None = None


class Production(Record):
    """How the pieces are made."""

    window_profile: str = "us10-left-window"
    duplex: Literal[True] = True
    colour: Literal["black", "full"] = "black"
    mail_class: Literal["first_class"] = "first_class"
    endorsement: Endorsement = "RETURN SERVICE REQUESTED"
    imb_mode: Literal["vendor", "ours"] = "vendor"


class Part(Record):
    """One PDF of the archive; `pages` counts blank backs."""

    file: Annotated[str, StringConstraints(pattern=r"^part-[0-9]{3}\.pdf$")]
    bytes: PositiveInt
    sha256: Sha256
    pages: PositiveInt
    pieces: Annotated[int, Field(ge=1, le=500)]
    first_seq: PositiveInt
    last_seq: PositiveInt


class Index(Record):
    """`index.csv`: its rows without the header line, and its hash."""

    rows: NonNegativeInt
    sha256: Sha256


class Totals(Record):
    """Of the whole batch. `by_sheet_count` counts pieces by their number of sheets, a string."""

    pieces: PositiveInt
    pages: PositiveInt
    sheets: PositiveInt
    by_class: Mapping[str, PositiveInt]
    by_sheet_count: Mapping[str, PositiveInt]
    piece_ids_sha256: Sha256


class Manifest(Record):
    """`manifest.json`: the vendor's programs check everything else against it."""

    schema_version: Literal[1] = SCHEMA_VERSION
    batch_id: BatchId
    sequence: PositiveInt
    previous_batch_id: BatchId | None
    env: Environment
    created_at: Moment
    mail_by: date
    supersedes: BatchId | None = None
    templates: Annotated[tuple[Template, ...], Field(min_length=1)]
    production: Production
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
    index: Index
    totals: Totals
    purge_by: date

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if faults := list(_disagreements(self)):
            raise ValueError("; ".join(faults))
        return self


class Done(Record):
    """`B.done`: the vendor ignores a batch without it. It holds nothing personal."""

    batch_id: BatchId
    bytes: PositiveInt
    sha256: Sha256
    pieces: PositiveInt
    sheets: PositiveInt


class OrderedPiece(Record):
    """A piece that an order names."""

    piece_id: PieceId
    seq: PositiveInt


class Order(Record):
    """`B.order.nnn.json`: take these pieces out of the batch, or make them again."""

    schema_version: Literal[1] = SCHEMA_VERSION
    order_id: Annotated[str, StringConstraints(pattern=rf"^{_PATTERN}\.order\.[0-9]{{3}}$")]
    batch_id: BatchId
    ordered_at: Moment
    action: Action
    pieces: Annotated[tuple[OrderedPiece, ...], Field(min_length=1)]
    reason: OrderReason


def _disagreements(manifest: Manifest) -> Iterable[str]:
    """What the parts, the totals and the name of a manifest say differently of one batch."""
    if BatchName.parse(manifest.batch_id).env != manifest.env:
        yield "env is not that of batch_id"
    if manifest.purge_by < manifest.mail_by:
        yield "purge_by is before mail_by"
    yield from _totals_that_differ(manifest)
    yield from _gaps(manifest.parts)


def _totals_that_differ(manifest: Manifest) -> Iterable[str]:
    totals = manifest.totals
    said_and_counted = {
        "pieces": (totals.pieces, sum(part.pieces for part in manifest.parts)),
        "pages": (totals.pages, sum(part.pages for part in manifest.parts)),
        "sheets": (2 * totals.sheets, totals.pages),
        "by_class": (sum(totals.by_class.values()), totals.pieces),
        "by_sheet_count": (sum(totals.by_sheet_count.values()), totals.pieces),
    }
    for name, (said, counted) in said_and_counted.items():
        if said != counted:
            yield f"totals.{name} does not add up: {said} where {counted} were counted"
    if manifest.index.rows != totals.pieces:
        yield f"index.rows is {manifest.index.rows}, totals.pieces {totals.pieces}"


def _gaps(parts: Iterable[Part]) -> Iterable[str]:
    following = 1
    for part in parts:
        if part.first_seq != following or part.last_seq != part.first_seq + part.pieces - 1:
            yield f"{part.file} does not hold {part.pieces} pieces from {following}"
        following = part.last_seq + 1
