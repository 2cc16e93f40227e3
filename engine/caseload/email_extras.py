"""What goes with the caseload's emails: an appointment's calendar file, and the link that stops
optional ones (RFC 8058)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.appointment_calendar import AppointmentCalendars, CalendarEntry
from engine.caseload.unsubscribing import UnsubscribeTokens
from engine.communications.claims import Claimed
from engine.database import driver_connection
from engine.email.extras import CalendarPart, EmailExtras

UNSUBSCRIBE_PATH: Final = "/u"
_APPOINTMENTS: Final = """
SELECT delivery.id, appointment.id AS appointment_id, starts_at, calendar_sequence,
       appointment.status, requested_at
FROM delivery
JOIN communication ON communication.id = communication_id
JOIN appointment
     ON appointment.id = substring(subject FROM '^appointment:([0-9]{1,18})$')::bigint
WHERE delivery.id = ANY($1::bigint[])
"""


@dataclass(frozen=True, slots=True)
class CaseloadExtras:
    """Says what goes with them. The address of an appointment stays behind the sign-in, and its
    calendar file says none."""

    calendars: AppointmentCalendars
    tokens: UnsubscribeTokens
    public_url: str

    async def of(
        self, connection: AsyncConnection, claimed: Collection[Claimed]
    ) -> Mapping[int, EmailExtras]:
        """Delivery id → what goes with it."""
        calendars = await self._calendars(connection, claimed)
        return {
            item.delivery_id: EmailExtras(
                self._unsubscribe(item) if item.notice.optional else None,
                calendars.get(item.delivery_id),
            )
            for item in claimed
            if item.notice.optional or item.delivery_id in calendars
        }

    async def _calendars(
        self, connection: AsyncConnection, claimed: Collection[Claimed]
    ) -> dict[int, CalendarPart]:
        languages = {item.delivery_id: item.language for item in claimed if item.subject}
        if not languages:
            return {}
        driver = await driver_connection(connection)
        rows = await driver.fetch(_APPOINTMENTS, list(languages))
        parts = {}
        for row in rows:
            entry = CalendarEntry(
                appointment_id=row["appointment_id"],
                starts_at=row["starts_at"],
                sequence=row["calendar_sequence"],
                cancelled=row["status"] == "cancelled",
                made_at=row["requested_at"],
            )
            content = self.calendars.file(entry, languages[row["id"]])
            parts[row["id"]] = CalendarPart(content, entry.method)
        return parts

    def _unsubscribe(self, item: Claimed) -> str:
        token = self.tokens.token(item.participant_id)
        return f"{self.public_url}/{item.language}{UNSUBSCRIBE_PATH}/{token}"
