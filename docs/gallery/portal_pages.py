"""Photographs every page of the portal, in both languages, on a phone and on a desk.

`python docs/gallery/portal_pages.py` draws them anew; `make pictures` runs it too. It needs
Chromium. The family in them is invented, and so are their addresses.
"""

import asyncio
import io
import shutil
import socket
import sys
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import uvicorn
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from engine.bootstrap import Application, open_application
from engine.caseload import caseworker_replies
from engine.clock import PACIFIC
from engine.database import driver_connection
from engine.migrations.run import upgrade
from engine.portal.app import create_app
from engine.security.sessions import Stage
from engine.settings import Settings, load_settings
from engine.stack.servers import servers_for

HERE: Final = Path(__file__).parent
NOW: Final = datetime(2026, 11, 23, 10, 30, tzinfo=PACIFIC)
PHONE, DESK = 390, 1280
SIGNED_OUT: Final = {
    "front": "/",
    "login": "/login",
    "forgot_pin": "/forgot-pin",
    "register": "/register",
    "session_ended": "/session-ended",
}
SIGNED_IN: Final = {
    "home": "/home",
    "payments": "/payments?way=sent",
    "payments_all": "/payments/all?way=sent",
    "case": "/cases/1",
    "cases": "/cases",
    "appointments": "/appointments",
    "reschedule": "/appointments/1/reschedule",
    "documents": "/documents",
    "messages": "/messages",
    "profile": "/profile",
    "email": "/profile/email",
    "address": "/profile/address",
    "phone": "/profile/phone",
    "change_pin": "/profile/pin",
    "language": "/profile/language",
    "ecommunications": "/profile/ecommunications",
    "other_party": "/profile/other-party",
}
FAMILY: Final = (
    """INSERT INTO participant (external_id, first_name, last_name, language, paperless)
       VALUES ('0000000042', 'María Fernanda', 'Núñez-Ibáñez', 'es', true)""",
    """INSERT INTO contact_point (participant_id, kind, email, verified_at)
       VALUES (1, 'email', 'maria.fernanda@correo.example', now())""",
    """INSERT INTO contact_point (participant_id, kind, addr1, city, state, zip5)
       VALUES (1, 'mail', '1200 EXAMPLE ST APT 4', 'SACRAMENTO', 'CA', '95814')""",
    """INSERT INTO contact_point (participant_id, kind, phone)
       VALUES (1, 'phone', '(916) 555-0142')""",
    """INSERT INTO support_case (external_id, county, status, opened_on)
       VALUES ('000000000000042', 'Sacramento', 'open', '2019-05-06'),
              ('000000000000077', 'Yolo', 'closed', '2011-02-14')""",
    """INSERT INTO case_party (case_id, participant_id, role)
       VALUES (1, 1, 'payee'), (2, 1, 'payer')""",
    """INSERT INTO account (external_id, case_id, kind, monthly_cents, balance_cents, as_of)
       VALUES ('A1', 1, 'child_support', 52500, 104200, '2026-11-20'),
              ('A2', 1, 'medical_support', 7500, 0, '2026-11-20')""",
)


async def invent(application: Application) -> None:
    """Write the family into the tables, and deliver what they are owed."""
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        for statement in FAMILY:
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
    await application.notices.reminders(timedelta(days=30), timedelta(days=30))
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        rows = await driver.fetch("SELECT id FROM delivery WHERE channel = 'inbox'")
    await application.dispatcher.deliver([row["id"] for row in rows])


async def photograph(page: Page, name: str, width: int) -> None:
    """Keep a picture of the page with few colours, as the repository wants it."""
    shot = Image.open(io.BytesIO(await page.screenshot(full_page=True)))
    kind = "phone" if width == PHONE else "desk"
    factor = 0.75 if width == DESK else 1
    small = shot.convert("RGB").resize(
        (int(shot.width * factor), int(shot.height * factor)), Image.Resampling.LANCZOS
    )
    few = small.quantize(48, dither=Image.Dither.NONE)
    few.save(HERE / "portal" / f"{name}.{kind}.png", optimize=True)


async def draw(browser: Browser, application: Application, address: str) -> None:
    """Every page, as those who are signed out and signed in see it."""
    for width in (PHONE, DESK):
        for language in ("en", "es"):
            for paths, signed_in in ((SIGNED_OUT, False), (SIGNED_IN, True)):
                context = await browser.new_context(
                    viewport={"width": width, "height": 800}, reduced_motion="reduce"
                )
                if signed_in:
                    async with application.engine.begin() as connection:
                        session = await application.sessions.open(connection, 1, Stage.FULL)
                    cookie: Any = {"name": "session", "value": session.token, "url": address}
                    await context.add_cookies([cookie])
                page = await context.new_page()
                for name, path in paths.items():
                    await page.goto(f"{address}/{language}{path}")
                    await photograph(page, f"{name}.{language}", width)
                if not signed_in:
                    await page.goto(f"{address}/{language}/login")
                    await page.click("main form button[type=submit]")
                    await photograph(page, f"login_wrong.{language}", width)
                await context.close()


async def run(settings: Settings) -> None:
    """Serve the portal for as long as its pictures are taken."""
    async with open_application(settings, lambda: NOW) as application, async_playwright() as play:
        await invent(application)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(create_app(application), access_log=False, log_config=None)
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        browser = await play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        await draw(browser, application, f"http://127.0.0.1:{listener.getsockname()[1]}")
        await browser.close()
        server.should_exit = True
        await serving


def main() -> None:
    """Over embedded servers of its own."""
    if shutil.which("chromium") is None:
        sys.exit("Chromium is needed to photograph pages")
    (HERE / "portal").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        given = load_settings(
            data_dir=Path(folder), database_url=None, redis_url=None, smtp_url=None
        )
        with servers_for(given) as settings:
            assert settings.database_url is not None  # noqa: S101  servers_for fills it in
            upgrade(settings.database_url.get_secret_value())
            asyncio.run(run(settings))


if __name__ == "__main__":
    main()
