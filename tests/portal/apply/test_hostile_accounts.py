"""Whatever is typed into the forms of an account: a clear page, no failure of ours."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.applications.account_notices import send_link
from engine.settings import Settings
from engine.stack.visitors import hidden_fields
from tests.applicants import PASSWORD, add_applicant, signed_in_applicant
from tests.portal.apply.test_accounts import TYPED, latest_link, register
from tests.portal.filled_forms import FORM_TYPE, without_limits
from tests.portal.portal_server import Portal, portal_over
from tests.portal.test_hostile_forms import TRIED
from tests.portal.trying import wrong_with

FORMS: Final[Mapping[str, dict[str, str]]] = {
    "/apply/register": dict(TYPED),
    "/apply/sign-in": {"username": "tulip.field", "password": PASSWORD},
    "/apply/forgot-password": {"email": "rosa@example.com"},
    "/apply/confirm/{confirm}": {"username": "tulip.field", "password": PASSWORD},
    "/apply/reset/{reset}": {"password": PASSWORD},
    "/apply/account": {"current_password": PASSWORD, "password": PASSWORD},
}
"""The path of each form → what a careful person enters."""


@pytest.fixture
async def portal(
    settings: Settings, database: AsyncEngine, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Portal]:
    """A portal that lets itself be asked without end."""
    without_limits(monkeypatch)
    async with portal_over(settings) as opened:
        yield opened


def encoded(fields: Mapping[str, str]) -> str:
    """As a form is sent, whatever is in it."""
    return "&".join(
        f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in fields.items()
    )


async def wrong_at(
    browser: httpx.AsyncClient, path: str, typed: dict[str, str], texts: Sequence[str]
) -> list[str]:
    """What goes wrong when each text is in each field, the others filled in well."""
    page = await browser.get(path)
    ours, wrong = hidden_fields(page.text), []
    for name in (*typed, *ours):
        for text in texts:
            answer = await browser.post(
                path,
                content=encoded(ours | typed | {name: text}),
                headers={"Content-Type": FORM_TYPE},
            )
            fault = "" if answer.status_code == 303 else wrong_with(answer, "es", text, page.text)
            if answer.status_code >= 500 or fault:
                wrong.append(f"{name}={text[:30]!r}: {answer.status_code}, {fault}")
    return wrong


@pytest.mark.parametrize("form", FORMS)
async def test_hostile_text_in_one_field_of_an_account(portal: Portal, form: str) -> None:
    """Controls, scripts, templates, numbers out of bounds, letters of all kinds."""
    browser, path = portal.browser(), form
    if "{confirm}" in form:
        await register(portal)
        path = await latest_link(portal, "confirm")
    elif form == "/apply/account" or "{reset}" in form:
        applicant = await add_applicant(portal.application.engine)
        browser = await signed_in_applicant(portal, applicant)
        if "{reset}" in form:
            async with portal.application.account_passwords.outbox.transaction() as transaction:
                now = portal.application.clock()
                await send_link(transaction, applicant.id, "reset", now)
            path = await latest_link(portal, "reset")
    path = f"/es{path.removeprefix('/en')}"
    assert await wrong_at(browser, path, FORMS[form], TRIED) == []
