"""What the vendor answers (print batch contract, version 1, section 6): ack, statuses, final."""

from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import (
    ConfigDict,
    Field,
    NonNegativeInt,
    StringConstraints,
    model_validator,
)

from engine.mail.contract import BatchId, Moment, PieceId, Record, Sha256

AckCode = Literal[
    "HASH_MISMATCH",
    "NOT_DECRYPTED",
    "BAD_SIGNATURE",
    "ARCHIVE_DAMAGED",
    "SCHEMA",
    "COUNT_MISMATCH",
    "PDF_UNREADABLE",
    "MARK_MISMATCH",
    "ADDRESS_REFUSED",
    "TEMPLATE_NOT_APPROVED",
    "WRONG_ENVIRONMENT",
    "SEQUENCE_GAP",
    "OTHER",
]
ADDRESS_CODES: Final = (
    "ATTEMPTED_NOT_KNOWN",
    "DECEASED",
    "ILLEGIBLE",
    "INSUFFICIENT_ADDRESS",
    "MOVED_LEFT_NO_ADDRESS",
    "FORWARD_EXPIRED",
    "NO_MAIL_RECEPTACLE",
    "NO_SUCH_NUMBER",
    "NO_SUCH_STREET",
    "NOT_DELIVERABLE_AS_ADDRESSED",
    "REFUSED",
    "TEMPORARILY_AWAY",
    "UNCLAIMED",
    "VACANT",
    "OTHER",
)
"""The Postal Service's endorsements for mail that it cannot deliver (DMM 507.1.4.1)."""

PRODUCTION_CODES: Final = (
    "CASS_FAILED",
    "MARK_MISMATCH",
    "PDF_UNREADABLE",
    "JAM",
    "MISPRINT",
    "INSERTER",
    "DAMAGED",
    "STOCK",
    "OTHER",
)

Status = Literal[
    "accepted",
    "rejected",
    "held",
    "printed",
    "spoiled",
    "reprinted",
    "mailed",
    "cancelled",
    "returned",
]
REASONS: Final[dict[str, tuple[str, ...]]] = {
    "rejected": tuple(dict.fromkeys((*ADDRESS_CODES, *PRODUCTION_CODES))),
    "held": PRODUCTION_CODES,
    "spoiled": PRODUCTION_CODES,
    "returned": ADDRESS_CODES,
}
"""The statuses that must give a reason, and of which words."""

NOT_DELIVERABLE: Final = frozenset({*ADDRESS_CODES, "CASS_FAILED"}) - {"OTHER"}
"""The reasons that speak of the address, whoever gives them."""

COUNTING: Final = ("printed", "spoiled", "reprinted", "mailed")
"""The statuses that must say how many sheets."""

MATCHED: Final = ("accepted", "printed", "mailed")
"""The statuses that may carry an NCOALink return code."""


class AckError(Record):
    """What the vendor found wrong."""

    code: AckCode
    piece_id: PieceId | None
    detail: Annotated[str, StringConstraints(max_length=200)] | None


class Counted(Record):
    """What the vendor counted in the batch."""

    pieces: NonNegativeInt
    pages: NonNegativeInt
    sheets: NonNegativeInt
    piece_ids_sha256: Sha256


def _when_rejected(schema: dict[str, Any]) -> None:
    """What the validator asks of an ack, in the words of JSON Schema."""
    schema["if"] = {"properties": {"result": {"const": "rejected"}}}
    schema["then"] = {"properties": {"errors": {"minItems": 1}}}
    schema["else"] = {"properties": {"counted": {"not": {"type": "null"}}}}


class Ack(Record):
    """`B.ack.json`."""

    model_config = ConfigDict(json_schema_extra=_when_rejected)

    schema_version: Literal[1]
    batch_id: BatchId
    at: Moment
    result: Literal["received", "rejected"]
    sha256: Sha256
    counted: Counted | None
    errors: Annotated[list[AckError], Field(max_length=1_000)]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.result == "rejected" and not self.errors:
            raise ValueError("a rejected batch needs at least one error")
        if self.result == "received" and self.counted is None:
            raise ValueError("a received batch needs what was counted")
        return self


def _cells_by_status(schema: dict[str, Any]) -> None:
    """What the validator asks of a row, in the words of JSON Schema."""
    schema["allOf"] = [
        {
            "if": {"properties": {"status": {"const": status}}},
            "then": {
                "properties": {
                    "reason": {"enum": list(REASONS.get(status, ("",)))},
                    "sheets": {"minLength": 1} if status in COUNTING else {"const": ""},
                    "reprint_of": {"minLength": 1} if status == "reprinted" else {"const": ""},
                    "ncoa_code": {} if status in MATCHED else {"const": ""},
                }
            },
        }
        for status in get_args(Status)
    ]


class StatusRow(Record):
    """One row of `B.status.nnn.csv`, as text: an empty cell is the empty string."""

    model_config = ConfigDict(json_schema_extra=_cells_by_status)

    event_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    piece_id: PieceId
    status: Status
    at: Moment
    reason: Annotated[str, StringConstraints(pattern=r"^[A-Z_]*$")]
    sheets: Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]{0,3})?$")]
    reprint_of: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{0,64}$")]
    ncoa_code: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{0,2}$")]

    @model_validator(mode="after")
    def _cells_that_belong(self) -> Self:
        reasons = REASONS.get(self.status, ("",))
        if self.reason not in reasons:
            raise ValueError(f"reason: not one that a {self.status} piece may have")
        if bool(self.sheets) != (self.status in COUNTING):
            wanted = "must be a number" if self.status in COUNTING else "must be empty"
            raise ValueError(f"sheets: {wanted} where status is {self.status}")
        if bool(self.reprint_of) != (self.status == "reprinted"):
            raise ValueError("reprint_of: belongs to reprinted, and to nothing else")
        if self.ncoa_code and self.status not in MATCHED:
            raise ValueError(f"ncoa_code: must be empty where status is {self.status}")
        return self


STATUS_COLUMNS: Final = tuple(StatusRow.model_fields)


class FinalReport(Record):
    """`B.final.json`."""

    schema_version: Literal[1]
    batch_id: BatchId
    at: Moment
    pieces: NonNegativeInt
    mailed: NonNegativeInt
    rejected: NonNegativeInt
    cancelled: NonNegativeInt
    held: Literal[0]
    pages: NonNegativeInt
    sheets: NonNegativeInt
    postage_statement_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None
    mail_dat_job_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None
    destroyed_at: Moment | None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.pieces != self.mailed + self.rejected + self.cancelled:
            raise ValueError("pieces is not mailed + rejected + cancelled")
        if self.pages != 2 * self.sheets:
            raise ValueError("pages is not twice sheets")
        if self.mailed and self.postage_statement_id is None:
            raise ValueError("postage_statement_id is null, and something was mailed")
        return self

    def without_destruction(self) -> dict[str, Any]:
        """All that a second final may not change."""
        return self.model_dump(mode="json", exclude={"at", "destroyed_at"})
