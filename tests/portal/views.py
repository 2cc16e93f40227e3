"""Every page of the portal in every state that it can be seen in: who looks, where, and what they
did before."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest
from playwright.async_api import Page
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from engine.caseload import caseworker_replies
from engine.portal.error_pages import WORDED
from engine.security.sessions import Stage
from tests.database_rows import execute, fetch
from tests.portal.browsing import FULL, SUBMIT, Windows, path_of
from tests.portal.portal_server import MONDAY_NOON, NOBODY, Portal
from tests.portal.world import World

Act = Callable[[Page], Awaitable[None]]

_PAPERLESS: Final = "/profile/ecommunications"
_SAMPLE: Final = f"{_PAPERLESS}/sample"
_EMPTY: Final = """
() => {
  for (const field of document.querySelectorAll("main input, main textarea, main select")) {
    if (field.type === "radio") field.checked = false;
    else if (field.type !== "hidden") field.value = "";
  }
}
"""
_DONE: Final = "main [role=status]"
FAULTS: Final = ".summary"


async def as_it_comes(_page: Page) -> None:
    """Nothing was done."""


async def opened_up(page: Page) -> None:
    """Whatever can be folded open is open: the menu of a phone, a filter, what is past."""
    await page.evaluate(
        "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
    )


async def _sent(page: Page) -> None:
    """Send the first form of a page that will find a fault with it."""
    await page.click(SUBMIT)
    await page.wait_for_selector(FAULTS)
    await page.wait_for_load_state()


async def sent_empty(page: Page) -> None:
    """The form was sent with nothing in it."""
    await page.evaluate(_EMPTY)
    await _sent(page)


async def form_expired(page: Page) -> None:
    """The form was left open for longer than its token is good."""
    await page.context.clear_cookies()
    await _sent(page)


def sent(**typed: str) -> Act:
    """The form was sent with such fields, and a fault was found with them."""

    async def act(page: Page) -> None:
        await _fill(page, typed)
        await _sent(page)

    return act


def saved(**typed: str) -> Act:
    """The form was sent with such fields, and the next page says what was done."""

    async def act(page: Page) -> None:
        await _fill(page, typed)
        await page.click(SUBMIT)
        await page.wait_for_selector(_DONE)

    return act


async def _fill(page: Page, typed: dict[str, str]) -> None:
    """Give fields their values, longer ones than can be typed too; an empty one says that what has
    this id is chosen."""
    await opened_up(page)
    for field, value in typed.items():
        if not value:
            await page.click(f"label[for={field}]")
        else:
            await page.eval_on_selector(f"#{field}", "(field, value) => field.value = value", value)


def pin_asked_for(method: str) -> Act:
    """A PIN was asked for, by one way or the other."""

    async def act(page: Page) -> None:
        await _fill(page, {**NOBODY, f"method-{method}": ""})
        await page.click(SUBMIT)
        await page.wait_for_url("**/forgot-pin/sent")

    return act


def sample_made(then: Act = as_it_comes) -> Act:
    """A sample was made, and something was done with its code."""

    async def act(page: Page) -> None:
        await page.click(SUBMIT)
        await page.wait_for_url(f"**{_SAMPLE}")
        await then(page)

    return act


def pressed(status: int) -> Act:
    """The one button of the page was pressed, and the answer has such a status."""

    async def act(page: Page) -> None:
        async with page.expect_navigation() as answered:
            await page.click(SUBMIT)
        assert (await answered.value).status == status

    return act


async def answered_late(page: Page) -> None:
    """An appointment was moved while its reader looked at it."""
    await page.evaluate(
        "document.getElementsByName('starts_at').forEach((seen) => { seen.value = ''; })"
    )
    await pressed(409)(page)


async def left_alone(page: Page) -> None:
    """Nobody did anything for thirteen minutes."""
    await page.evaluate(
        "const dialog = document.getElementById('session-dialog');"
        "const left = dialog.querySelector('.session-left');"
        "left.textContent = left.dataset.many; dialog.showModal();"
    )


async def logged_out(page: Page) -> None:
    """The reader logged out."""
    await page.click("form[action$='/log-out'] button")
    await page.wait_for_selector(_DONE)


@dataclass(frozen=True, slots=True)
class View:
    """A page as someone sees it. `lands` is its path, where what was done led to another one;
    `{name}` stands for the number of something of the payer's."""

    path: str
    reader: str | None = None
    act: Act = as_it_comes
    stage: Stage = Stage.FULL
    status: int = 200
    lands: str = ""

    def at(self, ids: dict[str, int]) -> str:
        """Where its reader goes."""
        return self.path.format_map(ids)

    def seen_at(self, ids: dict[str, int]) -> str:
        """The path, without its query, where it is seen."""
        return (self.lands or self.path).format_map(ids).partition("?")[0]


