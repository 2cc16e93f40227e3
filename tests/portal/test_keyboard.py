"""Every task of a parent, done with a keyboard alone, and what the database says of it then."""

import re
from typing import Any, Final

import pytest
from playwright.async_api import Page

from engine.caseload.personal import FIELDS, MESSAGE, REPORT, WISH
from engine.security.sessions import Stage
from tests.database_rows import execute, fetch
from tests.portal.browsing import FULL, PHONE, Keys, Windows, words_of
from tests.portal.portal_server import MONDAY_NOON, PARTICIPANT, Portal, give_pin
from tests.portal.views import furnish
from tests.portal.world import PAYER, World

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.full]

PIN, TEMPORARY, NEW = "481902", "730164", "592710"
SUBMIT: Final = "main form button[type=submit]"
SUMMARY: Final = ".summary"
# What shows where the keyboard is: a ring around the element, or around what its label draws for
# it. A radio button is named after its group, which is one stop.
STOP: Final = """
() => {
  const at = document.activeElement;
  if (at === document.body) return null;
  const radio = at.type === "radio";
  const shown = radio ? at.labels[0] : at;
  const box = shown.getBoundingClientRect();
  return {
    what: radio ? at.name : at.outerHTML.slice(0, 160),
    ring: [null, "::before"].map((part) => getComputedStyle(shown, part)).some(
      (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
    seen: box.width > 0 && box.left >= -1 && box.right <= innerWidth + 1
      && Math.min(box.bottom, innerHeight) - Math.max(box.top, 0) >= Math.min(box.height, 24) - 1,
  };
}
"""
# How many stops there are: what can be worked, a group of radio buttons as one.
STOPS: Final = """
() => new Set([...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((each) => each.checkVisibility() && !each.disabled && each.tabIndex >= 0)
  .map((each) => (each.type === "radio" ? each.name : each))).size
"""


@pytest.fixture
def payer(world: World) -> int:
    """Whose tasks these are."""
    return world.participants["payer"]


async def one(portal: Portal, query: str, *arguments: object) -> dict[str, Any]:
    """The one row of a query."""
    [row] = await fetch(portal.application, query, *arguments)
    return row


async def at(windows: Windows, participant: int | None, path: str) -> Keys:
    """A keyboard at the page of `path`."""
    page = await windows.open(participant)
    await page.goto(path)
    return Keys(page)


async def from_home(windows: Windows, participant: int, *links: str) -> Keys:
    """A keyboard that has gone from the Participant Home Page along `links`, in English."""
    keys = await at(windows, participant, "/en/home")
    for link in links:
        await keys.onward(f"nav a[href='/en{link}'], main a[href='/en{link}']", f"/en{link}")
    return keys


async def current(portal: Portal, participant: int, kind: str) -> dict[str, Any]:
    """A contact point as it is on file."""
    found = await one(
        portal,
        f"SELECT *, {FIELDS} AS fields FROM contact_point WHERE participant_id = $1 AND kind = $2"
        " AND superseded_at IS NULL",
        participant,
        kind,
    )
    return {**found, **found["fields"]}


async def test_ask_for_a_pin_in_spanish_with_no_script(portal: Portal, windows: Windows) -> None:
    """From the front door, past a slip, to the promised date."""
    page = await windows.open(width=PHONE, java_script_enabled=False)
    keys = Keys(page)
    await page.goto("/")
    await keys.onward("a[hreflang=es]", "/es/")
    await keys.onward("main a[href='/es/forgot-pin']", "/es/forgot-pin")
    await keys.write("first_name", PARTICIPANT.first_name)
    await keys.press("Enter")

    await page.wait_for_selector(SUMMARY)
    assert (await page.title()).startswith("Error: ")
    await keys.to(f"{SUMMARY} a[href='#last_name']")
    await keys.press("Enter")
    await keys.are_on("#last_name")
    await keys.write("last_name", PARTICIPANT.last_name)
    await keys.write("participant_id", "123 456 7890")
    await keys.choose("method", "email")
    await keys.onward(SUBMIT, "/es/forgot-pin/sent")
    assert "martes, 24 de noviembre de 2026" in await page.inner_text("main")
    assert await portal.recorded() == 1


