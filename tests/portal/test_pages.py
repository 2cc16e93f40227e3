"""The pages seen signed out: what they say, to whom, and what they leave behind."""

import asyncio
import re
from typing import Any

import httpx
import pytest
import time_machine
from redis.asyncio import Redis
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from engine.portal.tokens import FORM_SECONDS
from engine.settings import Settings
from tests import people
from tests.database_rows import fetch
from tests.portal.page_reader import Page
from tests.portal.portal_server import (
    MONDAY_NOON,
    NOBODY,
    PARTICIPANT,
    TYPED,
    Portal,
    form_token,
    portal_over,
    send_form,
)

PATHS = ("/", "/forgot-pin")


async def test_front_door_opens_in_the_readers_language(portal: Portal) -> None:
    """`/` leads to the language the browser asks for; the language last read goes before it."""
    browser = portal.browser(**{"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"})
    assert (await browser.get("/")).headers["Location"] == "/es/"
    await browser.get("/en/")
    assert (await browser.get("/")).headers["Location"] == "/en/"
    assert (await browser.get("/forgot-pin")).headers["Location"] == "/en/forgot-pin"


@pytest.mark.parametrize("language", ["en", "es"])
async def test_home_says_how_to_reach_the_service(portal: Portal, language: str) -> None:
    """The home page gives the phone, TTY and abroad numbers as links, in both languages."""
    page = Page((await portal.browser().get(f"/{language}/")).text)
    assert page.all("html", lang=language)
    for number in ("+18669013212", "+18663994096", "+14082730073"):
        assert page.all("a", href=f"tel:{number}")
    assert page.all("a", class_="usa-button usa-button--accent-warm", href=f"/{language}/login")
    for path in ("register", "forgot-pin"):
        assert page.all("a", href=f"/{language}/{path}")


async def test_who_registers_is_not_told_of_a_pin_in_use(portal: Portal) -> None:
    """It asks what *Forgot PIN?* asks, of people who have none yet."""
    browser = portal.browser()
    said = "Your current PIN works until you use the temporary one."
    assert said in Page((await browser.get("/en/forgot-pin")).text).words
    assert said not in Page((await browser.get("/en/register")).text).words


async def test_a_page_that_is_not_there_leads_on(portal: Portal) -> None:
    """Signed out, to the home page and to a PIN; signed in, back inside."""
    signed_out = Page((await portal.browser().get("/en/nowhere")).text)
    assert signed_out.all("a", href="/en/forgot-pin")
    signed_in = Page((await (await portal.signed_in(1)).get("/en/nowhere")).text)
    assert signed_in.all("a", href="/en/home")
    assert not signed_in.all("a", href="/en/forgot-pin")


@pytest.mark.parametrize("path", PATHS)
async def test_language_button_lands_on_the_same_page(portal: Portal, path: str) -> None:
    """The button carries its own language and leads to the same page in it, and back."""
    browser = portal.browser()
    english = Page((await browser.get(f"/en{path}")).text)
    [button] = english.all("a", class_="language")
    assert button.attributes | {"class": "language"} == {
        "class": "language",
        "href": f"/es{path}",
        "lang": "es",
        "hreflang": "es",
    }
    spanish = Page((await browser.get(button.attributes["href"])).text)
    assert spanish.all("html", lang="es")
    assert spanish.all("a", class_="language")[0].attributes["href"] == f"/en{path}"


async def test_no_link_is_dead(portal: Portal) -> None:
    """Every link, picture and style of every page leads somewhere."""
    browser = portal.browser()
    found = set()
    answered = await send_form(browser)
    for path in ("/en/", "/es/", "/en/forgot-pin", answered.headers["Location"], "/en/nowhere"):
        page = Page((await browser.get(path)).text)
        found |= {
            element.attributes[name]
            for element in page.elements
            for name in ("href", "src", "action")
            if element.attributes.get(name, "").startswith("/")
        }
    assert len(found) >= 8
    for path in sorted(found):
        assert (await browser.get(path)).status_code == 200, path