_LINK: Final = f"/confirm-email/{'A' * 43}"
_GOOD_TOKEN: Final = "B" * 43
_STOP: Final = f"/u/{'A' * 43}"
_UNPLACED: Final = {
    "addr1": "EXAMPLE AVE", "city": "SACRAMENTO", "state": "CA", "zip5": "10001", "safe-yes": "",
    "tell_old-yes": "",
}  # fmt: skip
VIEWS: Final[dict[str, View]] = {
    "front": View("/"),
    "forgot PIN": View("/forgot-pin"),
    "forgot PIN, empty": View("/forgot-pin", act=sent_empty),
    "forgot PIN, too late": View("/forgot-pin", act=form_expired),
    "PIN by email": View("/forgot-pin", act=pin_asked_for("email"), lands="/forgot-pin/sent"),
    "PIN by mail": View("/forgot-pin", act=pin_asked_for("mail"), lands="/forgot-pin/sent"),
    "register": View("/register"),
    "register, empty": View("/register", act=sent_empty),
    "login": View("/login"),
    "login, empty": View("/login", act=sent_empty),
    "login, too late": View("/login", act=form_expired),
    "login, not let in": View("/login", act=sent(participant_id="9999999999", pin="000001")),
    "link of an email": View(_LINK),
    "link of an email, dead": View(_LINK, act=pressed(404)),
    "link of an email, used": View(f"/confirm-email/{_GOOD_TOKEN}", act=pressed(200)),
    "link that stops reminders": View(_STOP),
    "link that stops reminders, used": View(_STOP, act=pressed(200)),
    "session ended": View("/session-ended"),
    "no such page": View("/nowhere", status=404),
    **{f"error {status}": View(f"/fails/{status}", status=status) for status in sorted(WORDED)},
    "no such page, within": View("/nowhere", "payer", status=404),
    "choose a PIN": View("/choose-pin", "payee", stage=Stage.PIN_CHANGE),
    "choose a PIN, empty": View("/choose-pin", "payee", sent_empty, Stage.PIN_CHANGE),
    "home": View("/home", "payer"),
    "home, left alone": View("/home", "payer", left_alone),
    "home, menu open": View("/home", "payer", opened_up),
    "home of who has nothing": View("/home", "newcomer"),
    "payments": View("/payments", "payer"),
    "payments, opened up": View("/payments", "payer", opened_up),
    "payments, wrong dates": View(
        "/payments", "payer", sent(**{"from": "11/31/2026", "to": "tomorrow"})
    ),
    "payments, none": View("/payments?way=sent", "payer"),
    "payments on one page": View("/payments/all", "payer"),
    "cases": View("/cases", "payer"),
    "cases, none": View("/cases", "newcomer"),
    "case": View("/cases/{case_id}", "payer"),
    "appointments": View("/appointments", "payer", opened_up),
    "appointments, none": View("/appointments", "newcomer"),
    "appointment that was moved": View(
        "/appointments", "payer", answered_late, lands="/appointments/{appointment_id}/confirm"
    ),
    "another time": View("/appointments/{appointment_id}/reschedule", "payer"),
    "another time, too long a wish": View(
        "/appointments/{appointment_id}/reschedule", "payer", sent(wish="é" * 501)
    ),
    "another time, asked for": View(
        "/appointments/{appointment_id}/reschedule", "payer", saved(wish="Por la mañana"),
        lands="/appointments",
    ),
    "appointment, confirmed": View("/appointments", "payer", saved()),
    "documents": View("/documents", "payer"),
    "documents, on paper": View("/documents", "stranger"),
    "messages": View("/messages", "payer"),
    "messages, empty": View("/messages", "payer", sent_empty),
    "message, sent": View("/messages", "payee", saved(body="¿Cuándo?")),
    "messages, no case": View("/messages", "newcomer"),
    "message history": View("/messages?case={case_id}&page=2", "payer"),
    "profile": View("/profile", "payer"),
    "profile, protected": View("/profile", "confidential"),
    "email": View("/profile/email", "payer"),
    "email, empty": View("/profile/email", "payer", sent_empty),
    "email, saved": View(
        "/profile/email", "payee", lands="/profile",
        act=saved(**{"email": "otra@example.com", "safe-yes": "", "tell_old-yes": ""}),
    ),
    "phone": View("/profile/phone", "payer"),
    "phone, empty": View("/profile/phone", "payer", sent_empty),
    "phone, saved": View(
        "/profile/phone", "payee", saved(**{"phone": "916 555 0199", "safe-no": ""}),
        lands="/profile",
    ),
    "address": View("/profile/address", "payer"),
    "address, empty": View("/profile/address", "payer", sent_empty),
    "address, doubtful": View("/profile/address", "payer", sent(**_UNPLACED)),
    "address, protected": View("/profile/address", "confidential"),
    "change PIN": View("/profile/pin", "payer"),
    "change PIN, empty": View("/profile/pin", "payer", sent_empty),
    "language of notices": View("/profile/language", "payer"),
    "language of notices, none": View("/profile/language", "payer", sent_empty),
    "reminders": View("/profile/reminders", "payer"),
    "reminders, no choice": View("/profile/reminders", "payer", sent_empty),
    "reminders, unchanged": View("/profile/reminders", "payer", saved()),
    "reminders, stopped": View("/profile/reminders", "payee", saved(**{"reminders-no": ""})),
    "eCommunications": View("/profile/ecommunications", "payer", opened_up),
    "eCommunications, on offer": View("/profile/ecommunications", "stranger"),
    "eCommunications, without an email address": View("/profile/ecommunications", "locked", _sent),
    "eCommunications, a sample": View(_PAPERLESS, "stranger", sample_made(), lands=_SAMPLE),
    "eCommunications, no code": View(
        _PAPERLESS, "stranger", sample_made(sent_empty), lands=_SAMPLE
    ),
    "eCommunications, wrong code": View(
        _PAPERLESS, "stranger", sample_made(sent(code="CCCCCC")), lands=_SAMPLE
    ),
    "back to paper": View("/profile/ecommunications/withdraw", "payer"),
    "on paper already": View("/profile/ecommunications/withdraw", "stranger"),
    "home of whom nothing reaches": View("/home", "locked"),
    "profile of whom nothing reaches": View("/profile", "locked"),
    "other party": View("/profile/other-party", "payer"),
    "other party, empty": View("/profile/other-party", "payer", sent_empty),
    "other party, reported": View(
        "/profile/other-party", "payee", saved(employer="Example Bakery")
    ),
    "logged out": View("/home", "payee", logged_out, lands="/"),
}  # fmt: skip
"""What is seen and in which order: what one view does, a later one of its reader's shows."""
AS_THEY_COME: Final = {
    name: view for name, view in VIEWS.items() if view.act is as_it_comes and view.status == 200
}
"""The pages that a reader comes to by an address alone."""
MAIN_PAGES: Final = ("front", "login", "home", "payments", "documents", "messages", "profile")
SOME_OR_ALL: Final = pytest.mark.parametrize(
    "views",
    [
        pytest.param({name: VIEWS[name] for name in MAIN_PAGES}, id="main pages"),
        pytest.param(AS_THEY_COME, id="every page", marks=FULL),
    ],
)
"""For a test of what pages have in common: the quicker tier looks at the main ones."""


