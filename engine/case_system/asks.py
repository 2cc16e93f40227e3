"""What may be asked for: the notices that the case system records, and the shape of each ask.

A notice's facts are the catalogue's own model, but for the name, which is ours to fill in, and
within the bounds that an import or a file of notices is held to.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from engine.caseload.cells import Rule
from engine.caseload.columns import Rules
from engine.caseload.query_file import CENTS_MOST, fact_rule
from engine.communications.catalogue import (
    APPLICATION_RECEIVED,
    APPOINTMENT_CANCELLED,
    APPOINTMENT_CHANGED,
    APPOINTMENT_REMINDER,
    APPOINTMENT_SCHEDULED,
    CASEWORKER_REPLY,
    CONFIRM_EMAIL,
    COURT_DATE_REMINDER,
    DOCUMENT_READY,
    ECOMMUNICATIONS_ENROLLED,
    ECOMMUNICATIONS_WITHDRAWN,
    INBOX_REMINDER,
    MONTHLY_STATEMENT,
    PAYMENT_NOTICE,
    REVERTED_TO_PAPER,
    SECURITY_ALERT,
    SIGN_IN_LOCKED,
    WELCOME,
    Notice,
)

BROKEN_RULE: Final = "broken_rule"
"""The type of the error that says which rule of ours was broken."""

RECORDABLE: Final[Mapping[str, Notice]] = {
    notice.key: notice
    for notice in (
        PAYMENT_NOTICE,
        DOCUMENT_READY,
        APPOINTMENT_SCHEDULED,
        APPOINTMENT_CHANGED,
        APPOINTMENT_CANCELLED,
    )
}
"""What the case system knows first: of its own payments, documents and appointments."""

_BY_THE_PORTAL: Final = "it tells of what its reader did in the portal, and is recorded with that"
_BY_THE_CLOCK: Final = "it is recorded by the clock, from the appointments of the caseload"
_NOT_RECORDED: Final[Mapping[str, str]] = {
    SECURITY_ALERT.key: _BY_THE_PORTAL,
    ECOMMUNICATIONS_ENROLLED.key: "it is recorded with the consent",
    ECOMMUNICATIONS_WITHDRAWN.key: "it is recorded with the end of the consent",
    CONFIRM_EMAIL.key: "it carries a link that only the portal makes",
    SIGN_IN_LOCKED.key: _BY_THE_PORTAL,
    APPOINTMENT_REMINDER.key: _BY_THE_CLOCK,
    COURT_DATE_REMINDER.key: _BY_THE_CLOCK,
    MONTHLY_STATEMENT.key: "its payments are the caseload's own: connect statements records it",
    INBOX_REMINDER.key: "it is recorded by the clock, when a document was left unopened",
    CASEWORKER_REPLY.key: "it is recorded with the answer to a message",
    REVERTED_TO_PAPER.key: "it is recorded when an email address turns out to be dead",
    APPLICATION_RECEIVED.key: "it is recorded with the application",
    WELCOME.key: "it goes out with a first PIN, and is recorded with that",
}


def refusal(notice: Notice) -> str | None:
    """Why `notice` is not recorded by the case system; None where it may be. What nobody thought
    about may not."""
    if notice.key in RECORDABLE:
        return None
    if notice.carries_secret:
        return "it carries a secret, which is made when a participant asks for it"
    return _NOT_RECORDED.get(notice.key, _BY_THE_PORTAL)


class Ask(BaseModel):
    """Tell this participant this notice. `facts` are those of the notice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notice: str
    participant_id: str
    facts: BaseModel


@cache
def facts_model(key: str, rules: Rules) -> type[BaseModel]:
    """What is to be told with the notice of that name: its facts but for the name."""
    notice = RECORDABLE[key]
    fields: dict[str, Any] = {
        name: (_fact(name, info, rules), ...)
        for name, info in notice.facts.model_fields.items()
        if name != "name"
    }
    model: type[BaseModel] = create_model(
        f"{_named(key)}Facts",
        __config__=ConfigDict(frozen=True, extra="forbid"),
        __doc__=notice.facts.__doc__,
        **fields,
    )
    return model


@cache
def ask_model(key: str, rules: Rules) -> type[Ask]:
    """An ask for the notice of that name."""
    model: type[Ask] = create_model(
        f"{_named(key)}Ask",
        __base__=Ask,
        __doc__=f"Tell a participant {key}.",
        notice=(_only(key), ...),
        participant_id=(_digits(rules.participant_id_digits, "The Participant ID Number."), ...),
        facts=(facts_model(key, rules), ...),
    )
    return model


@cache
def any_ask(rules: Rules) -> Any:
    """An ask for any of the notices that may be recorded, told apart by `notice`."""
    models = tuple(ask_model(key, rules) for key in RECORDABLE)
    union: Any = models[0]
    for model in models[1:]:
        union = union | model
    return Annotated[union, Field(discriminator="notice")]


def _only(word: str) -> Any:
    return Literal[word]


def _named(key: str) -> str:
    return "".join(part.capitalize() for part in key.split("_"))


def _digits(count: int, what: str) -> Any:
    return Annotated[str, Field(pattern=f"^[0-9]{{{count}}}$", description=what)]


def _fact(name: str, info: FieldInfo, rules: Rules) -> Any:
    kind: Any = info.annotation
    if name == "case_number":
        return _digits(rules.case_number_digits, "The number of a case of this participant.")
    if get_origin(kind) is Literal:
        return kind
    if kind is int:
        return Annotated[int, Field(strict=True, ge=1, lt=CENTS_MOST)]
    rule = fact_rule(name, info, rules)
    about: dict[str, Any] = {"description": f"It must be {rule.allowed}."}
    if kind is str:
        about |= {"minLength": 1}
    shown = datetime if rule.sql_type == "timestamptz" else kind
    return Annotated[shown, BeforeValidator(_by(rule)), Field(json_schema_extra=about)]


def _by(rule: Rule) -> Callable[[object], object]:
    def read(given: object) -> object:
        value = rule.read(given) if isinstance(given, str) and given else None
        if value is None:
            raise PydanticCustomError(BROKEN_RULE, "must be {allowed}", {"allowed": rule.allowed})
        return value

    return read