async def test_demonstration_is_named_until_the_profile_is_official(
    portal: Portal, settings: Settings
) -> None:
    """Every page says Demonstration; one of an official profile says whose site it is instead."""
    page = await portal.browser().get("/es/")
    assert "Demostración" in Page(page.text).words
    official = settings.agency.model_copy(update={"official": True})
    async with portal_over(settings.model_copy(update={"agency": official})) as ours:
        words = Page((await ours.browser().get("/en/")).text).words
    assert "Demonstration" not in words
    assert "An official website of the State of California" in words


@pytest.mark.parametrize(
    ("language", "method", "says"),
    [
        ("en", "email", "Tuesday, November 24, 2026"),
        ("en", "mail", "Wednesday, December 9, 2026"),
        ("es", "email", "martes, 24 de noviembre de 2026"),
        ("es", "mail", "miércoles, 9 de diciembre de 2026"),
    ],
)
async def test_confirmation_says_the_day_it_should_arrive_by(
    portal: Portal, language: str, method: str, says: str
) -> None:
    """A request is answered by a redirect to a page whose URL says nothing, and which tells the
    date that was promised."""
    browser = portal.browser()
    answered = await send_form(browser, language, method=method)
    assert (answered.status_code, answered.text) == (303, "")
    assert answered.headers["Location"] == f"/{language}/forgot-pin/sent"
    page = Page((await browser.get(answered.headers["Location"])).text)
    assert says in page.words
    assert page.all("time", datetime="2026-11-24" if method == "email" else "2026-12-09")
    [request] = await fetch(portal.application, "SELECT * FROM pin_request")
    assert request["participant_id"] is not None
    assert (request["method"], request["language"]) == (method, language)
    assert request["requested_at"] == MONDAY_NOON


async def test_confirmation_without_a_request_leads_to_the_form(portal: Portal) -> None:
    """Nobody is told that a PIN is on its way who did not ask for one, whatever they forge."""
    browser = portal.browser()
    for cookie in (None, "W-1", "WyJlbWFpbCIsIjIwMjYtMTEtMjQiXQ.aaaa.bbbb"):
        if cookie:
            browser.cookies.set("promise", cookie, domain="portal.example")
        answered = await browser.get("/es/forgot-pin/sent")
        assert (answered.status_code, answered.headers["Location"]) == (303, "/es/forgot-pin")


async def both_answers(portal: Portal, **typed: str) -> list[tuple[Any, ...]]:
    """What a browser sees of a request, from the answer to the confirmation."""
    browser = portal.browser()
    answered = await send_form(browser, "es", **typed)
    confirmed = await browser.get(answered.headers["Location"])
    return [_seen(answered), _seen(confirmed)]


def _seen(response: httpx.Response) -> tuple[Any, ...]:
    # A signed cookie holds the second it was signed in: only its own words are compared.
    cookies = re.findall(r"(\w+)=([^;.]+)[^;]*(;[^,]*)", response.headers.get("Set-Cookie", ""))
    headers = {name: value for name, value in response.headers.items() if name != "set-cookie"}
    return response.status_code, response.content, headers, cookies


@pytest.mark.parametrize("method", ["email", "mail"])
async def test_answer_is_the_same_whether_or_not_anyone_matched(
    portal: Portal, method: str
) -> None:
    """Status, headers, cookies and every byte of both pages are the same for a participant, for a
    wrong name, and for nobody."""
    matched = await both_answers(portal, method=method)
    assert await both_answers(portal, method=method, last_name="Otra") == matched
    assert await both_answers(portal, method=method, **NOBODY) == matched
    known = await fetch(portal.application, "SELECT participant_id FROM pin_request ORDER BY id")
    assert [row["participant_id"] is None for row in known] == [False, True, True]