async def fails(request: Request) -> Response:
    """A place that fails in the way its address says."""
    status = request.path_params["status"]
    raise {500: RuntimeError(), 503: ConnectionError()}.get(status) or HTTPException(status)


Look = Callable[[str, Page], Awaitable[None]]
"""Told the name of a view, and its page."""


@dataclass(frozen=True)
class Gallery:
    """The views of one world, each in a window of its reader's that has such `options`."""

    windows: Windows
    world: World
    language: str
    options: dict[str, Any]
    prepare: Act = as_it_comes
    """What is done with each window before its first page."""

    @property
    def ids(self) -> dict[str, int]:
        """What the payer's paths name."""
        return {
            "case_id": self.world.cases["payer"],
            "appointment_id": self.world.appointments["payer"],
        }

    async def walk(self, views: Mapping[str, View], look: Look) -> None:
        """Let `look` see each of `views`: those of one reader in order, the readers at once."""
        readers = {(view.reader, view.stage) for view in views.values()}
        async with asyncio.TaskGroup() as group:
            for reader in readers:
                theirs = {
                    name: view
                    for name, view in views.items()
                    if (view.reader, view.stage) == reader
                }
                group.create_task(self._walk(*reader, theirs, look))

    async def _walk(
        self, reader: str | None, stage: Stage, views: Mapping[str, View], look: Look
    ) -> None:
        people = {**self.world.participants, "newcomer": 1}
        participant = people[reader] if reader else None
        page = await self.windows.open(participant, stage=stage, **self.options)
        await self.prepare(page)
        for name, view in views.items():
            answer = await page.goto(f"/{self.language}{view.at(self.ids)}")
            assert answer
            assert answer.status == view.status, page.url
            await view.act(page)
            assert path_of(page) == f"/{self.language}{view.seen_at(self.ids)}", name
            await look(name, page)


