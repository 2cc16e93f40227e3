"""What is asked of whom, that each question says why, and what of an answer is taken."""

from datetime import date
from typing import Any

import pytest

from engine.applications.asking import Fault, Question, read_answers
from engine.applications.assembling import assemble
from engine.applications.flow import CHILDREN_MOST, first_open, next_child, steps
from engine.applications.numbers import as_typed, check_digit, new_number, written
from engine.applications.questions import PAGES, Kind, Told
from engine.applications.schemas import PATH, text
from engine.applications.uploads import KINDS
from engine.communications.catalogue import LANGUAGES
from engine.i18n import Language
from engine.portal.layout import Layout
from engine.portal.statics import StaticFiles
from engine.settings import Settings
from tests.applications.filled import AFRAID, SAFE, TODAY, told, values_of
from tests.portal.portal_server import MONDAY_NOON

_QUESTIONS = {question.key: question for page in PAGES for question in page.questions}


def words(language: Language) -> Any:
    """The template that has the words of an application."""
    layout = Layout.of(Settings(), StaticFiles())
    return layout.environments[language].get_template("apply/application_words.html").module


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_has_its_words_and_its_reason(language: Language) -> None:
    """A question without a reason is not asked; every choice, page and fault has words."""
    said = words(language)
    assert {question.key for question in _QUESTIONS.values()} - set(said.labels) == set()
    assert {question.why for page in PAGES for question in page.questions} == set(said.reasons)
    assert {page.key for page in PAGES} | {"children"} == set(said.titles)
    assert {page.section for page in PAGES} == set(said.sections)
    for question in _QUESTIONS.values():
        if question.control in {"one", "many"}:
            assert set(question.choices) - set(said.choices[question.key]) == set(), question.key
    assert set(KINDS) == set(said.choices["document_kind"])
    for fault in Fault:
        assert "Q" in str(said.fault_said(fault, "Q"))


def test_no_question_asks_for_a_social_security_number() -> None:
    """Nor is there a place for one in what is handed to the case system."""
    assert not any("ssn" in key or "social" in key for key in _QUESTIONS)
    assert "social_security" not in text()


@pytest.mark.parametrize("kind", ["open", "add_child"])
@pytest.mark.parametrize("chosen", [SAFE, AFRAID])
def test_what_is_answered_whole_makes_a_record(kind: Kind, chosen: dict[str, str]) -> None:
    """Whichever pages are asked: nothing that the record needs is left out."""
    protected = chosen is AFRAID
    record = assemble(
        told(kind, chosen, protected=protected),
        [],
        number="482109375521",
        language="es",
        at=MONDAY_NOON,
    )
    assert (record.applicant.address is None, record.applicant.county is None) == (
        protected,
        not protected,
    )


def test_a_guardian_tells_of_two_parents() -> None:
    """And is not asked whether they are married to one of them."""
    whole = told(chosen={**SAFE, "relation": "guardian"})
    slots = {step.slot for step in steps(whole)}
    assert {"other-name.1", "other-name.2"} <= slots
    assert "marriage" not in slots


def test_children_are_asked_about_one_after_the_other() -> None:
    """What is missing of one is asked before the next one; there are twelve at most."""
    whole = told()
    answers = dict(whole.answers)
    answers["child-name.2"] = answers["child-name.1"]
    assert first_open(Told("open", False, answers)) == "child-birth.2"
    many = answers | {f"child-name.{n}": {} for n in range(1, CHILDREN_MOST + 1)}
    assert next_child(Told("open", False, many)) is None


@pytest.mark.parametrize(
    ("key", "typed", "fault"),
    [
        ("born", "2 30 2015", Fault.DAY_WRONG),
        ("born", "2 28 15", Fault.DAY_WRONG),
        ("born", "2 28 1899", Fault.DAY_WRONG),
        ("born", "١ 1 2015", Fault.DAY_WRONG),
        ("born", "11 24 2026", Fault.DAY_TO_COME),
        ("phone", "555", Fault.PHONE_WRONG),
        ("state", "XX", Fault.STATE_WRONG),
        ("zip5", "9581", Fault.ZIP_WRONG),
        ("age", "9", Fault.AGE_WRONG),
        ("monthly_income", "much", Fault.DOLLARS_WRONG),
        ("case_number", "?", Fault.NUMBER_WRONG),
        ("first_name", "078-05-1120", Fault.SSN),
        ("employer", "078 05 1120", Fault.SSN),
        ("last_name", "\u202eevil", Fault.UNREADABLE),
        ("last_name", "x" * 500, Fault.UNREADABLE),
        ("remarks", "a\0b", Fault.UNREADABLE),
        ("remarks", "x" * 1001, Fault.UNREADABLE),
        ("relation", "emperor", Fault.CHOOSE),
        ("county", "Atlantis", Fault.CHOOSE),
    ],
)
def test_what_cannot_be_used_is_named(key: str, typed: str, fault: Fault) -> None:
    """Each answer by its own rule, and each fault by what is wrong."""
    question = _QUESTIONS[key]
    parts = typed.split() if question.control == "day" else [typed]
    form = dict(zip(question.fields, parts, strict=True))
    assert question.read(form, TODAY) is fault


def test_what_is_kept_is_shown_as_it_was_typed() -> None:
    """A date in its three parts, boxes as they were marked."""
    born = Question("born", "day")
    typed = {"born_month": "02", "born_day": "28", "born_year": "2015"}
    read = read_answers((born,), typed, date(2026, 1, 1))
    assert born.typed(read.values["born"]) == typed


def test_one_wrong_digit_of_a_number_always_shows() -> None:
    """ISO/IEC 7064 gives `0794` the check digit 5; spaces and hyphens are let be."""
    assert check_digit("0794") == "5"
    number = new_number()
    assert as_typed(written(number)) == as_typed(f"{number[:6]}-{number[6:]}") == number
    for place in range(len(number)):
        others = set("0123456789") - {number[place]}
        assert {as_typed(number[:place] + d + number[place + 1 :]) for d in others} == {None}


def test_the_published_schema_is_that_of_the_code() -> None:
    """`python -m engine.applications.schemas write` renews it."""
    assert PATH.read_text(encoding="utf-8") == text()


def test_what_is_shown_again_is_read_as_it_was_kept() -> None:
    """A number or an amount is written as people do, and a page that is saved unchanged keeps what
    it had."""
    for page in PAGES:
        kept = values_of(page, SAFE)
        for question in page.questions:
            shown = question.typed(kept.get(question.key))
            assert question.read(shown, TODAY) == kept.get(question.key), question.key
    assert _QUESTIONS["phone"].written("+19165550142") == "(916) 555-0142"
    assert _QUESTIONS["monthly_income"].written("1850.00") == "$1,850.00"
