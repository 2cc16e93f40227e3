"""The main journeys over the whole stack: a browser at the portal and at the mailbox page, and the
workers as processes between them."""

import re
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page
from rich.progress import Progress

from engine.bootstrap import Application, open_application
from engine.caseload.personal import FIELDS
from engine.clock import pacific_date, system_clock
from engine.settings import load_settings
from engine.stack.stack import Stack, running_stack
from engine.stack.waiting import Watch
from tests import people
from tests.database_rows import execute, fetch
from tests.portal.browsing import PATIENCE, SUBMIT, chromium_started, on_paper, words_of
from tests.portal.portal_server import give_pin

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.full, pytest.mark.timeout(400)]

PORT: Final = 8078
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FORGETFUL: Final = people.Person("0000000101", email="forgetful@example.com")
ENROLLING: Final = people.Person("0000000102", email="enrolling@example.com")
MOVING: Final = people.Person("0000000103", email="old@example.com")
NEW_EMAIL: Final = "new@example.com"
PIN, NEW_PIN = "481902", "592710"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Servers, portal, a worker, the mailbox and the print vendor, each a process of its own; as
    the stack takes the signals of its process, they are given back after it."""
    handlers = {signum: signal.getsignal(signum) for signum in SIGNALS}
    with tempfile.TemporaryDirectory(prefix="connect-journeys-") as folder:
        settings = load_settings(
            data_dir=Path(folder) / "data",
            database_url=None,
            redis_url=None,
            smtp_url=None,
            print_env="test",
            print_drop_url=None,
            vendor_certificate=None,
            print_signing_key=None,
        )
        try:
            with running_stack(settings, PORT, 0, 1) as running:
                yield running
        finally:
            for signum, handler in handlers.items():
                signal.signal(signum, handler)


@pytest.fixture
async def application(stack: Stack) -> AsyncIterator[Application]:
    """What the stack's processes work with, to look into, and to record what the outside brings."""
    async with open_application(stack.settings) as opened:
        yield opened


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """A browser; each parent has a window of their own."""
    async with chromium_started() as browser:
        yield browser


@pytest.fixture
async def page(chromium: Browser, stack: Stack) -> AsyncIterator[Page]:
    """A parent's window."""
    context = await chromium.new_context(base_url=stack.portal_url)
    context.set_default_timeout(PATIENCE)
    yield await context.new_page()
    await context.close()


async def arrives(application: Application, person: people.Person) -> int:
    """A participant with a case in which they receive support; their id."""
    [participant] = await people.add(application.engine, person)
    await execute(
        application,
        "WITH made AS (INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES ($1, 'Alameda', 'open', '2020-02-03') RETURNING id)"
        " INSERT INTO case_party (case_id, participant_id, role) SELECT id, $2, 'payee' FROM made",
        f"{participant:015d}",
        participant,
    )
    return participant


async def is_paid(application: Application, participant: int, cents: int) -> None:
    """The case system has heard of a payment of today."""
    await execute(
        application,
        "INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents,"
        " method, paid_on) SELECT $1, case_id, $2, 'sent', $3, 'check', $4 FROM case_party"
        " WHERE participant_id = $2",
        f"P{participant}-{cents}",
        participant,
        cents,
        pacific_date(system_clock()),
    )


async def settled(stack: Stack, application: Application) -> None:
    """The workers have done all that was asked for."""
    with Progress(disable=True) as bar:
        await Watch(application, stack.supervisor, bar).until_settled("delivering")


async def mails(page: Page, stack: Stack, recipient: str) -> list[str]:
    """The words of each mail to `recipient`, as they are read on the mailbox page, newest first."""
    await page.goto(stack.servers.mailbox_url)
    links = page.get_by_role("row").filter(has_text=recipient).get_by_role("link")
    read = []
    for number in range(await links.count()):
        await links.nth(number).click()
        await page.wait_for_url("**/message/*")
        read.append(await page.locator("pre").inner_text())
        await page.go_back()
    return read


async def sign_in(page: Page, person: people.Person, pin: str, lands: str) -> None:
    """At the portal's own door, in Spanish."""
    await page.goto("/es/login")
    await page.fill("#participant_id", person.external_id)
    await page.fill("#pin", pin)
    await page.click(SUBMIT)
    await page.wait_for_url(f"**{lands}")


