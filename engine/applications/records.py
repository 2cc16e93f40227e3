"""What was submitted, as the case system is handed it: every field known and of its own type.

The JSON Schema in docs/applications/ is made from these records; see `engine.applications.schemas`.
No Social Security Number has a place in it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from engine.mail.contract import Moment, Sha256

SCHEMA_VERSION: Final = 1
YesNo = Literal["yes", "no"]
YesNoUnsure = Literal["yes", "no", "unsure"]
Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]


class _Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )


class Address(_Record):
    """As its applicant wrote it. Of the other parent whatever is known; else whole."""

    addr1: str | None = None
    addr2: str | None = None
    city: str | None = None
    state: str | None = None
    zip5: str | None = None
    zip4: str | None = None


class OwnAddress(Address):
    """`address_safe`: may letters go there?"""

    address_safe: YesNo


class Safety(_Record):
    """What the applicant said of danger, and how they are reached without any."""

    afraid: YesNo
    email_safe: YesNo
    safe_mail: YesNo | None = None
    safe_address: Address | None = None
    safe_phone: str | None = None
    call_when: str | None = None


class _Person(_Record):
    first_name: str
    middle_name: str | None = None
    other_names: str | None = None


class Applicant(_Person):
    """Who applies. One who is protected gave a county in place of an address."""

    last_name: str
    born: date
    relation: Literal["mother", "father", "parent", "guardian"]
    address: OwnAddress | None = None
    county: str | None = None
    phone: str | None = None
    phone_safe: YesNo | None = None
    employer: str | None = None
    monthly_income: str | None = None


class Case(_Record):
    """What is asked for. `case_number` is of the case that a child is added to, as it was typed."""

    case_number: str | None = None
    services: tuple[
        Literal["parentage", "child_support", "medical_support", "collect", "change"], ...
    ] = ()
    assistance: YesNoUnsure | None = None
    court_order: YesNoUnsure | None = None
    court: str | None = None
    court_case: str | None = None


class Child(_Record):
    """A child the application is for."""

    first_name: str
    middle_name: str | None = None
    last_name: str
    born: date
    birthplace: str | None = None
    lives_with: Literal["me", "other_parent", "both", "someone_else"]
    parentage: Literal["declaration", "court", "no", "unsure"]
    insured: YesNoUnsure


class OtherParent(_Person):
    """Whoever the applicant is not: what they know of them."""

    last_name: str | None = None
    born: date | None = None
    age: str | None = None
    address: Address | None = None
    phone: str | None = None
    email: str | None = None
    employer: str | None = None
    situation: tuple[Literal["jail", "military", "tribe", "abroad"], ...] = ()


class Document(_Record):
    """A file that came with it; `sha256` is that of its octets."""

    kind: str
    media_type: Literal["application/pdf", "image/jpeg", "image/png"]
    octets: int
    sha256: Sha256


class Application(_Record):
    """One application, whole. `confidential`: nothing of it may lead anybody to the applicant."""

    schema_version: Literal[1] = SCHEMA_VERSION
    number: Number
    kind: Literal["open", "add_child"]
    language: Literal["en", "es"]
    confidential: bool
    submitted_at: Moment
    safety: Safety
    applicant: Applicant
    case: Case
    children: Annotated[tuple[Child, ...], Field(min_length=1)]
    other_parents: Annotated[tuple[OtherParent, ...], Field(min_length=1, max_length=2)]
    marriage: Literal["married", "separated", "divorced", "never", "unsure"] | None = None
    remarks: str | None = None
    documents: tuple[Document, ...] = ()


class ExportedFile(_Record):
    """A document beside the file, by its path from there."""

    file: str
    sha256: Sha256


class Export(_Record):
    """One file for the case system; `files` by application number, in the order of its documents.

    An application's number is what it is known by: one that comes twice is the same one.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    exported_at: Moment
    applications: Annotated[tuple[Application, ...], Field(min_length=1)]
    files: Mapping[Number, tuple[ExportedFile, ...]]
