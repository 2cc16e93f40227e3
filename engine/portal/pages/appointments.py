"""*Court Dates and Appointments*: when and where, into a calendar, and what the reader answers."""

from collections.abc import Iterator
from typing import Final
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.caseload.appointment_calendar import CalendarEntry
from engine.caseload.appointments import (
    WISH_MOST,
    Answer,
    AppointmentView,
    NotAnswerableError,
    agenda_of,
    answer_appointment,
    appointment_of,
)
from engine.caseload.caseworker_messages import BodyFault, body_fault, tidy
from engine.communications.outbox import Transaction
from engine.portal.pages.messages import messages_of, number
from engine.portal.places import Place, Private
from engine.portal.visit import Visit

APPOINTMENTS: Final = "/appointments"
PAST_SHOWN: Final = 20
_ID_MOST: Final = 2**63 - 1
_ONE: Final = f"{APPOINTMENTS}/{{appointment_id}}"
_SEEN: Final = "starts_at"
"""The field in which a form says the hour that its reader saw."""


class AppointmentsPages:
    """The list, and what may be done with each that is ahead."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Private(APPOINTMENTS, self.appointments)
        yield Private(f"{_ONE}/calendar.ics", self.calendar)
        yield Private(f"{_ONE}/confirm", self.confirm, ("POST",), after=APPOINTMENTS)
        yield Private(f"{_ONE}/reschedule", self.reschedule, ("GET", "POST"), after=APPOINTMENTS)

    async def appointments(self, visit: Visit) -> Response:
        """The reader's own. Each form has an id of its own: confirming one is not the other."""
        now = visit.application.clock()
        async with visit.reading() as connection:
            agenda = await agenda_of(connection, visit.participant_id, now, past_most=PAST_SHOWN)
        return visit.page(
            "appointments.html",
            nav="appointments",
            upcoming=[(each, str(uuid4())) for each in agenda.upcoming],
            past=agenda.past,
        )

    async def calendar(self, visit: Visit) -> Response:
        """One appointment as a file for the reader's own calendar."""
        visit.refuse_at_kiosk()
        found = await _mine(visit)
        entry = CalendarEntry(
            appointment_id=found.id,
            starts_at=found.starts_at,
            sequence=found.sequence,
            cancelled=found.cancelled,
            made_at=visit.application.clock(),
            place=found.place,
        )
        return Response(
            visit.application.calendars.file(entry, visit.language),
            media_type=f"text/calendar; charset=utf-8; method={entry.method}",
            headers={"Content-Disposition": 'attachment; filename="calendar.ics"'},
        )

    async def confirm(self, visit: Visit) -> Response:
        """The reader will be there."""
        found = await _mine(visit)
        return await _answered(visit, found, Answer.CONFIRMED, None)

    async def reschedule(self, visit: Visit) -> Response:
        """The form with a short wish, or what was posted with it."""
        found = await _mine(visit)
        if not found.answerable(visit.application.clock()):
            return _closed(visit, found)
        if not visit.posted:
            return _form(visit, found, "", None, 200)
        wish = tidy(visit.fields.get("wish", ""))
        fault = wish_fault(wish)
        if fault is not None:
            return _form(visit, found, wish, fault, 422)
        return await _answered(visit, found, Answer.RESCHEDULE, wish)


def wish_fault(wish: str) -> BodyFault | None:
    """What is wrong with a wish; none is wanted, and an empty one is as good."""
    if len(wish) > WISH_MOST:
        return BodyFault.TOO_LONG
    return body_fault(wish) if wish else None


async def _mine(visit: Visit) -> AppointmentView:
    """The appointment of the address; 404 for every other than the reader's, there or not."""
    appointment_id = number(visit.request.path_params["appointment_id"], _ID_MOST)
    if appointment_id is None:
        raise HTTPException(404)
    async with visit.reading() as connection:
        found = await appointment_of(connection, visit.participant_id, appointment_id)
    if found is None:
        raise HTTPException(404)
    return found


async def _answered(
    visit: Visit, found: AppointmentView, answer: Answer, wish: str | None
) -> Response:
    """Take the answer down; 409 where it is past, cancelled, or moved since the reader saw it."""
    now = visit.application.clock()
    if visit.fields.get(_SEEN) != found.starts_at.isoformat():
        return _closed(visit, found)
    try:
        async with visit.act(f"appointment.{answer}", appointment=found.id) as doing:
            await answer_appointment(
                doing.transaction, visit.participant_id, found, answer, now, wish=wish
            )
            if answer is Answer.RESCHEDULE:
                await _passed_on(visit, doing.transaction, found, wish or "")
    except NotAnswerableError:
        return _closed(visit, await _mine(visit))
    return visit.to(APPOINTMENTS, said=f"appointment_{answer}")


async def _passed_on(
    visit: Visit, transaction: Transaction, found: AppointmentView, wish: str
) -> None:
    """Write the request to the caseworker, who answers it as any message."""
    words = visit.layout.environments[visit.language].get_template("appointment_request.txt")
    body = f"{words.render(appointment=found).strip()}\n\n{wish}".strip()
    due = await messages_of(visit).write(
        transaction, visit.participant_id, found.case_id, body, visit.application.clock()
    )
    if due is None:
        raise HTTPException(404)


def _closed(visit: Visit, found: AppointmentView) -> Response:
    return visit.page(
        "appointment_closed.html",
        409,
        nav="appointments",
        appointment=found,
        past=found.starts_at <= visit.application.clock(),
    )


def _form(
    visit: Visit, found: AppointmentView, wish: str, fault: BodyFault | None, status: int
) -> Response:
    return visit.page(
        "appointment_reschedule.html",
        status,
        nav="appointments",
        appointment=found,
        wish=wish,
        fault=fault,
        most=WISH_MOST,
    )
