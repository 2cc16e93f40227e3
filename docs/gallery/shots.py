"""Which pages of the portal are photographed, by whom, and what is done on them first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from playwright.async_api import Page

from engine.communications.catalogue import LANGUAGES
from engine.security.sessions import Stage

PHONE, DESK, PAPER = 390, 1280, 720
"""Widths in pixels; a sheet of letter paper has 720 between its margins."""
KINDS: Final = {PHONE: "phone", DESK: "desk", PAPER: "paper"}
SUBMIT: Final = "main form button[type=submit]"
DONE: Final = ".usa-alert--success"
READER, PROTECTED, PAYER, APPLICANT = 1, 2, 3, 4
"""The participants of docs/gallery/family.py, and who applies in docs/gallery/application.py."""
_DRAFT: Final = "/apply/applications/1"
_SUBMITTED: Final = "/apply/applications/2"


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
    await page.evaluate("document.querySelector('.filter').open = true")
    await page.fill("#from", "11/23/2026")
    await page.fill("#to", "11/1/2026")
    await page.click(SUBMIT)
    await page.wait_for_selector(".usa-alert--error")


async def message_written(page: Page) -> None:
    """A message on its way to the caseworker."""
    await page.select_option("#case", index=1)
    await page.fill("#body", "Gracias. ¿A qué hora cierra la oficina los viernes?")
    await page.click(SUBMIT)
    await page.wait_for_selector(DONE)


async def confirmed(page: Page) -> None:
    """An appointment that its reader will come to."""
    await page.click(SUBMIT)
    await page.wait_for_selector(DONE)


async def answered_safely(page: Page) -> None:
    """Both questions of a form for a contact answered with yes, and the form sent."""
    for label in await page.locator("label[for$=-yes]").all():
        await label.click()
    await page.click(SUBMIT)


async def email_changed(page: Page) -> None:
    """Another email address, which is not confirmed yet."""
    await page.fill("#email", "mfernanda@correo.example")
    await answered_safely(page)
    await page.wait_for_selector(DONE)


async def address_doubted(page: Page) -> None:
    """An address that a letter may not find."""
    await page.fill("#addr1", "EXAMPLE AVE")
    await page.fill("#zip5", "10001")
    await answered_safely(page)
    await page.wait_for_selector(".usa-alert--warning")


async def sample_made(page: Page) -> None:
    """The second step of enrolling: a sample waits to be opened."""
    await page.click(SUBMIT)
    await page.wait_for_url("**/sample")


async def code_wrong(page: Page) -> None:
    """Another code than the sample shows."""
    await sample_made(page)
    await page.fill("#code", "CDF HJK")
    await page.click(SUBMIT)
    await page.wait_for_selector(".usa-alert--error")


async def stopped(page: Page) -> None:
    """Reminders stopped with one click."""
    async with page.expect_navigation():
        await page.click(SUBMIT)


async def menu_opened(page: Page) -> None:
    """The menu as it unfolds on a phone."""
    await page.click(".menu-phone summary")


async def printed(page: Page) -> None:
    """The page as a printer gets it."""
    await page.emulate_media(media="print")


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


async def password_asked_for(page: Page) -> None:
    """The page after *Forgot password?*."""
    await page.fill("#email", "nobody@example.com")
    await page.click(SUBMIT)
    await page.wait_for_url("**/forgot-password/sent")


@dataclass(frozen=True, slots=True)
class Shot:
    """One page: its path, who looks at it (nobody, where nobody is named), what they do, and the
    path that this leads to where it is another page's."""

    path: str
    reader: int | None = READER
    stage: Stage = Stage.FULL
    act: Callable[[Page], Awaitable[None]] = nothing
    leads_to: str = ""
    widths: tuple[int, ...] = (PHONE, DESK)

    @property
    def shown(self) -> str:
        """The path of the page in the picture."""
        return self.leads_to or self.path.partition("?")[0]

    @classmethod
    def of_applicant(
        cls, path: str, act: Callable[[Page], Awaitable[None]] = nothing, **given: Any
    ) -> Self:
        """A page of the application site, as whoever is signed in there sees it."""
        return cls(path, APPLICANT, Stage.APPLICANT, act, **given)

    def pictures(self, name: str) -> dict[str, dict[str, str]]:
        """Language → kind → the file, beside the README."""
        return {
            language: {
                KINDS[width]: f"portal/{name}.{language}.{KINDS[width]}.png"
                for width in self.widths
            }
            for language in LANGUAGES
        }


