"""Who may see what: every page, as every kind of participant, against a written table."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import pypdfium2
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.database import driver_connection
from engine.portal.app import places
from engine.portal.places import Place
from engine.security.sessions import Stage
from engine.settings import Settings
from engine.stack.visitors import hidden_fields
from tests.database_rows import delivery_ids, fetch
from tests.portal.portal_server import MONDAY_NOON, Portal, portal_over
from tests.portal.world import EVERYBODY, World, populate

_TABLE: Final = Path(__file__).parents[2] / "docs" / "portal-access.md"
_ROW: Final = re.compile(r"^\| `(/[^`]*)` \|(.*)\|$", re.MULTILINE)
KINDS: Final = ("signed out", "temporary", "owner", "other party", "stranger")
OWNER, OTHER, STRANGER = "payer", "payee", "stranger"


def written_table() -> dict[str, dict[str, str]]:
    """Page → who asks → what is answered."""
    return {
        path: dict(zip(KINDS, (cell.strip() for cell in cells.split("|")), strict=True))
        for path, cells in _ROW.findall(_TABLE.read_text(encoding="utf-8"))
    }


TABLE: Final = written_table()


@pytest.fixture
async def portal(settings: Settings, database: AsyncEngine, redis: Redis) -> AsyncIterator[Portal]:
    """A portal over the small caseload, where everybody has read mail and something to read."""
    async with portal_over(settings) as opened:
        yield opened


@pytest.fixture
async def world(portal: Portal) -> World:
    """Who is there; each has a document in the inbox."""
    application = portal.application
    world = await populate(application)
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute("UPDATE participant SET paperless = true")
    await application.notices.payments_since(MONDAY_NOON.date())
    await application.dispatcher.deliver(await delivery_ids(application))
    rows = await fetch(application, "SELECT id, participant_id FROM document ORDER BY id")
    names = {id_: name for name, id_ in world.participants.items()}
    world.documents = {names[int(str(row["participant_id"]))]: int(str(row["id"])) for row in rows}
    return world


def address(place: Place, world: World, whose: str) -> str:
    """The path of a place, with the ids of what is of `whose`."""
    ids = {
        "case_id": world.cases[whose],
        "appointment_id": world.appointments[whose],
        "document_id": world.documents[whose],
        "token": "A" * 43,
    }
    return place.path.format_map({name: str(value) for name, value in ids.items()})


def answer_of(response: httpx.Response, language: str) -> str:
    """What was answered, as the table says it."""
    if response.status_code == 303:
        return f"to `{response.headers['Location'].removeprefix(f'/{language}')}`"
    return str(response.status_code)


def shown(response: httpx.Response) -> str:
    """What a reader sees of an answer, its headers too."""
    words = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    if response.headers.get("Content-Type", "").startswith("application/pdf"):
        document = pypdfium2.PdfDocument(response.content)
        return words + "".join(page.get_textpage().get_text_bounded() for page in document)
    return words + response.text


def test_the_table_names_every_page() -> None:
    """A page that nobody thought about is not served."""
    assert sorted(place.path for place in places() if "GET" in place.methods) == sorted(TABLE)


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_page_answers_as_the_table_says(
    portal: Portal, world: World, language: str
) -> None:
    """Signed out, with a temporary PIN, as the owner, the other party and a stranger."""
    ids = world.participants
    visitors = {
        "signed out": portal.browser(),
        "temporary": await portal.signed_in(ids[OWNER], Stage.PIN_CHANGE),
        "owner": await portal.signed_in(ids[OWNER]),
        "other party": await portal.signed_in(ids[OTHER]),
        "stranger": await portal.signed_in(ids[STRANGER]),
    }
    found = {
        place.path: {
            kind: answer_of(
                await browser.get(f"/{language}{address(place, world, OWNER)}"), language
            )
            for kind, browser in visitors.items()
        }
        for place in places()
        if "GET" in place.methods and place.path != "/session-ended"
    }
    assert found == {path: row for path, row in TABLE.items() if path != "/session-ended"}


@pytest.mark.parametrize(
    "reader",
    [
        pytest.param(name, marks=[] if name in {"payee", "stranger"} else pytest.mark.full)
        for name in EVERYBODY
    ],
)
async def test_nobody_sees_what_is_anothers(portal: Portal, world: World, reader: str) -> None:
    """On no page, in no file, no header and no error stands the name, number, contact, place,
    message or report of anybody else; asked for with one's own ids and with everybody's."""
    browser = await portal.signed_in(world.participants[reader])
    others = {
        secret
        for name in EVERYBODY
        if name != reader
        for secret in world.secrets_of(name)
        if secret not in world.secrets_of(reader)
    }
    for place in places():
        if "GET" not in place.methods or place.path in {"/session-ended", "/choose-pin"}:
            continue
        for whose in EVERYBODY:
            said = shown(await browser.get(f"/en{address(place, world, whose)}"))
            assert not [secret for secret in others if secret in said], place.path


@pytest.mark.parametrize("reader", ["payee", "locked"])
async def test_nobody_acts_on_what_is_anothers(portal: Portal, world: World, reader: str) -> None:
    """To confirm or move another's appointment, or to write about another's case, is to ask for
    what is not there; nothing is kept of it."""
    browser = await portal.signed_in(world.participants[reader])
    fields = hidden_fields((await browser.get("/en/profile/phone")).text)
    theirs = world.appointments[OWNER]
    case = world.cases["locked" if reader in {"payee", "confidential"} else OWNER]
    for path, typed in (
        (f"/en/appointments/{theirs}/confirm", {"starts_at": "0"}),
        (f"/en/appointments/{theirs}/reschedule", {"wish": "X", "starts_at": "0"}),
        ("/en/messages", {"case": str(case), "body": "X"}),
        ("/en/profile/other-party", {"case": str(case), "address": "X"}),
    ):
        answered = await browser.post(path, data=fields | typed)
        assert answered.status_code in {404, 409, 422}, path
    assert not await fetch(portal.application, "SELECT FROM appointment_answer")
    assert not await fetch(portal.application, "SELECT FROM caseworker_message WHERE body = 'X'")
    assert not await fetch(
        portal.application, "SELECT FROM other_party_report WHERE facts->>'address' = 'X'"
    )


async def test_what_is_not_ones_own_is_as_what_is_not_there(portal: Portal, world: World) -> None:
    """The answer for another's document, appointment or case is that for one that never was, to
    the byte."""
    browser = await portal.signed_in(world.participants[STRANGER])
    for theirs, nobodys in (
        (f"/en/documents/{world.documents[OWNER]}.pdf", "/en/documents/99999.pdf"),
        (
            f"/en/appointments/{world.appointments[OWNER]}/calendar.ics",
            "/en/appointments/99999/calendar.ics",
        ),
        (f"/en/cases/{world.cases[OWNER]}", "/en/cases/99999"),
    ):
        answers = [await browser.get(path) for path in (theirs, nobodys)]
        assert answers[0].status_code == answers[1].status_code == 404
        assert answers[0].content == answers[1].content


async def test_a_private_page_is_kept_by_nobody(portal: Portal, world: World) -> None:
    """Neither a browser nor anything on the way may keep a private page or file."""
    browser = await portal.signed_in(world.participants[OWNER])
    for place in places():
        if "GET" in place.methods and place.access != "public":
            answered = await browser.get(f"/es{address(place, world, OWNER)}")
            assert "no-store" in answered.headers["Cache-Control"], place.path


async def test_every_post_wants_the_token_of_its_session(portal: Portal, world: World) -> None:
    """A form without the token, or with another's, is refused, and nothing is changed."""
    browser = await portal.signed_in(world.participants[OWNER])
    other = await portal.signed_in(world.participants[OTHER])
    theirs = hidden_fields((await other.get("/en/profile/phone")).text)
    before = await fetch(portal.application, "SELECT count(*) FROM audit_entry")
    for place in places():
        if "POST" in place.methods and place.access != "public":
            path = f"/en{address(place, world, OWNER)}"
            assert (await browser.post(path, data={"a": "b"})).status_code == 403, path
            if place.path != "/choose-pin":
                assert (await browser.post(path, data=theirs)).status_code == 403, path
    assert await fetch(portal.application, "SELECT count(*) FROM audit_entry") == before