async def furnish(portal: Portal, world: World) -> None:
    """Give the payer what makes every kind of row: documents, one of them read, a reply that is
    not, more messages than a page holds, and appointments that are past or cancelled; and an email
    address with a link that proves it. What was sent to the locked one came back."""
    application, payer = portal.application, world.participants["payer"]
    case = world.cases["payer"]
    portal.app.add_route("/{language}/fails/{status:int}", fails)
    await execute(application, "UPDATE participant SET paperless = true WHERE id = $1", payer)
    await application.notices.payments_since((MONDAY_NOON - timedelta(days=30)).date())
    owed = await fetch(application, "SELECT id FROM delivery WHERE channel = 'inbox'")
    await application.dispatcher.deliver([int(str(row["id"])) for row in owed])
    await execute(application, "UPDATE document SET opened_at = $1 WHERE id = 1", MONDAY_NOON)
    for column, kind in (("bounced_at", "email"), ("returned_at", "mail")):
        await execute(
            application,
            f"UPDATE contact_point SET {column} = $2 WHERE participant_id = $1 AND kind = $3",
            world.participants["locked"],
            MONDAY_NOON,
            kind,
        )
    for number in range(11):
        await execute(
            application,
            "INSERT INTO caseworker_message (participant_id, case_id, author, body, written_at,"
            " reply_due) VALUES ($1, $2, 'participant', $3, $4, '2026-11-18')",
            payer,
            case,
            f"¿{number}?",
            MONDAY_NOON - timedelta(days=9),
        )
    await execute(
        application,
        "INSERT INTO email_confirmation (contact_point_id, token_hash, made_at, expires_at)"
        " SELECT id, sha256($2::bytea), $3, $4 FROM contact_point"
        " WHERE participant_id = $1 AND kind = 'email'",
        payer,
        _GOOD_TOKEN.encode(),
        MONDAY_NOON,
        MONDAY_NOON + timedelta(days=1),
    )
    async with application.outbox.transaction() as transaction:
        await caseworker_replies.reply(
            transaction, world.messages["payer"], "caseworker", "Sí.", MONDAY_NOON
        )
    for name, days, status in (("past", -30, "scheduled"), ("off", 9, "cancelled")):
        await execute(
            application,
            "INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place,"
            " status) VALUES ($1, $2, $3, 'court', $4, 'Room 7', $5)",
            f"M-{name}",
            case,
            payer,
            MONDAY_NOON + timedelta(days=days),
            status,
        )
