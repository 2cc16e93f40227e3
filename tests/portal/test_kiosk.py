"""A browser in a lobby: what the one before did is not there for the next."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.settings import Settings
from engine.stack.visitors import hidden_fields
from tests.applicants import add_applicant, signed_in_applicant
from tests.applications.filled import leave_everything
from tests.database_rows import fetch
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal, portal_over
from tests.portal.world import populate


@pytest.fixture
async def kiosk(settings: Settings, database: AsyncEngine, redis: Redis) -> AsyncIterator[Portal]:
    """A portal for a browser in a lobby."""
    async with portal_over(settings.model_copy(update={"kiosk": True})) as opened:
        yield opened


async def test_a_kiosk_forgets_whoever_was_there(kiosk: Portal) -> None:
    """Finishing clears cookies, cache and storage, and leads to a start in no language but the
    browser's; no field offers what was typed before, and a session is a matter of minutes."""
    browser = await signed_in_applicant(kiosk, await add_applicant(kiosk.application.engine))
    page = await browser.get("/es/apply/account")
    assert "Terminar y limpiar esta pantalla" in page.text
    for field in Page(page.text).all("input"):
        assert field.attributes.get("autocomplete", "off") == "off"
    assert 'data-session-seconds="300"' in page.text
    answer = await browser.post("/es/apply/log-out", data=hidden_fields(page.text))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/apply")
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert dict(browser.cookies) == {}
    start = await browser.get("/apply", headers={"Accept-Language": "en"})
    assert start.headers["Location"] == "/en/apply"
    assert 'data-start-again="/apply"' in (await browser.get("/en/apply/register")).text


def test_a_kiosk_shortens_every_session() -> None:
    """Those by PIN too: the browser is the same."""
    assert Settings(kiosk=True).session_idle == timedelta(minutes=5)
    assert Settings().session_idle == timedelta(minutes=15)


@pytest.mark.parametrize("in_a_lobby", [True, False])
async def test_a_kiosk_makes_no_file_to_keep(
    settings: Settings, database: AsyncEngine, redis: Redis, *, in_a_lobby: bool
) -> None:
    """Payments, appointments and applications are shown, and can be printed; files of them, which
    elsewhere are a link away, are offered by no page and given to nobody who knows their address.
    """
    async with portal_over(settings.model_copy(update={"kiosk": in_a_lobby})) as portal:
        world = await populate(portal.application)
        payer = await portal.signed_in(world.participants["payer"])
        calendar = f"/en/appointments/{world.appointments['payer']}/calendar.ics"
        applicant, begun, upload, done = await applied(portal)
        own = "/en/apply/applications"
        offered = (
            (payer, "/en/payments", "/en/payments/history.pdf", "/en/payments/history.csv"),
            (payer, "/en/appointments", calendar),
            (applicant, f"{own}/{begun}/documents", f"{own}/{begun}/documents/{upload}"),
            (applicant, f"{own}/{done}/confirmation", f"{own}/{done}/confirmation.pdf"),
        )
        for browser, path, *files in offered:
            page = await browser.get(path)
            assert page.status_code == 200, path
            for file in files:
                links = re.findall(rf'href="{re.escape(file)}["?]', page.text)
                assert bool(links) is not in_a_lobby, file
                assert (await browser.get(file)).status_code == (404 if in_a_lobby else 200), file
        assert (await payer.get("/en/payments/all")).status_code == 200


async def applied(portal: Portal) -> tuple[httpx.AsyncClient, int, int, int]:
    """The browser of somebody who applied; the application begun, its file, and the one done."""
    # Drafts are the portal's alone: an operator's login may not begin one.
    outbox = replace(portal.application.outbox, engine=portal.application.engine)
    applicant = await add_applicant(portal.application.engine)
    await leave_everything(replace(portal.application, outbox=outbox), applicant.participant_id)
    [upload] = await fetch(portal.application, "SELECT draft_id, id FROM application_upload")
    [done] = await fetch(portal.application, "SELECT draft_id FROM application")
    browser = await signed_in_applicant(portal, applicant)
    return browser, int(str(upload["draft_id"])), int(str(upload["id"])), int(str(done["draft_id"]))
