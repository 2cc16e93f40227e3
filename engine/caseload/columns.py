"""The files of a caseload, column by column: the one source of import, sample and document."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from engine.caseload.cells import (
    DAY,
    DOLLARS,
    DOLLARS_OR_NONE,
    EMAIL,
    MOMENT,
    PHONE,
    STATE,
    TOKEN,
    YES_NO,
    ZIP4,
    ZIP5,
    Rule,
    Value,
    digits,
    words,
    written,
)
from engine.mail.addresses.checking import WINDOW_LINES, window_lines
from engine.settings import Settings

COUNTIES: Final = (
    "Alameda", "Alpine", "Amador", "Butte", "Calaveras", "Colusa", "Contra Costa", "Del Norte",
    "El Dorado", "Fresno", "Glenn", "Humboldt", "Imperial", "Inyo", "Kern", "Kings", "Lake",
    "Lassen", "Los Angeles", "Madera", "Marin", "Mariposa", "Mendocino", "Merced", "Modoc", "Mono",
    "Monterey", "Napa", "Nevada", "Orange", "Placer", "Plumas", "Riverside", "Sacramento",
    "San Benito", "San Bernardino", "San Diego", "San Francisco", "San Joaquin", "San Luis Obispo",
    "San Mateo", "Santa Barbara", "Santa Clara", "Santa Cruz", "Shasta", "Sierra", "Siskiyou",
    "Solano", "Sonoma", "Stanislaus", "Sutter", "Tehama", "Trinity", "Tulare", "Tuolumne",
    "Ventura", "Yolo", "Yuba",
)  # fmt: skip
METHODS: Final = (
    "wage_withholding", "bank_transfer", "card", "check", "cash",
    "direct_deposit", "electronic_payment_card", "other",
)  # fmt: skip
ACCOUNTS: Final = ("child_support", "medical_support", "spousal_support")
NAME = written(120, letters=True)
LINE = written(100)

_PREFACE: Final = """\
# The files of a caseload

`connect caseload import DIR` reads these files from a folder. A file that is absent is passed over,
so that a nightly delivery may hold payments alone. `connect caseload sample` writes invented ones,
and `connect caseload columns` prints this page. The digits of participant and case numbers are
settings (`PARTICIPANT_ID_DIGITS`, `CASE_NUMBER_DIGITS`); the defaults stand below.

## How a file is written

- CSV as in RFC 4180, in UTF-8 with or without a byte order mark; lines end in CRLF or LF.
- The first line names every column below, in any order, and no other; one that says "or no such
  column" may be missing. Blank lines are passed over.
- Spaces around a cell are dropped, and letters with accents are brought into Unicode's NFC form.
- A character that does not print is refused anywhere: controls, line breaks within a cell,
  zero-width and direction marks, no-break spaces.

## What an import does

- Rows are matched by the columns they are known by. New ones are added, differing ones updated, and
  a row that is already as the file says is not touched. Nothing is deleted, and nobody is told: the
  case system's changes are not the parent's acts.
- A contact point that differs supersedes the one on file, which stays as history. Where only
  `safe_to_use` differs, the address keeps its proofs and bounces. A bounce is this system's own
  finding and has no column.
- What a parent changed in the portal stands until the case system says something else than it said
  last: repeating an email, a language or a `yes` each night undoes nothing.
- Every bad row is reported with its file, line, column and reason, and **nothing of a file with a
  bad row is loaded**. The line is the one the row begins on; the reason never repeats what the cell
  held.
- A file whose rows need a row of a refused file is refused with it, with one line saying so; rows
  that need only what the database already holds do not make it wait. Other files are loaded. A
  folder is one transaction: an import that is interrupted has loaded nothing.
- A mail address that a letter cannot go to as it stands (a street without its number, a ZIP code
  of another state, letters that cannot be printed) is loaded as it is, and reported by its line
  with the flags of the print batch contract; letters to it are held. An ordinary address of a
  confidential participant is among them, flagged CONFIDENTIAL.
- A file ending in `.csv` that is not described here is reported too: it may be a misspelt name.
- `--dry-run` does all of this and rolls it back.

