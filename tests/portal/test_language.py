"""Which language a page speaks, and the button that leads to the other."""

from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.portal.app import places
from engine.portal.error_pages import WORDED
from engine.portal.language import asked_for
from engine.portal.places import Access
from engine.security.sessions import Stage
from tests.database_rows import execute
from tests.portal.filled_forms import OF_OURS, PLACES, Reader
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal
from tests.portal.test_guard import fails
from tests.portal.world import EVERYBODY, World


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-419,es;q=0.9", "es"),
        ("ES-mx", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("en;q=0.5, es;q=0.7", "es"),
        ("fr-FR,fr;q=0.9,es;q=0.5,en;q=0.4", "es"),
        ("fr", "en"),
        ("*", "en"),
        ("es;q=0", "en"),
        ("*;q=0.1,es;q=0.2", "es"),
        ("es;q=nonsense,en;q=0.1", "en"),
        ("estonian", "en"),
    ],
)
def test_better_liked_language_wins(header: str, language: str) -> None:
    """The language the browser likes better, English when it likes neither more."""
    assert asked_for(header) == language


@given(st.text(max_size=60))
def test_any_header_has_an_answer(header: str) -> None:
    """No header makes a page fail."""
    assert asked_for(header) in {"en", "es"}


async def test_path_goes_before_the_language_last_read(portal: Portal) -> None:
    """A link into Spanish shows Spanish, also to who read English; an error page likewise."""
    browser = portal.browser(**{"Accept-Language": "en"})
    await browser.get("/en/")
    for path in ("/es/forgot-pin", "/es/nowhere"):
        answered = await browser.get(path)
        assert answered.headers["Content-Language"] == "es"
        assert Page(answered.text).all("html", lang="es")
    assert browser.cookies["language"] == "es"
    assert (await browser.get("/nowhere")).headers["Content-Language"] == "es"


QUERIES = (
    "/payments?way=made&page=2&from=01/01/2020",
    "/payments?way=sent&case={case_id}&to=12%2F31%2F2026",
    "/payments?from=yesterday&to=%22%3E%3Cb%3E%26%C3%B1",
    "/payments/all?way=made&from=2020-01-01",
    "/messages?case={case_id}&page=1",
    "/documents?page=1",
    "/home?nothing=of+ours&&=",
    "/forgot-pin?from=a%20letter",
    "/login?",
)
"""Addresses that say more than a path."""
FILES = (".pdf", ".csv", ".ics")
OTHER = {"en": "es", "es": "en"}


def button_of(answer: httpx.Response) -> str:
    """Where the language button leads, which says so in its own language."""
    [button] = Page(answer.text).all("a", class_="language")
    language = answer.headers["Content-Language"]
    assert button.attributes["lang"] == button.attributes["hreflang"] == OTHER[language]
    return button.attributes["href"]


async def there_and_back(browser: httpx.AsyncClient, answer: httpx.Response, path: str) -> None:
    """The button of a page leads to the page at `path` in the other language, which is there as
    the first one was, and whose button leads back."""
    language = answer.headers["Content-Language"]
    there = button_of(answer)
    assert there == f"/{OTHER[language]}{path}"
    found = await browser.get(there)
    assert found.status_code == (await browser.get(f"/{language}{path}")).status_code, there
    assert found.headers["Content-Language"] == OTHER[language]
    assert Page(found.text).all("html", lang=OTHER[language])
    assert button_of(found) == f"/{language}{path}"


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", ["nobody", "payer", "payee", "confidential", "half signed in"])
async def test_the_button_of_every_page_leads_to_that_page(
    portal: Portal, world: World, name: str, language: str
) -> None:
    """Signed out and in, with what the address asks for besides, and back again."""
    reader = Reader(world, name if name in EVERYBODY else "payer")
    browser = portal.browser()
    if name != "nobody":
        stage = Stage.FULL if name in EVERYBODY else Stage.PIN_CHANGE
        browser = await portal.signed_in(world.participants[reader.name], stage)
    opened = [place.path for place in places() if "GET" in place.methods]
    seen = 0
    for path in (*opened, *QUERIES):
        if path.endswith(FILES):
            continue
        asked = reader.path(path)
        answer = await browser.get(f"/{language}{asked}")
        if answer.status_code != 303:
            seen += 1
            assert answer.status_code in {200, 422}, asked
            await there_and_back(browser, answer, asked.rstrip("?"))
    assert seen >= (25 if name in EVERYBODY else 8)


@pytest.mark.parametrize("language", ["en", "es"])
async def test_the_button_of_a_refused_form_leads_to_the_form(
    portal: Portal, world: World, language: str
) -> None:
    """A form that comes back with its faults came from a page that is there in both languages; one
    that is refused altogether leads home."""
    reader = Reader(world, "payer")
    refused = 0
    for place in OF_OURS:
        browser = await reader.comes(portal, place)
        _, hidden = await reader.opens(browser, place, language)
        path = reader.path(place)
        forged = await browser.post(f"/{language}{path}", data={"form_token": "x"})
        assert forged.status_code == 403
        is_form = PLACES[place].access is Access.PUBLIC
        await there_and_back(browser, forged, path if is_form else "/")
        answer = await browser.post(f"/{language}{path}", data=hidden | {"anything": "else"})
        if answer.status_code in {404, 422}:
            refused += 1
            await there_and_back(browser, answer, path)
    assert refused >= 10


_CHANGED = {
    "moved": "UPDATE appointment SET starts_at = starts_at + interval '1 hour'",
    "cancelled": "UPDATE appointment SET status = 'cancelled'",
    "past": "UPDATE appointment SET starts_at = '2026-11-01'",
}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("act", ["confirm", "reschedule"])
@pytest.mark.parametrize("change", _CHANGED)
async def test_the_button_of_an_answer_that_was_not_saved_leads_somewhere(
    portal: Portal, world: World, language: str, act: str, change: str
) -> None:
    """An appointment that was moved, cancelled or has passed since its reader saw it: the page that
    says so is there in the other language, or leads to the appointments."""
    reader = Reader(world, "payer")
    place = f"/appointments/{{appointment_id}}/{act}"
    browser = await reader.comes(portal, place)
    _, hidden = await reader.opens(browser, place, language)
    await execute(portal.application, _CHANGED[change])
    fields = hidden | {"form_id": str(uuid4()), "wish": "Later"}
    answer = await browser.post(f"/{language}{reader.path(place)}", data=fields)
    assert answer.status_code == 409
    await there_and_back(
        browser, answer, "/appointments" if act == "confirm" else reader.path(place)
    )


@pytest.mark.parametrize("signed_in", [False, True])
async def test_the_button_of_every_failure_leads_home(
    portal: Portal, world: World, signed_in: bool
) -> None:
    """What is not there, cannot be done or failed has no other language: the button of the page
    that says so leads to the home page in it."""
    portal.app.add_route("/{language}/fails/{status:int}", fails)
    browser = await portal.signed_in(1) if signed_in else portal.browser()
    for language in ("en", "es"):
        paths = [f"/fails/{status}" for status in (*WORDED, 403, 409)]
        for path in (*paths, "/nowhere", "/log-out", "/cases/99999", "/payments?page=0"):
            answer = await browser.get(f"/{language}{path}")
            if answer.status_code != 303:
                assert answer.status_code >= 400
                await there_and_back(browser, answer, "/")
