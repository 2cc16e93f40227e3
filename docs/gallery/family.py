"""The invented family in the portal's pictures, and what undoes what was done for one of them."""

from datetime import date, datetime, timedelta
from typing import Final

from engine.bootstrap import Application
from engine.caseload import caseworker_replies
from engine.clock import PACIFIC
from engine.database import driver_connection

NOW: Final = datetime(2026, 11, 23, 10, 30, tzinfo=PACIFIC)
OFFICES: Final = {
    "Sacramento": (
        "SACRAMENTO COUNTY CHILD SUPPORT SERVICES",
        "100 EXAMPLE STREET",
        "SACRAMENTO CA 95814",
    )
}
_FAMILY: Final = (
    """INSERT INTO participant (external_id, first_name, last_name, language, paperless)
       VALUES ('0000000042', 'María Fernanda', 'Núñez-Ibáñez', 'es', true)""",
    """INSERT INTO participant (external_id, first_name, last_name, language, confidential)
       VALUES ('0000000043', 'Rosa', 'Arriaga', 'es', true)""",
    """INSERT INTO participant (external_id, first_name, last_name, language)
       VALUES ('0000000044', 'Ignacio', 'Arriaga', 'es')""",
    """INSERT INTO contact_point (participant_id, kind, email, verified_at)
       VALUES (1, 'email', 'maria.fernanda@correo.example', now())""",
    """INSERT INTO contact_point (participant_id, kind, addr1, city, state, zip5)
       VALUES (1, 'mail', '1200 EXAMPLE ST APT 4', 'SACRAMENTO', 'CA', '95814')""",
    """INSERT INTO contact_point (participant_id, kind, phone)
       VALUES (1, 'phone', '+19165550142')""",
    """INSERT INTO contact_point (participant_id, kind, email, verified_at)
       VALUES (3, 'email', 'ignacio@correo.example', now())""",
    """INSERT INTO contact_point (participant_id, kind, email, verified_at, bounced_at)
       VALUES (2, 'email', 'rosa@correo.example', now(), now())""",
    """INSERT INTO support_case (external_id, county, status, opened_on)
       VALUES ('000000000000042', 'Sacramento', 'open', '2019-05-06'),
              ('000000000000077', 'Yolo', 'closed', '2011-02-14')""",
    """INSERT INTO case_party (case_id, participant_id, role)
       VALUES (1, 1, 'payee'), (1, 3, 'payer'), (2, 1, 'payer')""",
    """INSERT INTO account (external_id, case_id, kind, monthly_cents, balance_cents, as_of)
       VALUES ('A1', 1, 'child_support', 52500, 104200, '2026-11-20'),
              ('A2', 1, 'medical_support', 7500, 0, '2026-11-20')""",
)

_UNDONE: Final = (
    "DELETE FROM caseworker_message WHERE id > 2",
    "UPDATE caseworker_message SET read_at = NULL WHERE author = 'caseworker'",
    "DELETE FROM appointment_answer",
    "DELETE FROM consent_sample",
    """UPDATE contact_point SET superseded_at = now()
       WHERE kind = 'email' AND superseded_at IS NULL AND verified_at IS NULL""",
    """INSERT INTO contact_point (participant_id, kind, email, verified_at)
       SELECT 1, 'email', 'maria.fernanda@correo.example', now()
       WHERE NOT EXISTS (SELECT FROM contact_point
                         WHERE participant_id = 1 AND kind = 'email'
                               AND superseded_at IS NULL)""",
)


async def invent(application: Application) -> None:
    """Write the family into the tables, and deliver what they are owed."""
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        for statement in _FAMILY:
            await driver.execute(statement)
        for month in range(26):
            day = date(2026, 11, 20) - timedelta(days=30 * month)
            await driver.execute(
                "INSERT INTO payment (external_id, case_id, participant_id, direction,"
                " amount_cents, method, paid_on) VALUES ($1, 1, 1, 'sent', $2, $3, $4)",
                f"P{month}",
                48_250 if month % 5 else 52_500,
                "direct_deposit" if month % 4 else "check",
                day,
            )
        for number, (kind, days, place) in enumerate(
            (
                ("office", 16, "Sacramento County Child Support Services, 100 Example Street"),
                ("court", 37, "Superior Court of California, County of Sacramento, Department 7"),
            )
        ):
            await driver.execute(
                "INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at,"
                " place, status) VALUES ($1, 1, 1, $2, $3, $4, 'scheduled')",
                f"M{number}",
                kind,
                NOW.replace(hour=9) + timedelta(days=days),
                place,
            )
        await driver.execute(
            "INSERT INTO caseworker_message (participant_id, case_id, author, body, written_at,"
            " reply_due) VALUES (1, 1, 'participant', $1, $2, '2026-11-24')",
            "Cambié de trabajo. ¿Tengo que llevar mis talones de pago a la cita?",
            NOW - timedelta(days=3),
        )
    async with application.outbox.transaction() as transaction:
        await caseworker_replies.reply(
            transaction, 1, "caseworker", "Sí, por favor: los de los últimos dos meses.", NOW
        )
    await application.notices.payments_since(NOW.date() - timedelta(days=60))
    await application.reminders.run()
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        rows = await driver.fetch("SELECT id FROM delivery WHERE channel = 'inbox'")
    await application.dispatcher.deliver([row["id"] for row in rows])
    # They came over some days, not all in the moment of the picture.
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(
            "UPDATE document SET posted_at = posted_at - (9 - id) * interval '19 hours 20 minutes'"
        )


async def undo(application: Application) -> None:
    """Take back what one picture did, so that the next begins where it began."""
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        for statement in _UNDONE:
            await driver.execute(statement)