async def test_from_a_forgotten_pin_to_payments_on_paper(
    stack: Stack, application: Application, page: Page
) -> None:
    """Forgot PIN → the mail is opened → sign-in → the PIN is changed, as it must be → payments are
    read → and printed."""
    participant = await arrives(application, FORGETFUL)
    for cents in (48_250, 52_500):
        await is_paid(application, participant, cents)
    await page.goto("/es/forgot-pin")
    await page.fill("#first_name", FORGETFUL.first_name)
    await page.fill("#last_name", FORGETFUL.last_name)
    await page.fill("#participant_id", FORGETFUL.external_id)
    await page.click("label[for=method-email]")
    await page.click(SUBMIT)
    await page.wait_for_url("**/es/forgot-pin/sent")
    await settled(stack, application)

    [mail] = await mails(page, stack, str(FORGETFUL.email))
    found = re.search(r"^([0-9]{6})$", mail, re.MULTILINE)
    assert found
    assert FORGETFUL.external_id not in mail
    await sign_in(page, FORGETFUL, found[1], "/es/choose-pin")
    await page.fill("#new_pin", NEW_PIN)
    await page.fill("#confirm_pin", NEW_PIN)
    await page.click(SUBMIT)
    await page.wait_for_url("**/es/home")

    await page.click("a[href='/es/payments']:visible")
    await page.wait_for_url("**/es/payments")
    assert await page.locator("main tbody tr").count() == 2
    await page.click("main a[href*='/payments/all']")
    await page.wait_for_url("**/es/payments/all?*")
    paper = await on_paper(page)
    for words in (FORGETFUL.last_name, FORGETFUL.external_id, "$482.50", "$525.00", "$1,007.50"):
        assert words in paper
    await settled(stack, application)
    alert, _ = await mails(page, stack, str(FORGETFUL.email))
    assert NEW_PIN not in alert


async def test_from_enrolment_to_a_document_that_is_read(
    stack: Stack, application: Application, page: Page
) -> None:
    """Enrol, with the code of a sample → a payment is told of → its document arrives, unread, and a
    mail that says nothing of it → the PDF is opened → the mark is gone."""
    participant = await arrives(application, ENROLLING)
    await give_pin(application, participant, PIN)
    await sign_in(page, ENROLLING, PIN, "/es/home")
    await page.goto("/es/profile/ecommunications")
    await page.click(SUBMIT)
    await page.wait_for_url("**/es/profile/ecommunications/sample")
    sample = await (await page.request.get(f"{page.url}.pdf")).body()
    code = re.search(r"(?:[A-Z0-9] ){5}[A-Z0-9]", words_of(sample))
    assert code
    await page.fill("#code", code[0])
    await page.click(SUBMIT)
    await page.wait_for_url("**/es/profile")
    await is_paid(application, participant, 61_375)
    await application.notices.payments_since(pacific_date(system_clock()))
    await settled(stack, application)

    told = await mails(page, stack, str(ENROLLING.email))
    assert len(told) >= 2
    assert not any("613" in mail for mail in told)
    await page.goto("/es/home")
    await page.click("a[href='/es/documents']:visible")
    await page.wait_for_url("**/es/documents")
    unread = page.locator("main tbody .usa-tag")
    assert await unread.count() == 1
    link = page.locator("main tbody a[href$='.pdf']")
    path = str(await link.get_attribute("href"))
    await link.click()
    await page.wait_for_url("**/es/documents/*.pdf")
    pdf = await (await page.request.get(path)).body()
    assert "613.75" in words_of(pdf)
    [document] = await fetch(
        application, "SELECT opened_at FROM document WHERE participant_id = $1", participant
    )
    assert document["opened_at"]
    await page.goto("/es/documents")
    assert await link.count() == 1
    assert await unread.count() == 0


async def test_a_changed_email_is_told_at_both_addresses_and_proved(
    stack: Stack, application: Application, page: Page
) -> None:
    """Change of email → an alert at the old address and at the new one, which gets a link besides
    → the link is opened and its button pressed → the address is proved, and the link is dead."""
    participant = await arrives(application, MOVING)
    await give_pin(application, participant, PIN)
    await sign_in(page, MOVING, PIN, "/es/home")
    await page.goto("/es/profile/email")
    await page.fill("#email", NEW_EMAIL)
    await page.click("label[for=safe-yes]")
    await page.click("label[for=tell_old-yes]")
    await page.click(SUBMIT)
    await page.wait_for_url("**/es/profile")
    await settled(stack, application)

    [alert] = await mails(page, stack, str(MOVING.email))
    both = await mails(page, stack, NEW_EMAIL)
    assert len(both) == 2
    assert not any(NEW_EMAIL in mail or str(MOVING.email) in mail for mail in (alert, *both))
    [link] = [found[0] for mail in both if (found := re.search(r"http\S+/confirm-email/\S+", mail))]
    assert link.startswith(stack.portal_url)
    for status in (200, 404):
        await page.goto(link)
        async with page.expect_navigation() as answered:
            await page.click(SUBMIT)
        assert (await answered.value).status == status
    [point] = await fetch(
        application,
        f"SELECT {FIELDS} AS fields, verified_at FROM contact_point WHERE participant_id = $1"
        " AND kind = 'email' AND superseded_at IS NULL",
        participant,
    )
    assert point["fields"] == {"email": NEW_EMAIL}
    assert point["verified_at"]