async def test_work_is_the_same_whether_or_not_anyone_matched(portal: Portal, redis: Redis) -> None:
    """The same SQL statements run, in the same order, and Redis is told as much."""
    statements: list[str] = []

    def listen(connection: Any, _record: Any) -> None:
        connection.driver_connection.add_query_logger(lambda query: statements.append(query.query))

    event.listen(portal.engine.sync_engine.pool, "connect", listen)

    async def work(**typed: str) -> tuple[list[str], dict[str, int]]:
        statements.clear()
        await redis.config_resetstat()
        assert (await send_form(portal.browser(), **typed)).status_code == 303
        await asyncio.sleep(0)  # asyncpg calls its query loggers at the loop's next turn
        told = await redis.info("commandstats")
        return list(statements), {command: used["calls"] for command, used in told.items()}

    await send_form(portal.browser(), participant_id="5555555555")
    matched = await work()
    assert any("INSERT INTO pin_request" in statement for statement in matched[0])
    assert "cmdstat_zadd" in matched[1]
    assert await work(last_name="Otra") == matched
    assert await work(**NOBODY) == matched


async def test_networks_are_limited_apart(settings: Settings, portal: Portal) -> None:
    """Over its rate a network is told so in its own language, and when to try again; nothing more
    is read from it, and its neighbours are served."""
    async with portal_over(settings.model_copy(update={"forgot_pin_rate": "2/hour"})) as limited:
        for address in ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"):
            assert (await send_form(limited.browser(address))).status_code == 303
        over = limited.browser("2001:db8:0:1::3")
        for language, words in (("en", "Too many requests"), ("es", "Demasiadas solicitudes")):
            refused = await send_form(over, language)
            assert refused.status_code == 429
            assert 0 < int(refused.headers["Retry-After"]) <= 3600
            assert words in Page(refused.text).words
        assert (await send_form(limited.browser("2001:db8:0:2::1"))).status_code == 303
        assert await limited.recorded() == 3


async def test_asking_too_often_for_one_participant_looks_like_success(
    settings: Settings, portal: Portal
) -> None:
    """Beyond the participant's rate nothing is taken down, and nobody can tell."""
    rates = {"forgot_pin_rate_per_participant": "2/hour", "forgot_pin_rate": "100/minute"}
    async with portal_over(settings.model_copy(update=rates)) as limited:
        first = await both_answers(limited)
        for name in ("MARIA JOSE", "maría  josé", "María-José"):
            assert await both_answers(limited, first_name=name) == first
        assert await limited.recorded() == 2


async def test_knowing_a_number_alone_does_not_keep_its_owner_out(
    settings: Settings, portal: Portal
) -> None:
    """Whoever tries a number under other names uses up nothing of its owner's."""
    rates = {"forgot_pin_rate_per_participant": "1/hour", "forgot_pin_rate": "100/minute"}
    async with portal_over(settings.model_copy(update=rates)) as limited:
        for name in ("Ana", "Eva"):
            await send_form(limited.browser(), first_name=name)
        await send_form(limited.browser())
        known = await fetch(limited.application, "SELECT participant_id FROM pin_request")
        assert [row["participant_id"] is None for row in known] == [True, True, False]


async def test_faults_are_told_at_once_and_lead_to_their_fields(portal: Portal) -> None:
    """A form with faults comes back with 422, a title that says so, a summary in focus whose links
    lead to the fields, and each fault tied to its field."""
    answered = await send_form(
        portal.browser(), first_name=" ", last_name="", participant_id="12", method="fax"
    )
    assert answered.status_code == 422
    assert "<title>Error: " in answered.text
    page = Page(answered.text)
    assert page.all("div", role="alert", tabindex="-1", autofocus="")
    ids = page.ids()
    assert len(ids) == len(set(ids))
    links = [found.attributes["href"] for found in page.all("a") if "href" in found.attributes]
    for field in ("first_name", "last_name", "participant_id", "method-email"):
        assert f"#{field}" in links
        [control] = page.all("input", id=field)
        assert control.attributes["aria-invalid"] == "true"
        described = control.attributes["aria-describedby"].split()
        assert f"{field.partition('-')[0]}-fault" in described
        assert set(described) <= set(ids)
    assert await portal.recorded() == 0