async def test_sign_in_with_a_temporary_pin_and_choose_one(
    portal: Portal, payer: int, windows: Windows
) -> None:
    """From the front door to the Participant Home Page; the PIN is the participant's own then."""
    await give_pin(portal.application, payer, TEMPORARY, "temporary")
    keys = await at(windows, None, "/es/")
    await keys.onward("main a[href='/es/login']", "/es/login")
    await keys.write("participant_id", PAYER.external_id)
    await keys.write("pin", TEMPORARY)
    await keys.onward("#pin", "/es/choose-pin")
    await keys.write("new_pin", NEW)
    await keys.write("confirm_pin", NEW)
    await keys.onward(SUBMIT, "/es/home")
    live = await one(
        portal,
        "SELECT kind FROM pin_credential WHERE participant_id = $1 AND used_at IS NULL"
        " AND voided_at IS NULL",
        payer,
    )
    assert live == {"kind": "chosen"}


async def test_find_payments(portal: Portal, payer: int, windows: Windows) -> None:
    """A case and a day are chosen, the next page turned to, and then all pages printed at once:
    every payment that the database has is a row there."""
    keys = await from_home(windows, payer, "/payments")
    await keys.to("#case")
    await keys.press("ArrowDown")
    await keys.write("from", "1/1/2025")
    await keys.onward(SUBMIT, "from=1%2F1%2F2025*")
    await keys.onward("main a[href*='page=2']", "page=2")
    assert len(await keys.page.query_selector_all("main tbody tr")) > 0
    await keys.onward("main a[href*='/payments/all']", "/en/payments/all?*")
    since = await one(
        portal,
        "SELECT count(*) AS number FROM payment WHERE participant_id = $1"
        " AND paid_on >= '2025-01-01'",
        payer,
    )
    dates = await keys.page.query_selector_all("main tbody th[data-label]")
    assert len(dates) == since["number"] > 20


async def test_confirm_an_appointment(portal: Portal, payer: int, windows: Windows) -> None:
    """Its button is pressed with Space."""
    keys = await from_home(windows, payer, "/appointments")
    await keys.onward("form[action$='/confirm'] button", "/en/appointments", "Space")
    assert await one(portal, "SELECT answer FROM appointment_answer") == {"answer": "confirmed"}


async def test_ask_for_another_time(portal: Portal, payer: int, windows: Windows) -> None:
    """With a wish of two lines."""
    keys = await from_home(windows, payer, "/appointments")
    await keys.onward("main a[href$='/reschedule']", "/reschedule")
    await keys.write("wish", "Mornings")
    await keys.press("Enter")
    await keys.page.keyboard.type("or Fridays")
    await keys.onward(SUBMIT, "/en/appointments")
    assert await one(portal, f"SELECT answer, {WISH.read()} AS wish FROM appointment_answer") == {
        "answer": "reschedule",
        "wish": "Mornings\nor Fridays",
    }


@pytest.mark.parametrize(
    ("path", "kind", "typed"),
    [
        ("/profile/email", "email", {"email": "new@example.com"}),
        pytest.param("/profile/phone", "phone", {"phone": "+19165550199"}, marks=FULL),
        (
            "/profile/address",
            "mail",
            {"addr1": "900 EXAMPLE AVE", "city": "SACRAMENTO", "state": "CA", "zip5": "95814"},
        ),
    ],
)
async def test_change_a_contact(
    portal: Portal, payer: int, windows: Windows, *, path: str, kind: str, typed: dict[str, str]
) -> None:
    """Email, phone and address, with the answer that it is not safe to use."""
    keys = await from_home(windows, payer, "/profile", path)
    for field, words in typed.items():
        await keys.write(field, words)
    await keys.choose("safe", "no")
    if await keys.page.query_selector("#tell_old-yes"):
        await keys.choose("tell_old", "yes")
    await keys.onward(SUBMIT, "/en/profile")
    found = await current(portal, payer, kind)
    assert {field: found[field] for field in typed} == typed
    assert found["safe_to_use"] is False