"""

Found = tuple[str, str]
"""A column and what is wrong with its cell."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The lengths that the agency sets: how many digits its numbers have, and how many lines of
    an address the window of its envelopes holds."""

    participant_id_digits: int = 10
    case_number_digits: int = 15
    window_lines: int = WINDOW_LINES

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The lengths that `settings` say."""
        return cls(
            settings.participant_id_digits,
            settings.case_number_digits,
            window_lines(settings.imb_mode),
        )


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its rule, whether its cell may be empty, and whether a file may do without it."""

    name: str
    rule: Rule
    meaning: str
    required: bool = True
    may_lack: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns whose cells must name a row of `file`, or one already in the database."""

    columns: tuple[str, ...]
    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class CaseloadFile:
    """One CSV file. `key` names the columns that tell its rows apart."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    references: tuple[Reference, ...] = ()
    check: Callable[[Mapping[str, Value | None]], Iterator[Found]] | None = None

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns, in the documented order."""
        return tuple(column.name for column in self.columns)

    @property
    def stage(self) -> str:
        """The temporary table its rows are read into."""
        return "stage_" + self.name.removesuffix(".csv")


_TO_PARTICIPANT = Reference(
    ("participant_id",),
    "participants.csv",
    "is neither in participants.csv nor in the database",
)
_TO_CASE = Reference(("case_number",), "cases.csv", "is neither in cases.csv nor in the database")
_TO_PARTY = Reference(
    ("case_number", "participant_id"),
    "case_parties.csv",
    "is not a party of that case, in case_parties.csv or in the database",
)
_CONTACT_CELLS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email",),
    "phone": ("phone",),
    "mail": ("addr1", "addr2", "urbanization", "city", "state", "zip5", "zip4"),
}
_CONTACT_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email",),
    "phone": ("phone",),
    "mail": ("addr1", "city", "state", "zip5"),
}


def contact_faults(row: Mapping[str, Value | None]) -> Iterator[Found]:
    """A contact point is complete for its kind and holds nothing of another kind."""
    kind = str(row["kind"])
    for name in _CONTACT_NEEDS[kind]:
        if row[name] is None:
            yield name, f"must not be empty where kind is {kind}"
    for other, names in _CONTACT_CELLS.items():
        for name in names:
            if other != kind and row[name] is not None:
                yield name, f"must be empty where kind is {kind}"
    if row["substitute"] and kind != "mail":
        yield "substitute", "must be no where kind is not mail"
    if row["urbanization"] is not None and row["state"] not in {"PR", None}:
        yield "urbanization", "must be empty outside Puerto Rico (state PR)"


def _participants(rules: Rules) -> CaseloadFile:
    return CaseloadFile(
        "participants.csv",
        "The parents and guardians.",
        ("participant_id",),
        (
            Column("participant_id", digits(rules.participant_id_digits), "Participant ID Number"),
            Column("first_name", NAME, "given names"),
            Column("last_name", NAME, "surnames, both where there are two"),
            Column("language", words("en", "es"), "the language notices are written in"),
            Column("confidential", YES_NO, "whether the address is kept confidential"),
            Column(
                "paperless",
                YES_NO,
                "enrolled in eCommunications; empty leaves the parent's own choice as it is. What "
                "changes is on record as the case system's word",
                required=False,
            ),
            Column(
                "large_print",
                YES_NO,
                "asked for letters in large print; empty, or no such column, leaves it as it is",
                required=False,
                may_lack=True,
            ),
        ),
    )


def _contact_points(rules: Rules) -> CaseloadFile:
    def optional(name: str, rule: Rule, meaning: str) -> Column:
        return Column(name, rule, meaning, required=False)

    return CaseloadFile(
        "contact_points.csv",
        "How a participant is reached: at most one current email address, phone number, mailing"
        " address and substitute mailing address each.",
        ("participant_id", "kind", "substitute"),
        (
            Column("participant_id", digits(rules.participant_id_digits), "whose it is"),
            Column("kind", words("email", "mail", "phone"), "which of the cells below it fills"),
            optional("email", EMAIL, "for kind email"),
            optional("phone", PHONE, "for kind phone"),
            optional("addr1", LINE, "for kind mail: the delivery line, a unit at its end"),
            optional("addr2", LINE, "for kind mail: a second line where there is one"),
            optional("urbanization", LINE, "for kind mail, in Puerto Rico"),
            optional("city", LINE, "for kind mail"),
            optional("state", STATE, "for kind mail"),
            optional("zip5", ZIP5, "for kind mail"),
            optional("zip4", ZIP4, "for kind mail, where known"),
            Column("substitute", YES_NO, "an address of a confidentiality programme (mail only)"),
            optional(
                "safe_to_use",
                YES_NO,
                "the participant's own answer; empty leaves it as it is, and is yes at first",
            ),
            optional("verified_at", MOMENT, "when it was last proved; empty leaves it as it is"),
        ),
        (_TO_PARTICIPANT,),
        contact_faults,
    )


