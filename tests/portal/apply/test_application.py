"""An application, page after page, as a browser without scripts walks through it."""

import re
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from engine.applications.accounts import Applicant
from engine.applications.questions import PAGES
from engine.stack.visitors import hidden_fields
from tests.applicants import add_applicant, signed_in_applicant
from tests.applications.filled import AFRAID, SAFE, fill, typed_page
from tests.database_rows import fetch
from tests.portal.portal_server import Portal

_KINDS = {page.key: page for page in PAGES}


@pytest.fixture
async def applicant(portal: Portal) -> Applicant:
    """Somebody with a confirmed account."""
    return await add_applicant(portal.application.engine)


@pytest.fixture
async def browser(portal: Portal, applicant: Applicant) -> httpx.AsyncClient:
    """A browser in which they are signed in."""
    return await signed_in_applicant(portal, applicant)


async def start(browser: httpx.AsyncClient, language: str = "en", kind: str = "open") -> str:
    """Begin an application; the path of its first page."""
    page = await browser.get(f"/{language}/apply/start")
    answer = await browser.post(
        f"/{language}/apply/start", data=hidden_fields(page.text) | {"kind": kind}
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def walk(
    browser: httpx.AsyncClient, path: str, chosen: Mapping[str, str]
) -> AsyncIterator[httpx.Response]:
    """Every page on the way to the documents, each as it is drawn."""
    for _ in range(60):
        page = await browser.get(path)
        assert page.status_code == 200, (path, page.status_code, page.headers.get("location"))
        yield page
        if path.endswith("/documents"):
            return
        slot = path.rpartition("/")[2].partition("?")[0]
        asked = _KINDS.get(slot.partition(".")[0])
        typed = typed_page(asked, chosen) if asked else {"more": "no"}
        answer = await browser.post(path, data=hidden_fields(page.text) | typed)
        assert answer.status_code == 303, (path, answer.text)
        path = answer.headers["location"]
    raise AssertionError("the application has no end")


async def filled(portal: Portal, applicant: Applicant, chosen: Mapping[str, str] = SAFE) -> str:
    """An application that is answered whole; the path of its pages."""
    async with portal.engine.begin() as connection:
        application = portal.application
        draft = await fill(application, connection, applicant.participant_id, "open", chosen)
    return f"/en/apply/applications/{draft.id}"


@pytest.mark.parametrize(
    ("language", "chosen", "way"),
    [
        pytest.param("en", SAFE, "An email", marks=pytest.mark.full),
        pytest.param("es", AFRAID, "Va en camino una carta", marks=pytest.mark.full),
    ],
)
async def test_from_the_first_page_to_the_confirmation(
    portal: Portal, browser: httpx.AsyncClient, language: str, chosen: Mapping[str, str], way: str
) -> None:
    """Every page gives its reason; the review shows what was answered; what is submitted has a
    number, which the page and the PDF show and the address does not; submitting again leads there
    again, and there is one application and one notice."""
    async for page in walk(browser, await start(browser, language), chosen):
        explained = page.text.count('class="why"') or page.url.path.endswith("/children")
        assert explained, page.url.path
    review = page.url.path.replace("/documents", "/review")
    page = await browser.get(review)
    assert "Peña-Ibáñez" in page.text
    forgotten = await browser.post(review, data=hidden_fields(page.text))
    assert forgotten.status_code == 422
    sent = hidden_fields(page.text) | {"true": "yes"}
    answers = [await browser.post(review, data=sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    done = await browser.get(review, follow_redirects=True)
    assert done.url.path.endswith("/confirmation")
    assert way in done.text
    number = re.search(r"\d{4} \d{4} \d{4}", done.text)
    assert number
    assert number[0].replace(" ", "") not in str(done.url)
    pdf = await browser.get(done.url.path + ".pdf")
    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    home = await browser.get(f"/{language}/apply/home")
    assert number[0] in home.text
    [one] = await fetch(portal.application, "SELECT language, confidential FROM application")
    assert one == {"language": language, "confidential": chosen is AFRAID}
    assert len(await fetch(portal.application, "SELECT FROM communication")) == 1


async def test_what_is_looked_over_is_submitted_once(
    portal: Portal, browser: httpx.AsyncClient, applicant: Applicant
) -> None:
    """Only with the word that it is true; sent twice it has one number, which no address shows."""
    review = await filled(portal, applicant) + "/review"
    page = await browser.get(review)
    assert (await browser.post(review, data=hidden_fields(page.text))).status_code == 422
    sent = hidden_fields(page.text) | {"true": "yes"}
    assert [(await browser.post(review, data=sent)).status_code for _ in range(2)] == [303, 303]
    done = await browser.get(review, follow_redirects=True)
    assert done.url.path.endswith("/confirmation")
    [one] = await fetch(portal.application, "SELECT number FROM application")
    assert str(one["number"])[:4] in done.text
    assert str(one["number"]) not in str(done.url)


async def test_a_page_is_gone_on_with_on_another_device(
    portal: Portal, browser: httpx.AsyncClient
) -> None:
    """What one device saved the other shows; whoever saves over it unknowingly is told what is
    there, keeps what they typed, and can save again."""
    path = await start(browser)
    first = await browser.get(path)
    typed = hidden_fields(first.text) | {"afraid": "no", "later": "yes"}
    assert (await browser.post(path, data=typed)).headers["location"] == "/en/apply/home"
    home = await browser.get("/en/apply/home")
    resumed = await browser.get(path.replace("/page/safety", ""))
    assert "/apply/applications/" in home.text
    assert resumed.headers["location"].endswith("/page/safe-email")
    name = path.replace("safety", "your-name")
    drawn = [await browser.get(name) for _ in range(2)]
    for page, value in zip(drawn, ("Ana", "Eva"), strict=True):
        form = hidden_fields(page.text) | {"first_name": value, "last_name": "Roe"}
        answer = await browser.post(name, data=form)
    assert answer.status_code == 409
    assert "Ana" in answer.text
    assert 'value="Eva"' in answer.text
    again = hidden_fields(answer.text) | {"first_name": "Eva", "last_name": "Roe"}
    assert (await browser.post(name, data=again)).status_code == 303
    assert 'value="Eva"' in (await browser.get(name)).text


async def test_nobody_else_comes_to_an_application(portal: Portal, applicant: Applicant) -> None:
    """To another applicant every page of it is not there, as if it never had been."""
    root = await filled(portal, applicant)
    other = await signed_in_applicant(
        portal, await add_applicant(portal.application.engine, "somebody.else")
    )
    for path in (
        "",
        "/page/safety",
        "/children",
        "/documents",
        "/review",
        "/discard",
        "/confirmation",
        "/confirmation.pdf",
        "/documents/1",
        "/children/1/remove",
    ):
        assert (await other.get(root + path)).status_code == 404, path
    assert (await portal.browser().get(root)).status_code == 303


async def test_a_social_security_number_is_refused(browser: httpx.AsyncClient) -> None:
    """Wherever it is typed: it is never kept."""
    path = (await start(browser)).replace("safety", "anything-else")
    page = await browser.get(path)
    answer = await browser.post(
        path, data=hidden_fields(page.text) | {"remarks": "Mine is 078-05-1120."}
    )
    assert answer.status_code == 422
    assert "Social Security Number" in answer.text


async def test_what_is_thrown_away_is_gone(
    portal: Portal, browser: httpx.AsyncClient, applicant: Applicant
) -> None:
    """A draft that is deleted leaves no answer behind."""
    path = await filled(portal, applicant) + "/discard"
    page = await browser.get(path)
    assert (await browser.post(path, data=hidden_fields(page.text))).status_code == 303
    assert await fetch(portal.application, "SELECT FROM application_answer") == []
    assert await fetch(portal.application, "SELECT FROM application_draft") == []