async def test_change_the_pin(portal: Portal, payer: int, windows: Windows) -> None:
    """The old one is void, the new one is hashed."""
    await give_pin(portal.application, payer, PIN)
    keys = await from_home(windows, payer, "/profile", "/profile/pin")
    await keys.write("current_pin", PIN)
    await keys.write("new_pin", NEW)
    await keys.write("confirm_pin", NEW)
    await keys.onward(SUBMIT, "/en/profile")
    rows = await fetch(
        portal.application, "SELECT voided_at IS NULL AS live FROM pin_credential ORDER BY id"
    )
    assert rows == [{"live": False}, {"live": True}]


async def test_enrol_in_ecommunications_and_withdraw(
    portal: Portal, payer: int, windows: Windows
) -> None:
    """What it means is read, the sample is opened and its code typed: on, and off again."""
    place, enrolled = (
        "/en/profile/ecommunications",
        "SELECT paperless FROM participant WHERE id = $1",
    )
    keys = await from_home(windows, payer, "/profile", place.removeprefix("/en"))
    await keys.onward(SUBMIT, f"{place}/sample")
    await keys.to(f"main a[href='{place}/sample.pdf']")
    pdf = await (await keys.page.request.get(f"{place}/sample.pdf")).body()
    code = re.search(r"(?:[A-Z0-9] ){5}[A-Z0-9]", words_of(pdf))
    assert code
    await keys.write("code", code[0])
    await keys.onward(SUBMIT, "/en/profile")
    assert await one(portal, enrolled, payer) == {"paperless": True}
    await keys.onward(f"main a[href='{place}']", place)
    await keys.onward(f"main a[href='{place}/withdraw']", f"{place}/withdraw")
    await keys.onward(SUBMIT, "/en/profile")
    assert await one(portal, enrolled, payer) == {"paperless": False}


async def test_choose_the_language_of_notices(portal: Portal, payer: int, windows: Windows) -> None:
    """English, where it was Spanish."""
    keys = await from_home(windows, payer, "/profile", "/profile/language")
    await keys.choose("notices", "en")
    await keys.onward(SUBMIT, "/en/profile")
    assert await one(portal, "SELECT language FROM participant WHERE id = $1", payer) == {
        "language": "en"
    }


async def test_provide_the_other_partys_information(
    portal: Portal, payer: int, windows: Windows
) -> None:
    """For the case that is chosen from a list."""
    await execute(portal.application, "DELETE FROM other_party_report")
    keys = await from_home(windows, payer, "/profile", "/profile/other-party")
    await keys.to("#case")
    await keys.press("ArrowDown")
    await keys.write("employer", "Example Bakery")
    await keys.onward(SUBMIT, "/en/profile/other-party")
    reported = await one(
        portal, f"SELECT {REPORT.read(form='fields')} AS facts FROM other_party_report"
    )
    assert reported == {"facts": {"employer": "Example Bakery"}}


async def test_write_a_message(portal: Portal, payer: int, windows: Windows) -> None:
    """To the caseworker of a case that is chosen from a list."""
    keys = await from_home(windows, payer, "/messages")
    await keys.to("#case")
    await keys.press("ArrowDown")
    await keys.write("body", "When is my payment due?")
    await keys.onward(SUBMIT, "/en/messages")
    written = await one(
        portal, f"SELECT {MESSAGE.read()} AS body FROM caseworker_message ORDER BY id DESC LIMIT 1"
    )
    assert written == {"body": "When is my payment due?"}


async def test_open_a_document(portal: Portal, world: World, payer: int, windows: Windows) -> None:
    """Its link opens it in the browser, and it counts as read."""
    await furnish(portal, world)
    await execute(portal.application, "UPDATE document SET opened_at = NULL")
    keys = await from_home(windows, payer, "/documents")
    await keys.onward("main a[href$='/1.pdf']", "/en/documents/1.pdf")
    opened = await one(portal, "SELECT opened_at FROM document WHERE id = 1")
    assert opened == {"opened_at": MONDAY_NOON}


async def test_log_out(portal: Portal, payer: int, windows: Windows) -> None:
    """The session is over, not only its cookie."""
    keys = await at(windows, payer, "/en/home")
    await keys.onward("form[action$='/log-out'] button", "/en/")
    assert (await one(portal, "SELECT ended_at FROM portal_session"))["ended_at"] == MONDAY_NOON