async def test_what_was_typed_stays_and_is_only_text(portal: Portal) -> None:
    """A form that comes back holds what was typed, and none of it becomes markup."""
    hostile = '"><script>alert(1)</script>{{ 7*7 }}'
    answered = await send_form(portal.browser(), first_name=hostile, participant_id="12 3")
    page = Page(answered.text)
    assert page.all("input", id="first_name", value=hostile)
    assert page.all("input", id="participant_id", value="12 3")
    assert page.all("input", id="method-email", checked="")
    assert all("src" in script.attributes for script in page.all("script"))


async def test_number_may_be_typed_in_groups(portal: Portal) -> None:
    """Spaces and dashes inside a Participant ID Number are not the reader's fault."""
    answered = await send_form(portal.browser(), participant_id=" 123-456 78–90 ")
    assert answered.status_code == 303
    [request] = await fetch(portal.application, "SELECT participant_id FROM pin_request")
    assert request["participant_id"] is not None


async def test_form_of_another_browser_is_refused(portal: Portal) -> None:
    """A form without this browser's own token is not acted upon; it comes back, ready to send."""
    ours, theirs = portal.browser(), portal.browser()
    token = form_token((await theirs.get("/en/forgot-pin")).text)
    without = await portal.browser().post("/en/forgot-pin", data=TYPED | {"form_token": token})
    await ours.get("/en/forgot-pin")
    crossed = await ours.post("/en/forgot-pin", data=TYPED | {"form_token": token})
    missing = await ours.post("/en/forgot-pin", data=TYPED)
    assert [answer.status_code for answer in (without, crossed, missing)] == [403, 403, 403]
    assert await portal.recorded() == 0
    again = TYPED | {"form_token": form_token(missing.text)}
    assert (await ours.post("/en/forgot-pin", data=again)).status_code == 303


async def test_form_left_open_for_a_day_is_refused(portal: Portal) -> None:
    """A token grows old, and the form that comes back keeps what was typed."""
    browser = portal.browser()
    token = form_token((await browser.get("/es/forgot-pin")).text)
    with time_machine.travel(MONDAY_NOON, tick=True) as traveller:
        token = form_token((await browser.get("/es/forgot-pin")).text)
        traveller.shift(FORM_SECONDS + 1)
        old = await browser.post("/es/forgot-pin", data=TYPED | {"form_token": token})
    assert old.status_code == 403
    assert Page(old.text).all("input", id="last_name", value=PARTICIPANT.last_name)


async def test_logs_know_no_person(portal: Portal) -> None:
    """What is typed, the reader's address and query strings never reach a log."""
    with capture_logs() as logs:
        browser = portal.browser("198.51.100.77")
        await browser.get("/en/?name=Telltale")
        await send_form(browser)
        await send_form(browser, participant_id="77")
    told = repr(logs).lower()
    assert len([line for line in logs if line["event"] == "request"]) == 5
    for secret in ("198.51.100.77", "telltale", "josé", "núñez", PARTICIPANT.external_id):
        assert secret not in told


async def test_two_crowds_at_once_are_each_answered(
    settings: Settings, database: AsyncEngine, redis: Redis
) -> None:
    """More requests at once than there are connections are all taken down."""
    await people.add(database, *people.crowd(40))
    wide = settings.model_copy(update={"forgot_pin_rate": "1000/minute"})
    async with portal_over(wide) as portal:
        answers = await asyncio.gather(
            *(
                send_form(portal.browser(), participant_id=person.external_id)
                for person in people.crowd(40)
            )
        )
        assert {answer.status_code for answer in answers} == {303}
        assert await portal.recorded() == 40