SHOTS: Final = {
    "front": Shot("/", None),
    "login": Shot("/login", None),
    "login_wrong": Shot("/login", None, act=sent_empty),
    "forgot_pin": Shot("/forgot-pin", None),
    "forgot_pin_wrong": Shot("/forgot-pin", None, act=sent_empty),
    "forgot_pin_sent": Shot("/forgot-pin", None, act=pin_asked_for, leads_to="/forgot-pin/sent"),
    "register": Shot("/register", None),
    "choose_pin": Shot("/choose-pin", stage=Stage.PIN_CHANGE),
    "confirm_email": Shot(f"/confirm-email/{'A' * 43}", None),
    "unsubscribe": Shot(f"/u/{'A' * 43}", None),
    "unsubscribed": Shot(f"/u/{'A' * 43}", None, act=stopped),
    "session_ended": Shot("/session-ended", None),
    "apply": Shot("/apply", None),
    "apply_register": Shot("/apply/register", None),
    "apply_register_wrong": Shot("/apply/register", None, act=sent_empty),
    "apply_registered": Shot("/apply/register/sent", None),
    "apply_sign_in": Shot("/apply/sign-in", None),
    "apply_forgot_password": Shot("/apply/forgot-password", None),
    "apply_forgot_password_sent": Shot(
        "/apply/forgot-password",
        None,
        act=password_asked_for,
        leads_to="/apply/forgot-password/sent",
    ),
    "apply_confirm_dead": Shot(f"/apply/confirm/{'A' * 43}", None),
    "apply_reset_dead": Shot(f"/apply/reset/{'A' * 43}", None),
    "apply_session_ended": Shot("/apply/session-ended", None),
    "apply_home": Shot.of_applicant("/apply/home"),
    "apply_account": Shot.of_applicant("/apply/account"),
    "apply_start": Shot.of_applicant("/apply/start"),
    "apply_safety": Shot.of_applicant(f"{_DRAFT}/page/safety"),
    "apply_question": Shot.of_applicant(f"{_DRAFT}/page/child-birth.1"),
    "apply_question_wrong": Shot.of_applicant("/apply/applications/3/page/safety", sent_empty),
    "apply_children": Shot.of_applicant(f"{_DRAFT}/children"),
    "apply_child_removed": Shot.of_applicant(f"{_DRAFT}/children/1/remove"),
    "apply_documents": Shot.of_applicant(f"{_DRAFT}/documents"),
    "apply_document_removed": Shot.of_applicant(f"{_DRAFT}/documents/1/remove"),
    "apply_review": Shot.of_applicant(f"{_DRAFT}/review"),
    "apply_discard": Shot.of_applicant(f"{_DRAFT}/discard"),
    "apply_confirmation": Shot.of_applicant(f"{_SUBMITTED}/confirmation"),
    "apply_confirmation_printed": Shot.of_applicant(
        f"{_SUBMITTED}/confirmation", printed, widths=(PAPER,)
    ),
    "not_found": Shot("/nowhere", None),
    "home": Shot("/home"),
    "home_menu": Shot("/home", act=menu_opened, widths=(PHONE,)),
    "home_printed": Shot("/home", act=printed, widths=(PAPER,)),
    "payments": Shot("/payments?way=sent"),
    "payments_page_2": Shot("/payments?way=sent&page=2"),
    "payments_wrong": Shot("/payments?way=sent", act=dates_crossed),
    "payments_all": Shot("/payments/all?way=sent"),
    "payments_printed": Shot("/payments/all?way=sent", act=printed, widths=(PAPER,)),
    "cases": Shot("/cases"),
    "case": Shot("/cases/1"),
    "appointments": Shot("/appointments"),
    "appointment_confirmed": Shot("/appointments", act=confirmed),
    "reschedule": Shot("/appointments/1/reschedule"),
    "reschedule_court": Shot("/appointments/2/reschedule"),
    "appointment_moved": Shot("/appointments", act=answered_late),
    "documents": Shot("/documents"),
    "documents_on_paper": Shot("/documents", PAYER),
    "messages": Shot("/messages"),
    "message_sent": Shot("/messages", act=message_written),
    "message_history": Shot("/messages?case=1"),
    "profile": Shot("/profile"),
    "profile_email_changed": Shot("/profile/email", act=email_changed, leads_to="/profile"),
    "profile_protected": Shot("/profile", PROTECTED),
    "email": Shot("/profile/email"),
    "address": Shot("/profile/address"),
    "address_doubted": Shot("/profile/address", act=address_doubted),
    "address_protected": Shot("/profile/address", PROTECTED),
    "phone": Shot("/profile/phone"),
    "change_pin": Shot("/profile/pin"),
    "change_pin_wrong": Shot("/profile/pin", act=sent_empty),
    "language": Shot("/profile/language"),
    "ecommunications": Shot("/profile/ecommunications"),
    "ecommunications_offer": Shot("/profile/ecommunications", PAYER),
    "ecommunications_sample": Shot(
        "/profile/ecommunications",
        PAYER,
        act=sample_made,
        leads_to="/profile/ecommunications/sample",
    ),
    "ecommunications_wrong": Shot(
        "/profile/ecommunications",
        PAYER,
        act=code_wrong,
        leads_to="/profile/ecommunications/sample",
    ),
    "ecommunications_withdraw": Shot("/profile/ecommunications/withdraw"),
    "reminders": Shot("/profile/reminders"),
    "home_came_back": Shot("/home", PROTECTED),
    "profile_came_back": Shot("/profile", PROTECTED),
    "other_party": Shot("/profile/other-party"),
    "session_dialog": Shot("/home", act=left_alone),
}
