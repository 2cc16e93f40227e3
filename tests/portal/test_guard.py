"""What stands around every page."""

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from structlog.testing import capture_logs

from engine.caseload.pin_requests import PinRequests
from engine.i18n import translations
from engine.portal.app import places
from engine.portal.error_pages import WORDED
from engine.settings import Settings
from tests.portal.page_reader import Page
from tests.portal.portal_server import PARTICIPANT, Portal, portal_over, send_form

PATHS = (
    "/",
    "/en/",
    "/es/forgot-pin",
    "/es/forgot-pin/sent",
    "/nowhere",
    "/health/live",
    "/metrics",
)


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_protecting_headers(portal: Portal, path: str) -> None:
    """No answer may be framed, sniffed, scripted or kept; none tells where its reader came from."""
    protected((await portal.browser().get(path)).headers)


def protected(headers: httpx.Headers) -> None:
    """What every answer carries."""
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in headers["Cache-Control"]
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("signed_in", [False, True])
async def test_so_does_every_page_and_every_refusal(portal: Portal, signed_in: bool) -> None:
    """Opened or sent a form to, with what is there and with what is not."""
    browser = await portal.signed_in(1) if signed_in else portal.browser()
    ids = {"case_id": 1, "appointment_id": 1, "document_id": 1, "token": "A" * 43}
    for place in places():
        for method in ("GET", "HEAD", "POST", "PUT"):
            answered = await browser.request(method, f"/es{place.path.format_map(ids)}")
            protected(answered.headers)
            assert answered.status_code < 500, (method, place.path)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("signed_in", [False, True])
async def test_what_only_takes_a_form_cannot_be_opened(
    portal: Portal, signed_in: bool, language: str
) -> None:
    """405 with Allow, as a page in its language that leads on."""
    browser = await portal.signed_in(1) if signed_in else portal.browser()
    only = [place.path for place in places() if place.methods == ("POST",)]
    assert len(only) >= 4
    for path in only:
        answered = await browser.get(f"/{language}{path.format(appointment_id=1)}")
        assert answered.status_code == 405, path
        assert answered.headers["Allow"] == "POST"
        page = Page(answered.text)
        assert page.all("html", lang=language)
        assert page.all("a", href=f"/{language}/{'home' if signed_in else ''}")


async def test_https_portal_asks_for_https_and_secure_cookies(
    settings: Settings, database: AsyncEngine, redis: Redis
) -> None:
    """Reached by HTTPS, cookies are Secure and HttpOnly, and the form's is bound to the host."""
    https = settings.model_copy(update={"public_url": "https://portal.example"})
    async with portal_over(https) as portal:
        answered = await portal.browser().get("/en/forgot-pin")
    assert "max-age" in answered.headers["Strict-Transport-Security"]
    cookies = answered.headers.get_list("Set-Cookie")
    assert len(cookies) == 2
    assert all({"Secure", "HttpOnly", "Path=/"} <= set(c.split("; ")) for c in cookies)
    assert any(cookie.startswith("__Host-form=") for cookie in cookies)


async def test_pages_have_no_inline_script_and_no_inline_style(portal: Portal) -> None:
    """What the policy forbids is not in the pages, so nothing of them is lost to it."""
    for path in ("/en/", "/es/forgot-pin", "/nowhere"):
        page = Page((await portal.browser().get(path)).text)
        assert all("src" in script.attributes for script in page.all("script"))
        assert not page.all("style")
        for element in page.elements:
            assert not {"style", "onclick", "onload"} & set(element.attributes)


async def test_unforeseen_error_is_a_page_and_tells_the_log_nothing_private(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours is answered by a page in the reader's language; the log names its type and
    the places it passed, and nothing that was typed."""

    async def fail(_self: PinRequests, *typed: str, network: str) -> None:
        raise LookupError(f"no such person: {typed} at {network}")

    monkeypatch.setattr(PinRequests, "receive", fail)
    with capture_logs() as logs:
        answered = await send_form(portal.browser(), "es")
    assert answered.status_code == 500
    said = translations("es").gettext("Something went wrong on our side")
    assert said in Page(answered.text).words
    [failed] = [line for line in logs if line["event"] == "request_failed"]
    assert failed["error"] == "LookupError"
    assert any("front.py" in place for place in failed["passed"])
    assert PARTICIPANT.external_id not in repr(logs)


async def test_database_that_is_away_is_worth_trying_again(
    settings: Settings, redis: Redis
) -> None:
    """503, with when to come back."""
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:9/nothing")
    async with portal_over(settings.model_copy(update={"database_url": nowhere})) as portal:
        answered = await send_form(portal.browser(), "en")
    assert answered.status_code == 503
    assert answered.headers["Retry-After"] == "60"
    assert "not available right now" in Page(answered.text).words


@pytest.mark.parametrize("method", ["PUT", "DELETE", "BREW"])
async def test_other_methods_are_told_what_is_allowed(portal: Portal, method: str) -> None:
    """405 with Allow, as a page."""
    answered = await portal.browser().request(method, "/es/forgot-pin")
    assert answered.status_code == 405
    assert {"GET", "POST"} <= set(answered.headers["Allow"].split(", "))
    assert Page(answered.text).all("html", lang="es")


async def test_every_failure_is_a_page_of_its_own_status(portal: Portal) -> None:
    """Whatever fails, however: the status, a page in the language of the path that is worded for
    it, with a way on; and nothing of what failed."""
    portal.app.add_route("/{language}/fails/{status:int}", fails)
    for language in ("en", "es"):
        titles = set()
        for status in (*WORDED, 403, 409, 418, 501):
            answered = await portal.browser().get(f"/{language}/fails/{status}")
            assert answered.status_code == status
            protected(answered.headers)
            page = Page(answered.text)
            assert page.all("html", lang=language)
            assert page.all("a", href=f"/{language}/")
            assert "Telltale" not in answered.text
            titles.add(answered.text.partition("<title>")[2].partition("</title>")[0])
        # 415 reads as 400 does; others borrow its words, or those of 500.
        assert len(titles) == len(WORDED) - 1


async def fails(request: Request) -> Response:
    """A place that fails in the way its address says."""
    status = request.path_params["status"]
    known = {500: RuntimeError("Telltale"), 503: ConnectionError("Telltale")}
    raise known.get(status) or HTTPException(status, "Telltale")


@pytest.mark.parametrize(
    "path", ["/%FF", "/%00", "/en/%2e%2e/", "/" + "a" * 3000, "/en/forgot-pin/"]
)
async def test_strange_paths_are_not_found(portal: Portal, path: str) -> None:
    """Whatever is asked for, the answer is a page."""
    answered = await portal.browser().get(path)
    assert answered.status_code == 404
    assert "could not find that page" in Page(answered.text).words
