"""*My Payments*: what the reader made and what was sent to them: pages, print, and files."""

import json
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.caseload.at_a_glance import reader_of
from engine.caseload.cases import CaseSummary, cases_of
from engine.caseload.payments import (
    Choice,
    Direction,
    last_direction,
    payments_page,
    whole_history,
)
from engine.clock import pacific_date
from engine.portal.pages.messages import number
from engine.portal.payment_choice import PaymentChoice
from engine.portal.payment_files import HistoryFile
from engine.portal.places import Place, Private
from engine.portal.visit import Visit

PAYMENTS: Final = "/payments"
SHOWN: Final = 20
_PAGES_MOST: Final = 100_000
_FILES_RATE: Final = "30/10minute"
"""Drawing a PDF takes a whole core for as long as it takes."""


class PaymentsPages:
    """The list with its filter, the page that prints all of it, and the files."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Private(PAYMENTS, self.payments)
        yield Private(f"{PAYMENTS}/all", self.all_payments)
        yield Private(f"{PAYMENTS}/history.pdf", self.history_pdf)
        yield Private(f"{PAYMENTS}/history.csv", self.history_csv)

    async def payments(self, visit: Visit) -> Response:
        """One page of payments; 422 where the dates cannot be read, and then none."""
        page_number = number(visit.query("page") or "1", _PAGES_MOST)
        if page_number is None:
            raise HTTPException(404)
        async with visit.reading() as connection:
            cases, asked = await _asked(visit, connection)
            faults = asked.faults()
            values: dict[str, Any] = {"cases": cases, "asked": asked, "faults": faults}
            if faults:
                return visit.page("payments.html", 422, nav="payments", page=None, **values)
            page = await payments_page(
                connection, visit.participant_id, asked.chosen(), number=page_number, size=SHOWN
            )
            values["one_case"] = _one_case(cases, asked.chosen())
        return visit.page("payments.html", nav="payments", page=page, **values)

    async def all_payments(self, visit: Visit) -> Response:
        """Every payment of the filter on one page, made to be printed."""
        async with visit.reading() as connection:
            cases, asked = await _asked(visit, connection)
            choice = _faultless(asked)
            reader = await reader_of(connection, visit.participant_id)
            history = await whole_history(connection, visit.participant_id, choice)
            page = visit.page(
                "payments_print.html",
                nav="payments",
                asked=asked,
                choice=choice,
                one_case=_one_case(cases, choice),
                reader=reader,
                history=history,
                printed_on=pacific_date(visit.application.clock()),
            )
            entry = visit.entry("payments.printed", payments=history.number)
            await visit.application.audit.append(connection, entry)
        return page

    async def history_pdf(self, visit: Visit) -> Response:
        """The same as a PDF in the reader's language."""
        file = await _file(visit)
        return await _downloaded(visit, file, await file.pdf(), "pdf", "application/pdf")

    async def history_csv(self, visit: Visit) -> Response:
        """The same for a spreadsheet."""
        file = await _file(visit)
        return await _downloaded(visit, file, file.csv(), "csv", "text/csv; charset=utf-8")


async def _asked(
    visit: Visit, connection: AsyncConnection
) -> tuple[list[CaseSummary], PaymentChoice]:
    """The reader's cases and what they ask for; 404 for a case that is none of theirs."""
    cases = await cases_of(connection, visit.participant_id)
    usual = await _usual(visit, connection, cases)
    asked = PaymentChoice.of(visit.request.query_params, usual)
    if asked is None or asked.case_id not in {None, *(case.id for case in cases)}:
        raise HTTPException(404)
    return cases, asked


async def _usual(visit: Visit, connection: AsyncConnection, cases: list[CaseSummary]) -> Direction:
    """The way that is shown where none is asked for: the one of the reader's open cases; where
    they pay in one and are paid in another, or none is open, that of the latest payment."""
    roles = {case.role for case in cases if case.open}
    if len(roles) == 1:
        return Direction.MADE if roles == {"payer"} else Direction.SENT
    return await last_direction(connection, visit.participant_id) or Direction.SENT


def _faultless(asked: PaymentChoice) -> Choice:
    """No link of ours leads to a file with dates that cannot be read."""
    if asked.faults():
        raise HTTPException(404)
    return asked.chosen()


def _one_case(cases: list[CaseSummary], choice: Choice) -> str:
    """The number of the case that all of it is about; empty where it may be about several."""
    if choice.case_id is None:
        return cases[0].number if len(cases) == 1 else ""
    return next(case.number for case in cases if case.id == choice.case_id)


async def _file(visit: Visit) -> HistoryFile:
    visit.refuse_at_kiosk()
    await visit.count("payment_files", str(visit.participant_id), rate=_FILES_RATE)
    async with visit.reading() as connection:
        cases, asked = await _asked(visit, connection)
        choice = _faultless(asked)
        return HistoryFile(
            language=visit.language,
            words=_words(visit, choice, _one_case(cases, choice)),
            reader=await reader_of(connection, visit.participant_id),
            choice=choice,
            history=await whole_history(connection, visit.participant_id, choice),
            printed_on=pacific_date(visit.application.clock()),
        )


def _words(visit: Visit, choice: Choice, case_number: str) -> dict[str, Any]:
    template = visit.layout.environments[visit.language].get_template("payments_words.txt")
    words: dict[str, Any] = json.loads(template.render(choice=choice, case_number=case_number))
    return words


async def _downloaded(
    visit: Visit, file: HistoryFile, content: bytes, kind: str, media_type: str
) -> Response:
    """The file, and last of all its audit entry: every other writer of the trail waits from there
    until this visit is over."""
    async with visit.reading() as connection:
        entry = visit.entry("payments.downloaded", kind=kind, payments=file.history.number)
        await visit.application.audit.append(connection, entry)
    name = f"{file.words['file_name']}.{kind}"
    return Response(
        content,
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
