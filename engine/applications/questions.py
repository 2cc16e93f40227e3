"""The application, page by page, in the order in which it is asked: one thing a page.

Safety comes first, before anything that could lead somebody to a door. It asks what California's
application for child support services asks of the parents and the children (DCSS 0573), without
Social Security Numbers; of whoever is protected it asks less: a county in place of an address.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from engine.applications.asking import Fault, Question, Together, Values, nothing
from engine.caseload.cells import DOLLARS_OR_NONE, EMAIL, PHONE, STATE, ZIP4, ZIP5, Rule
from engine.caseload.columns import COUNTIES, LINE, NAME
from engine.caseload.profile import phone_as_written

Kind = Literal["open", "add_child"]
KINDS: Final[tuple[Kind, ...]] = ("open", "add_child")
Section = Literal["safety", "you", "case", "children", "other"]
Each = Literal["child", "parent"]
"""What a page is asked of anew each time."""


@dataclass(frozen=True, slots=True)
class Told:
    """What decides which pages are asked: the kind, the protection, and the answers by page."""

    kind: Kind
    protected: bool
    answers: Mapping[str, Values]

    def said(self, page: str, key: str) -> object:
        """One answer; None where it was not given."""
        return self.answers.get(page, {}).get(key)


@dataclass(frozen=True, slots=True)
class Page:
    """One page. The answers of one with `nest` stand under that name in the record."""

    key: str
    section: Section
    questions: tuple[Question, ...]
    when: Callable[[Told], bool] = lambda _told: True
    each: Each | None = None
    nest: str = ""
    together: Together = nothing


def _age(cell: str) -> str | None:
    return cell if cell.isascii() and cell.isdigit() and 10 <= int(cell[:4]) <= 110 else None


def _case_number(cell: str) -> str | None:
    number = "".join(mark for mark in cell if mark not in " -")
    known = number.isascii() and number.isalnum() and 5 <= len(number) <= 20
    return number if known else None


def _dollars(cell: str) -> str | None:
    plain = cell.replace("$", "").replace(",", "").strip()
    return plain if DOLLARS_OR_NONE.read(plain) is not None else None


def _dollars_as_written(plain: str) -> str:
    return f"${Decimal(plain):,.2f}" if plain else ""


def _state(cell: str) -> str | None:
    return cell.upper() if STATE.read(cell.upper()) else None


AGE: Final = Rule("an age in years, from 10 to 110", "text", _age)
CASE_NUMBER: Final = Rule("5 to 20 digits and letters", "text", _case_number)
MONTHLY: Final = Rule("dollars a month", "text", _dollars)
STATE_TYPED: Final = Rule("a two-letter state", "text", _state)


def _yes_no(key: str, *more: str, required: bool = True) -> Question:
    return Question(key, "one", choices=("yes", "no", *more), required=required)


def _names(*, last: bool = True) -> tuple[Question, ...]:
    return (
        Question("first_name", rule=NAME, reason="name"),
        Question("middle_name", rule=NAME, required=False, reason="name"),
        Question("last_name", rule=NAME, required=last, reason="name"),
    )


def _address(reason: str, *, required: bool = True, own: bool = True) -> tuple[Question, ...]:
    def part(key: str, rule: Rule, wrong: Fault, autocomplete: str, width: str) -> Question:
        return Question(
            key,
            rule=rule,
            wrong=wrong,
            required=required and key not in {"addr2", "zip4"},
            reason=reason,
            autocomplete=autocomplete if own else "off",
            width=width,
            inputmode="numeric" if key in {"zip5", "zip4"} else "",
        )

    return (
        part("addr1", LINE, Fault.UNREADABLE, "address-line1", "2xl"),
        part("addr2", LINE, Fault.UNREADABLE, "address-line2", "2xl"),
        part("city", LINE, Fault.UNREADABLE, "address-level2", "xl"),
        part("state", STATE_TYPED, Fault.STATE_WRONG, "address-level1", "xs"),
        part("zip5", ZIP5, Fault.ZIP_WRONG, "postal-code", "sm"),
        part("zip4", ZIP4, Fault.ZIP_WRONG, "off", "xs"),
    )


def _phone(key: str = "phone", *, own: bool = True) -> Question:
    return Question(
        key,
        rule=PHONE,
        wrong=Fault.PHONE_WRONG,
        required=False,
        autocomplete="tel" if own else "off",
        inputmode="tel",
        width="lg",
        written=phone_as_written,
    )


def _phone_with_safety(values: Values) -> Mapping[str, Fault]:
    given, answered = "phone" in values, "phone_safe" in values
    return {"phone_safe": Fault.CHOOSE} if given and not answered else {}


def _address_whole(values: Values) -> Mapping[str, Fault]:
    """Of the other parent whatever is known is of use, but a ZIP code alone finds nobody."""
    lost = "zip5" in values and "city" not in values
    return {"city": Fault.MISSING} if lost else {}


def _opening(told: Told) -> bool:
    return told.kind == "open"


PAGES: Final[tuple[Page, ...]] = (
    Page("safety", "safety", (_yes_no("afraid"),)),
    Page("safe-email", "safety", (_yes_no("email_safe"),)),
    Page("safe-mail", "safety", (_yes_no("safe_mail"),), lambda told: told.protected),
    Page(
        "safe-address",
        "safety",
        _address("safe_address", own=False),
        lambda told: told.protected and told.said("safe-mail", "safe_mail") == "yes",
        nest="safe_address",
    ),
    Page(
        "safe-phone",
        "safety",
        (_phone("safe_phone", own=False), Question("call_when", rule=LINE, required=False)),
        lambda told: told.protected,
    ),
    Page(
        "your-name",
        "you",
        (
            Question("first_name", rule=NAME, reason="name", autocomplete="given-name"),
            Question(
                "middle_name", rule=NAME, required=False, reason="name",
                autocomplete="additional-name",
            ),
            Question("last_name", rule=NAME, reason="name", autocomplete="family-name"),
            Question("other_names", rule=NAME, required=False),
        ),
    ),
    Page("your-birth", "you", (Question("born", "day"),)),
    Page(
        "relation",
        "you",
        (Question("relation", "one", choices=("mother", "father", "parent", "guardian")),),
    ),
    Page(
        "your-address",
        "you",
        (*_address("address"), _yes_no("address_safe")),
        lambda told: not told.protected,
        nest="address",
    ),
    Page(
        "your-phone",
        "you",
        (_phone(), _yes_no("phone_safe", required=False)),
        lambda told: not told.protected,
        together=_phone_with_safety,
    ),
    Page(
        "your-county",
        "you",
        (Question("county", "select", choices=COUNTIES),),
        lambda told: told.protected,
    ),
    Page(
        "your-work",
        "you",
        (
            Question("employer", rule=LINE, required=False),
            Question(
                "monthly_income", rule=MONTHLY, wrong=Fault.DOLLARS_WRONG, required=False,
                inputmode="decimal", width="sm", written=_dollars_as_written,
            ),
        ),
        _opening,
    ),
    Page(
        "case",
        "case",
        (Question("case_number", rule=CASE_NUMBER, wrong=Fault.NUMBER_WRONG, required=False,
                  width="lg"),),
        lambda told: told.kind == "add_child",
    ),
    Page(
        "services",
        "case",
        (
            Question(
                "services", "many",
                choices=("parentage", "child_support", "medical_support", "collect", "change"),
            ),
        ),
        _opening,
    ),
    Page("assistance", "case", (_yes_no("assistance", "unsure"),), _opening),
    Page("order", "case", (_yes_no("court_order", "unsure"),), _opening),
    Page(
        "order-court",
        "case",
        (
            Question("court", rule=LINE, reason="court"),
            Question("court_case", rule=LINE, required=False, reason="court", width="lg"),
        ),
        lambda told: _opening(told) and told.said("order", "court_order") == "yes",
    ),
    Page("child-name", "children", _names(), each="child"),
    Page(
        "child-birth",
        "children",
        (Question("born", "day"), Question("birthplace", rule=LINE, required=False)),
        each="child",
    ),
    Page(
        "child-home",
        "children",
        (Question("lives_with", "one", choices=("me", "other_parent", "both", "someone_else")),),
        each="child",
    ),
    Page(
        "child-parentage",
        "children",
        (Question("parentage", "one", choices=("declaration", "court", "no", "unsure")),),
        each="child",
    ),
    Page("child-insurance", "children", (_yes_no("insured", "unsure"),), each="child"),
    Page(
        "other-name",
        "other",
        (*_names(last=False), Question("other_names", rule=NAME, required=False)),
        each="parent",
    ),
    Page(
        "other-birth",
        "other",
        (
            Question("born", "day", required=False),
            Question("age", rule=AGE, wrong=Fault.AGE_WRONG, required=False, reason="born",
                     inputmode="numeric", width="xs"),
        ),
        each="parent",
    ),
    Page(
        "other-address",
        "other",
        _address("other_address", required=False, own=False),
        each="parent",
        nest="address",
        together=_address_whole,
    ),
    Page(
        "other-contact",
        "other",
        (
            _phone(own=False),
            Question("email", rule=EMAIL, wrong=Fault.EMAIL_WRONG, required=False,
                     inputmode="email"),
        ),
        each="parent",
    ),
    Page(
        "other-work",
        "other",
        (
            Question("employer", rule=LINE, required=False),
            Question(
                "situation", "many", required=False,
                choices=("jail", "military", "tribe", "abroad"),
            ),
        ),
        each="parent",
    ),
    Page(
        "marriage",
        "other",
        (
            Question(
                "marriage", "one",
                choices=("married", "separated", "divorced", "never", "unsure"),
            ),
        ),
        lambda told: _opening(told) and told.said("relation", "relation") != "guardian",
    ),
    Page("anything-else", "other", (Question("remarks", "lines", required=False),)),
)  # fmt: skip