def _cases(rules: Rules) -> CaseloadFile:
    return CaseloadFile(
        "cases.csv",
        "The cases.",
        ("case_number",),
        (
            Column("case_number", digits(rules.case_number_digits), "the case number"),
            Column(
                "county",
                Rule("one of the 58 counties of California, such as Contra Costa", "text",
                     {county: county for county in COUNTIES}.get),
                "the county whose agency keeps the case",
            ),
            Column("status", words("open", "closed"), "whether it is still worked on"),
            Column("opened_on", DAY, "the day it was opened"),
        ),
    )  # fmt: skip


def _case_parties(rules: Rules) -> CaseloadFile:
    return CaseloadFile(
        "case_parties.csv",
        "Who takes part in a case, and how.",
        ("case_number", "participant_id"),
        (
            Column("case_number", digits(rules.case_number_digits), "the case"),
            Column("participant_id", digits(rules.participant_id_digits), "the party"),
            Column("role", words("payer", "payee"), "ordered to pay, or receives support"),
        ),
        (_TO_CASE, _TO_PARTICIPANT),
    )


def _accounts(rules: Rules) -> CaseloadFile:
    return CaseloadFile(
        "accounts.csv",
        "What is ordered in a case by the month, and what of it is still owed. Both parties of the"
        " case read it.",
        ("account_id",),
        (
            Column("account_id", TOKEN, "the account's number in the case system"),
            Column("case_number", digits(rules.case_number_digits), "the case it belongs to"),
            Column("kind", words(*ACCOUNTS), "what the order is for"),
            Column("monthly_amount", DOLLARS_OR_NONE, "ordered by the month; 0 where it ended"),
            Column("balance", DOLLARS_OR_NONE, "past due: what is still owed"),
            Column("as_of", DAY, "the day on which that was so"),
        ),
        (_TO_CASE,),
    )


def _payments(rules: Rules) -> CaseloadFile:
    return CaseloadFile(
        "payments.csv",
        "Money both ways.",
        ("payment_id",),
        (
            Column("payment_id", TOKEN, "the payment's number in the case system"),
            Column("case_number", digits(rules.case_number_digits), "the case it belongs to"),
            Column(
                "participant_id",
                digits(rules.participant_id_digits),
                "the party who made it or to whom it was sent",
            ),
            Column("direction", words("made", "sent"), "made by the party, or sent to them"),
            Column("amount", DOLLARS, "how much, in US dollars"),
            Column("method", words(*METHODS), "how it travelled"),
            Column("paid_on", DAY, "the day it was made or sent"),
        ),
        (_TO_CASE, _TO_PARTICIPANT, _TO_PARTY),
    )


def _appointments(rules: Rules) -> CaseloadFile:
    return CaseloadFile(
        "appointments.csv",
        "Appointments at an office, and court dates: one row for each party who is to come.",
        ("appointment_id",),
        (
            Column("appointment_id", TOKEN, "the appointment's number in the case system"),
            Column("case_number", digits(rules.case_number_digits), "the case it belongs to"),
            Column("participant_id", digits(rules.participant_id_digits), "the party who comes"),
            Column("kind", words("office", "court"), "a meeting, or a hearing"),
            Column("starts_at", MOMENT, "when it begins"),
            Column("place", written(200), "where, as the notice should say it"),
            Column("status", words("scheduled", "cancelled"), "whether it still stands"),
        ),
        (_TO_CASE, _TO_PARTICIPANT, _TO_PARTY),
    )


def caseload_files(rules: Rules) -> tuple[CaseloadFile, ...]:
    """The seven files, each after those it refers to."""
    makers = (
        _participants,
        _contact_points,
        _cases,
        _case_parties,
        _accounts,
        _payments,
        _appointments,
    )
    return tuple(make(rules) for make in makers)


def _documented(file: CaseloadFile) -> Iterator[str]:
    key = ", ".join(f"`{name}`" for name in file.key)
    yield f"## {file.name}"
    yield ""
    yield f"{file.meaning} A row is known by {key}."
    yield ""
    yield "| Column | Empty? | Must be | Meaning |"
    yield "|---|---|---|---|"
    for column in file.columns:
        empty = "no" if column.required else "yes"
        yield f"| `{column.name}` | {empty} | {column.rule.allowed} | {column.meaning} |"
    yield ""
    for reference in file.references:
        names = " with ".join(f"`{name}`" for name in reference.columns)
        yield f"- {names} must be in `{reference.file}` or in the database already."
    if file.references:
        yield ""


def documentation(rules: Rules) -> str:
    """The description of the files, in Markdown; `docs/caseload-files.md` is a copy of it."""
    described = [line for file in caseload_files(rules) for line in _documented(file)]
    return _PREFACE + "\n".join(described).rstrip() + "\n"
