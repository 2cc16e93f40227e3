"""Photographs every page of the portal, in both languages, on a phone and on a desk.

`python docs/gallery/portal_pages.py` draws them anew, and `… home payments` those two alone; `make
pictures` runs it too. It needs Chromium. The family in them is invented, and so are its addresses.
"""

import asyncio
import io
import shutil
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import uvicorn
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

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
SUBMIT: Final = "main form button[type=submit]"
READER, PROTECTED = 1, 2


async def nothing(_page: Page) -> None:
    """The page as it comes."""


async def sent_empty(page: Page) -> None:
    """The form sent with nothing in it."""
    await page.click(SUBMIT)
    await page.wait_for_selector(".usa-alert--error")


async def pin_asked_for(page: Page) -> None:
    """The page after *Forgot PIN?*."""
    typed = {"first_name": "Nadie", "last_name": "Ninguno", "participant_id": "9999999999"}
    for field, value in typed.items():
        await page.fill(f"#{field}", value)
    await page.click("label[for=method-email]")
    await page.click(SUBMIT)
    await page.wait_for_url("**/forgot-pin/sent")


async def dates_crossed(page: Page) -> None:
    """A filter whose days cannot be."""
    await page.fill("#from", "11/23/2026")
    await page.fill("#to", "11/1/2026")
    await page.click("main form button[type=submit]")
    await page.wait_for_selector(".usa-alert--error")


async def answered_late(page: Page) -> None:
    """An appointment that was moved while its reader looked at it."""
    moved = "[...document.getElementsByName('starts_at')].forEach((seen) => { seen.value = ''; })"
    await page.evaluate(moved)
    await page.click(SUBMIT)
    await page.wait_for_selector("h1")


async def left_alone(page: Page) -> None:
    """The dialog that warns of the end of a session."""
    await page.evaluate(
        "const dialog = document.getElementById('session-dialog');"
        "const left = dialog.querySelector('.session-left');"
        "left.textContent = left.dataset.many; dialog.showModal();"
    )


@dataclass(frozen=True, slots=True)
class Shot:
    """One page: its path, who looks at it (nobody, where nobody is named), and what they do."""

    path: str
    reader: int | None = READER
    stage: Stage = Stage.FULL
    act: Callable[[Page], Awaitable[None]] = nothing


SHOTS: Final = {
    "front": Shot("/", None),
    "login": Shot("/login", None),
    "login_wrong": Shot("/login", None, act=sent_empty),
    "forgot_pin": Shot("/forgot-pin", None),
    "forgot_pin_wrong": Shot("/forgot-pin", None, act=sent_empty),
    "forgot_pin_sent": Shot("/forgot-pin", None, act=pin_asked_for),
    "register": Shot("/register", None),
    "choose_pin": Shot("/choose-pin", stage=Stage.PIN_CHANGE),
    "confirm_email": Shot(f"/confirm-email/{'A' * 43}", None),
    "session_ended": Shot("/session-ended", None),
    "not_found": Shot("/nowhere", None),
    "home": Shot("/home"),
    "payments": Shot("/payments?way=sent"),
    "payments_wrong": Shot("/payments?way=sent", act=dates_crossed),
    "payments_all": Shot("/payments/all?way=sent"),
    "cases": Shot("/cases"),
    "case": Shot("/cases/1"),
    "appointments": Shot("/appointments"),
    "reschedule": Shot("/appointments/1/reschedule"),
    "appointment_moved": Shot("/appointments", act=answered_late),
    "documents": Shot("/documents"),
    "messages": Shot("/messages"),
    "message_history": Shot("/messages?case=1"),
    "profile": Shot("/profile"),
    "email": Shot("/profile/email"),
    "address": Shot("/profile/address"),
    "address_protected": Shot("/profile/address", PROTECTED),
    "phone": Shot("/profile/phone"),
    "change_pin": Shot("/profile/pin"),
    "change_pin_wrong": Shot("/profile/pin", act=sent_empty),
    "language": Shot("/profile/language"),
    "ecommunications": Shot("/profile/ecommunications"),
    "other_party": Shot("/profile/other-party"),
    "session_dialog": Shot("/home", act=left_alone),
}
FAMILY: Final = (
    """INSERT INTO participant (external_id, first_name, last_name, language, paperless)
       VALUES ('0000000042', 'María Fernanda', 'Núñez-Ibáñez', 'es', true)""",
    """INSERT INTO participant (external_id, first_name, last_name, language, confidential)
       VALUES ('0000000043', 'Rosa', 'Arriaga', 'es', true)""",
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


def keep(picture: bytes, name: str, width: int) -> None:
    """A picture with few colours, as the repository wants it."""
    shot = Image.open(io.BytesIO(picture)).convert("RGB")
    factor = 0.75 if width == DESK else 1
    small = shot.resize(
        (int(shot.width * factor), int(shot.height * factor)), Image.Resampling.LANCZOS
    )
    kind = "phone" if width == PHONE else "desk"
    few = small.quantize(64, kmeans=1, dither=Image.Dither.NONE)
    few.save(HERE / "portal" / f"{name}.{kind}.png", optimize=True)


async def window(
    browser: Browser, application: Application, address: str, shot: Shot, width: int
) -> BrowserContext:
    """A browser window of whoever looks at a page."""
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    if shot.reader is not None:
        async with application.engine.begin() as connection:
            session = await application.sessions.open(connection, shot.reader, shot.stage)
        cookie: Any = {"name": "session", "value": session.token, "url": address}
        await context.add_cookies([cookie])
    return context


async def draw(browser: Browser, application: Application, address: str, names: set[str]) -> None:
    """Every page, in both languages and at both widths."""
    for name, shot in SHOTS.items():
        if names and name not in names:
            continue
        for width in (PHONE, DESK):
            for language in ("en", "es"):
                context = await window(browser, application, address, shot, width)
                page = await context.new_page()
                await page.goto(f"{address}/{language}{shot.path}")
                await shot.act(page)
                whole = shot.act is not left_alone
                keep(await page.screenshot(full_page=whole), f"{name}.{language}", width)
                await context.close()


async def run(settings: Settings, names: set[str]) -> None:
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
        await draw(browser, application, f"http://127.0.0.1:{listener.getsockname()[1]}", names)
        await browser.close()
        server.should_exit = True
        await serving


def main() -> None:
    """Over embedded servers of its own."""
    if shutil.which("chromium") is None:
        sys.exit("Chromium is needed to photograph pages")
    names = set(sys.argv[1:])
    if unknown := names - SHOTS.keys():
        sys.exit(f"there is no page {', '.join(sorted(unknown))}; there are {', '.join(SHOTS)}")
    (HERE / "portal").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        given = load_settings(
            data_dir=Path(folder),
            database_url=None,
            redis_url=None,
            smtp_url=None,
            forgot_pin_rate="1000/minute",
        )
        with servers_for(given) as settings:
            assert settings.database_url is not None  # noqa: S101  servers_for fills it in
            upgrade(settings.database_url.get_secret_value())
            asyncio.run(run(settings, names))


if __name__ == "__main__":
    main()
