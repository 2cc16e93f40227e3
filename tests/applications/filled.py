"""Applications as a careful parent fills them in, page after page."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.applications.asking import Question, Value, Values
from engine.applications.cleaning_process import Clean, cleaned
from engine.applications.drafts import Draft
from engine.applications.flow import CHILDREN, first_open, step_at
from engine.applications.questions import Kind, Page, Told
from engine.applications.submitting import Submitted
from engine.bootstrap import Application
from engine.communications.outbox import Transaction
from tests.applications import files

TODAY: Final = date(2026, 11, 23)
SAFE: Final[Mapping[str, str]] = {"afraid": "no", "email_safe": "yes"}
AFRAID: Final[Mapping[str, str]] = {"afraid": "yes", "email_safe": "no", "safe_mail": "yes"}
_LINES: Final[Mapping[str, str]] = {
    "first_name": "Inés",
    "middle_name": "",
    "last_name": "Peña-Ibáñez",
    "other_names": "",
    "addr1": "1200 Example St Apt 4",
    "city": "Sacramento",
    "state": "ca",
    "zip5": "95814",
    "phone": "(916) 555-0142",
    "safe_phone": "(916) 555-0143",
    "email": "other@example.com",
    "monthly_income": "$1,850.00",
    "case_number": "000000000000042",
    "county": "Alameda",
    "court": "Superior Court, Alameda",
    "remarks": "She starts school in August.\nThank you.",
}


def typed(page: Page, question: Question, chosen: Mapping[str, str]) -> dict[str, str]:
    """The form fields of one question, filled in; `chosen` says the answers that matter."""
    if question.control == "day":
        return question.typed("2015-02-28" if page.each == "child" else "1985-12-01")
    if question.control == "many":
        return question.typed([question.choices[0]])
    if question.choices:
        return {question.key: chosen.get(question.key, question.choices[0])}
    return {question.key: chosen.get(question.key, _LINES.get(question.key, ""))}


def typed_page(page: Page, chosen: Mapping[str, str]) -> dict[str, str]:
    """All fields of a page, filled in."""
    return {
        field: text
        for question in page.questions
        for field, text in typed(page, question, chosen).items()
    }


def values_of(page: Page, chosen: Mapping[str, str]) -> Values:
    """What is kept of a page that is filled in."""
    form = typed_page(page, chosen)
    found: dict[str, Value] = {}
    for question in page.questions:
        value = question.read(form, TODAY)
        assert value is None or not hasattr(value, "name"), (page.key, question.key, value)
        if value is not None:
            found[question.key] = value
    return found


def told(kind: Kind = "open", chosen: Mapping[str, str] = SAFE, *, protected: bool = False) -> Told:
    """An application that is answered whole."""
    answers: dict[str, Values] = {}
    while (slot := first_open(Told(kind, protected, answers))) is not None:
        step = step_at(Told(kind, protected, answers), slot)
        answers[slot] = values_of(step.page, chosen) if step else {"more": "no"}
    return Told(kind, protected, answers)


async def fill(
    application: Application,
    connection: AsyncConnection,
    participant_id: int,
    kind: Kind = "open",
    chosen: Mapping[str, str] = SAFE,
) -> Draft:
    """A draft that is answered whole and saved page by page."""
    drafts = application.drafts
    draft_id = await drafts.start(connection, participant_id, kind)
    assert draft_id is not None
    while True:
        draft = await drafts.find(connection, participant_id, draft_id)
        assert draft is not None
        slot = first_open(draft.told)
        if slot is None:
            return draft
        step = step_at(draft.told, slot)
        values: Values = (
            {"more": "no"} if slot == CHILDREN or step is None else values_of(step.page, chosen)
        )
        assert await drafts.save(connection, draft, slot, values, 0)


async def submit(application: Application, participant_id: int, draft: Draft) -> Submitted:
    """Submit a draft; what it became."""
    async with application.outbox.transaction() as transaction:
        assert await _submit(application, transaction, participant_id, draft)
    async with application.engine.connect() as connection:
        found = await application.submitting.find(connection, participant_id, draft.id)
    assert found is not None
    return found


async def _submit(
    application: Application, transaction: Transaction, participant_id: int, draft: Draft
) -> str | None:
    return await application.submitting.submit(transaction, participant_id, draft, "es")


async def leave_everything(application: Application, participant_id: int) -> None:
    """Submit an application, and begin one that has a file."""
    async with application.outbox.transaction() as transaction:
        whole = await fill(application, transaction.connection, participant_id)
    await submit(application, participant_id, whole)
    made = cleaned(files.png())
    assert isinstance(made, Clean)
    async with application.outbox.transaction() as transaction:
        begun = await fill(application, transaction.connection, participant_id, "add_child")
        assert not await application.uploads.add(transaction.connection, begun.id, "other", made)