@pytest.mark.parametrize("path", [pytest.param("/en/", marks=FULL), "/es/home"])
async def test_skip_to_the_main_content(payer: int, windows: Windows, path: str) -> None:
    """The first stop, which can be seen there, leads past what every page begins with."""
    keys = await at(windows, payer, path)
    await keys.press("Tab")
    await keys.are_on("a[href='#main']")
    assert (await keys.page.evaluate(STOP))["seen"]
    await keys.press("Enter")
    await keys.are_on("#main")
    await keys.press("Tab")
    assert await keys.page.evaluate("document.activeElement.closest('main') !== null")


async def test_open_the_menu_of_a_phone(payer: int, windows: Windows) -> None:
    """It opens with Space, shuts with Enter, and leads on."""
    page = await windows.open(payer, width=PHONE)
    await page.goto("/es/home")
    keys = Keys(page)
    menu = "details:has(a[href='/es/messages'])"
    await keys.to(f"{menu} > summary")
    for key, state in (("Space", "[open]"), ("Enter", ":not([open])"), ("Enter", "[open]")):
        await keys.press(key)
        await page.wait_for_selector(f"{menu}{state}")
    await keys.onward("nav a[href='/es/messages']", "/es/messages")


FORMS: Final = {
    "/en/login": "participant_id",
    "/en/register": "first_name",
    "/en/payments": "from",
    "/en/messages": "body",
    "/en/profile/email": "email",
    "/en/profile/phone": "phone",
    "/en/profile/address": "city",
    "/en/profile/pin": "new_pin",
    "/en/profile/other-party": "address",
}
"""Each form, and a field of it in which something wrong can be typed."""


async def test_an_error_leads_to_its_field(payer: int, windows: Windows) -> None:
    """Of every form: the summary has the focus, the next stop is its link, and that leads to the
    field, which says of itself that it is wrong, and by what words."""
    page = await windows.open(payer)
    for path, field in FORMS.items():
        await page.goto(path)
        await _slip(page, Keys(page), field)
    half_in = await windows.open(payer, stage=Stage.PIN_CHANGE)
    await half_in.goto("/en/choose-pin")
    await _slip(half_in, Keys(half_in), "new_pin")


async def _slip(page: Page, keys: Keys, field: str) -> None:
    await keys.write(field, "x")
    if field != "from":
        await keys.press("Backspace")
    await keys.to(SUBMIT)
    await keys.press("Enter")
    await keys.are_on(SUMMARY)
    await keys.press("Tab")
    await keys.are_on(f":nth-match({SUMMARY} a, 1)")
    await keys.to(f"{SUMMARY} a[href='#{field}']")
    await keys.press("Enter")
    await keys.are_on(f"#{field}[aria-invalid=true]")
    told = await page.get_attribute(f"#{field}", "aria-describedby")
    assert told
    assert (await page.inner_text(f"#{told.split()[-1]}")).strip()


@pytest.mark.parametrize(
    ("path", "signed_in"),
    [
        ("/", False),
        pytest.param("/forgot-pin", False, marks=FULL),
        pytest.param("/login", False, marks=FULL),
        pytest.param("/home", True, marks=FULL),
        ("/payments", True),
        pytest.param("/profile", True, marks=FULL),
        ("/profile/email", True),
    ],
)
async def test_the_focus_is_seen_and_never_caught(
    payer: int, windows: Windows, path: str, *, signed_in: bool
) -> None:
    """Tab stops once at everything that can be worked, then leaves the page; Shift+Tab goes the
    same way back. Wherever it stops, there is a ring, within the window."""
    page = await windows.open(payer if signed_in else None)
    await page.goto(f"/en{path}")
    number = await page.evaluate(STOPS)
    there = await _stops(page, "Tab", number)
    assert len(there) == number
    await page.keyboard.press("Tab")
    assert await page.evaluate(STOP) is None
    assert await _stops(page, "Shift+Tab", number) == there[::-1]


async def _stops(page: Page, key: str, number: int) -> list[str]:
    stops: list[str] = []
    for _ in range(number):
        await page.keyboard.press(key)
        stop = await page.evaluate(STOP)
        assert stop is not None, stops
        assert stop["ring"], stop
        assert stop["seen"], stop
        stops.append(stop["what"])
    return stops
