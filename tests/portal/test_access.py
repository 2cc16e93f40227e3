"""Who may see what: every page and every form, as every kind of participant, against a written
table; and that nothing of anybody else's is in any answer."""

import re
from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx
import pikepdf
import pypdfium2
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import Route

from engine.caseload import caseworker_replies
from engine.portal.app import places
from engine.portal.gate import CHOOSE_PIN
from engine.portal.places import Access
from engine.security.sessions import Stage
from engine.settings import Settings
from engine.stack.visitors import hidden_fields
from tests.database_rows import delivery_ids, execute, fetch
from tests.portal.filled_forms import (
    FORMS,
    PIN,
    PLACES,
    TOKEN,
    Reader,
    kept,
    prepare,
    without_limits,
)
from tests.portal.page_reader import Page
from tests.portal.portal_server import MONDAY_NOON, Portal, portal_over
from tests.portal.test_query_counts import listening
from tests.portal.world import EVERYBODY, World, populate

_TABLES: Final = Path(__file__).parents[2] / "docs" / "portal-access.md"
_ROW: Final = re.compile(r"^\| `(/[^`]*)` \|(.*)\|$", re.MULTILINE)
_LINKED: Final = re.compile(r"/(cases|appointments|documents)/(\d+)|[?&]case=(\d+)")
OWNER, OTHER, STRANGER = "payer", "payee", "stranger"
KINDS: Final[Mapping[str, str | None]] = {
    "signed out": None,
    "temporary PIN": OWNER,
    "owner": OWNER,
    "other party": OTHER,
    "stranger": STRANGER,
    "confidential": "confidential",
    "locked": "locked",
}
"""The columns of the tables → who asks."""
_PIN_AGAIN: Final = "UPDATE pin_credential SET hash = $1 WHERE voided_at IS NULL"
THEIR_OWN: Final = {"confidential", "locked"}
"""Who ask for what is theirs; the others all ask for what is the owner's."""
LANGUAGES: Final = ("en", "es")


def written_tables() -> dict[str, dict[str, dict[str, str]]]:
    """Pages, forms and what is outside of the languages: path → who asks → what is answered."""
    portal, _, _ = _TABLES.read_text(encoding="utf-8").partition("\n# The application site\n")
    _, *sections = portal.split("\n## ")
    return {
        section.partition("\n")[0]: {
            path: dict(zip(KINDS, (cell.strip() for cell in cells.split("|")), strict=True))
            for path, cells in _ROW.findall(section)
        }
        for section in sections
    }


PAGES, POSTS, OUTSIDE = written_tables().values()


@pytest.fixture
async def portal(
    settings: Settings, database: AsyncEngine, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Portal]:
    """A portal that may be asked without end, over the small caseload."""
    without_limits(monkeypatch)
    async with portal_over(settings) as opened:
        yield opened


@pytest.fixture
async def world(portal: Portal) -> World:
    """Who is there; each has a PIN, documents in the inbox, a reply, and has asked for another time
    of an appointment."""
    application = portal.application
    world = await populate(application)
    await prepare(portal, world)
    await execute(application, "UPDATE participant SET paperless = true")
    for name in EVERYBODY:
        async with application.outbox.transaction() as transaction:
            await caseworker_replies.reply(
                transaction, world.messages[name], "r.ortiz", f"REPLY-TO-{name}", MONDAY_NOON
            )
        await execute(
            application,
            "INSERT INTO appointment_answer (appointment_id, starts_at, answer, wish, answered_at)"
            " SELECT id, starts_at, 'reschedule', $2, $3 FROM appointment WHERE id = $1",
            world.appointments[name],
            f"WISH-OF-{name}",
            MONDAY_NOON,
        )
    await application.notices.payments_since(MONDAY_NOON.date())
    await application.dispatcher.deliver(await delivery_ids(application))
    rows = await fetch(application, "SELECT id, participant_id FROM document ORDER BY id")
    names = {id_: name for name, id_ in world.participants.items()}
    world.documents = {names[int(str(row["participant_id"]))]: int(str(row["id"])) for row in rows}
    return world


@pytest.fixture
async def lock(portal: Portal, world: World) -> None:
    """At the number of one of them somebody typed a wrong PIN five times in a row."""
    for _ in range(5):
        assert (await sign_in(portal, "locked", "000009")).status_code == 422


async def sign_in(portal: Portal, name: str, pin: str) -> httpx.Response:
    """What a browser of nobody's is answered at the sign-in page."""
    browser = portal.browser()
    fields = hidden_fields((await browser.get("/en/login")).text)
    typed = {"participant_id": EVERYBODY[name].external_id, "pin": pin}
    return await browser.post("/en/login", data=fields | typed)


async def visitor(portal: Portal, world: World, kind: str) -> httpx.AsyncClient:
    """A new browser of this kind of participant."""
    name = KINDS[kind]
    if name is None:
        return portal.browser()
    stage = Stage.PIN_CHANGE if kind == "temporary PIN" else Stage.FULL
    return await portal.signed_in(world.participants[name], stage)


def asked_for(kind: str) -> str:
    """Whose things this kind of participant asks for."""
    return KINDS[kind] or OWNER if kind in THEIR_OWN else OWNER


def address(place: str, world: World, whose: str) -> str:
    """The path of a place, with the ids of what is of `whose`."""
    ids = {
        "case_id": world.cases[whose],
        "appointment_id": world.appointments[whose],
        "document_id": world.documents[whose],
    }
    return place.format_map({name: str(value) for name, value in ids.items()} | {"token": TOKEN})


def answer_of(response: httpx.Response, language: str) -> str:
    """What was answered, as the tables say it."""
    if response.status_code in {302, 303}:
        return f"to `{response.headers['Location'].removeprefix(f'/{language}')}`"
    return str(response.status_code)


def of_pages() -> list[str]:
    """The paths of everything that is opened."""
    return [place.path for place in places() if "GET" in place.methods]


def test_the_tables_name_every_route(portal: Portal) -> None:
    """A page that nobody thought about is not served: the tables are what is served, in both
    languages, to whoever opens it and to whoever sends a form there."""
    served: set[tuple[str, str]] = set()
    for route in portal.app.routes:
        assert isinstance(route, Route)
        if route.path.split("/")[2:3] == ["apply"]:
            continue  # tests/portal/apply/ has its tables
        served |= {(method, route.path) for method in route.methods or ()}
    written = {("GET", path) for path in OUTSIDE}
    for language in LANGUAGES:
        written |= {("GET", f"/{language}{path}") for path in PAGES}
        written |= {("POST", f"/{language}{path}") for path in POSTS}
        written |= {("GET", f"/{language}")}
    assert {(method, path) for method, path in served if method != "HEAD"} == {
        (method, path) for method, path in written if path != "/{language}"
    }
    assert {path for method, path in served if method == "HEAD"} == {
        path for method, path in served if method == "GET"
    }


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_answers_as_the_table_says(
    portal: Portal, world: World, lock: None, language: str
) -> None:
    """Signed out, with a temporary PIN, as the owner, the other party, a stranger, a confidential
    participant, and one who is locked out of signing in."""
    found: dict[str, dict[str, str]] = {path: {} for path in of_pages()}
    for kind in KINDS:
        browser = await visitor(portal, world, kind)
        for path, row in found.items():
            asked = f"/{language}{address(path, world, asked_for(kind))}"
            row[kind] = answer_of(await browser.get(asked), language)
    assert found == PAGES


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_form_answers_as_the_table_says(
    portal: Portal, world: World, lock: None, language: str
) -> None:
    """Filled in well, with a token of the session: by whom it is taken, and who is told that it is
    not there, or led away."""
    [stored] = await fetch(portal.application, "SELECT DISTINCT hash FROM pin_credential")
    found: dict[str, dict[str, str]] = {path: {} for path in PLACES}
    for kind in KINDS:
        for path in PLACES:
            # One form changes what the next one asks for.
            await execute(portal.application, _PIN_AGAIN, stored["hash"])
            answer = await posted(portal, world, kind, path, language)
            found[path][kind] = answer_of(answer, language)
    assert found == POSTS


async def posted(
    portal: Portal, world: World, kind: str, path: str, language: str
) -> httpx.Response:
    """What this kind of participant is answered who sends a form."""
    whose = asked_for(kind)
    browser = await visitor(portal, world, kind)
    drawn_on = CHOOSE_PIN if kind == "temporary PIN" else "/profile"
    if PLACES[path].access is Access.PUBLIC:
        drawn_on = address(path, world, whose)
    fields = hidden_fields((await browser.get(f"/{language}{drawn_on}")).text)
    typed = Reader(world, KINDS[kind] or OWNER).fills(path, whose=whose)
    [seen] = await fetch(
        portal.application,
        "SELECT starts_at FROM appointment WHERE id = $1",
        world.appointments[whose],
    )
    ours = {"form_id": str(uuid4()), "starts_at": str(seen["starts_at"]).replace(" ", "T")}
    return await browser.post(
        f"/{language}{address(path, world, whose)}", data=fields | typed | ours
    )


async def test_what_is_outside_the_languages_answers_as_the_table_says(
    portal: Portal, world: World, lock: None
) -> None:
    """To everybody alike."""
    mark = Page((await portal.browser().get("/en/")).text).all("img")[0].attributes["src"]
    paths = {path: path for path in OUTSIDE} | {"/{language}": "/en", "/static/{name}": mark}
    found: dict[str, dict[str, str]] = {path: {} for path in OUTSIDE}
    for kind in KINDS:
        browser = await visitor(portal, world, kind)
        for path, row in found.items():
            answer = await browser.get(paths[path])
            row[kind] = answer_of(answer, "en").replace("`/", "`/{language}/")
    assert found == OUTSIDE


async def test_a_lock_keeps_out_at_the_door_alone(portal: Portal, world: World, lock: None) -> None:
    """Who has the right PIN, and whose number was locked by others, is answered as for a wrong
    one; nobody else is."""
    locked = await sign_in(portal, "locked", PIN)
    wrong = await sign_in(portal, "stranger", "000009")
    assert locked.status_code == wrong.status_code == 422
    assert "session" not in locked.cookies
    assert (await sign_in(portal, "stranger", PIN)).headers["Location"] == "/en/home"
    [standing] = await fetch(
        portal.application, "SELECT failures, locks FROM sign_in_standing WHERE locks > 0"
    )
    assert standing["locks"] == 1


def shown(response: httpx.Response) -> str:
    """What a reader can find in an answer: its address, its headers and its words; of a PDF, the
    text of the pages and what it says of itself."""
    words = [str(response.url), *(f"{name}: {value}" for name, value in response.headers.items())]
    if response.headers.get("Content-Type", "").startswith("application/pdf"):
        document = pypdfium2.PdfDocument(response.content)
        words += [page.get_textpage().get_text_bounded() for page in document]
        with pikepdf.open(BytesIO(response.content)) as opened:
            words += [str(value) for value in opened.docinfo.values()]
            with opened.open_metadata() as metadata:
                words.append(str(metadata))
            words += map(str, opened.attachments)
    else:
        words.append(response.text)
    return "\n".join(words)


def everything(world: World) -> list[str]:
    """Every address that is opened, with the ids of everybody, and what may be asked for there."""
    found = {
        address(path, world, whose)
        for path in of_pages()
        for whose in EVERYBODY
        if path not in {"/session-ended", CHOOSE_PIN}
    }
    for whose in EVERYBODY:
        case = f"case={world.cases[whose]}"
        found |= {f"/messages?{case}", f"/payments?{case}&way=made", f"/payments?{case}&way=sent"}
        for file in ("all", "history.csv", "history.pdf"):
            found |= {f"/payments/{file}?{case}&way=made", f"/payments/{file}?way=sent"}
    return sorted(found)


def secrets_from(world: World, reader: str) -> set[str]:
    """What `reader` may not find; nor is a protected mailing address shown to its owner."""
    person = EVERYBODY[reader]
    own = {*world.secrets_of(reader), *world.case_numbers[reader]}
    protected = {str(person.street)} if person.confidential else set()
    return (
        protected
        | {
            secret
            for name in EVERYBODY
            if name != reader
            for secret in (
                *world.secrets_of(name),
                *world.case_numbers[name],
                f"REPLY-TO-{name}",
                f"WISH-OF-{name}",
            )
        }
        - own
    )


@pytest.mark.parametrize("reader", EVERYBODY)
async def test_nobody_sees_what_is_anothers(portal: Portal, world: World, reader: str) -> None:
    """On no page, in no file, header, address or error stands the name, number, contact, place,
    case, wish, message, reply or report of anybody else; asked for with one's own ids and with
    everybody's. What links lead to is one's own."""
    browser = await portal.signed_in(world.participants[reader])
    others = secrets_from(world, reader)
    own = await ids_of(portal, world.participants[reader])
    found: set[str] = set()
    for path in (f"/{language}{path}" for language in LANGUAGES for path in everything(world)):
        answer = await browser.get(path)
        said = shown(answer)
        assert not [secret for secret in others if secret in said], path
        if answer.status_code == 200:
            linked = {found for each in _links(answer) for found in _LINKED.findall(each)}
            assert {(kind or "cases", id_ or case) for kind, id_, case in linked} <= own, path
        found |= {secret for secret in shown_to_oneself(reader) if secret in said}
    assert found == shown_to_oneself(reader)


def shown_to_oneself(reader: str) -> set[str]:
    """What a walk finds of one's own: so the walk is one, and finds what there is."""
    person = EVERYBODY[reader]
    of = {f"{what}-{reader}" for what in ("PLACE-OF", "WORDS-OF", "WISH-OF", "REPLY-TO")}
    return of | {person.external_id, person.last_name, str(person.email)}


def _links(answer: httpx.Response) -> list[str]:
    """Where a page leads."""
    return (
        [
            element.attributes[name]
            for element in Page(answer.text).elements
            for name in ("href", "action")
            if name in element.attributes
        ]
        if answer.headers["Content-Type"].startswith("text/html")
        else []
    )


async def ids_of(portal: Portal, participant_id: int) -> set[tuple[str, str]]:
    """The numbers that a participant's own pages may hold."""
    rows = await fetch(
        portal.application,
        "SELECT 'cases' AS kind, case_id AS id FROM case_party WHERE participant_id = $1"
        " UNION SELECT 'appointments', id FROM appointment WHERE participant_id = $1"
        " UNION SELECT 'documents', id FROM document WHERE participant_id = $1",
        participant_id,
    )
    return {(str(row["kind"]), str(row["id"])) for row in rows}


@pytest.mark.parametrize("reader", ["payee", "locked", "confidential"])
async def test_nobody_acts_on_what_is_anothers(portal: Portal, world: World, reader: str) -> None:
    """To confirm or move another's appointment, or to write about another's case, is to ask for
    what is not there: nothing of it is kept, and the answer says nothing of whose it is."""
    browser = await portal.signed_in(world.participants[reader])
    fields = hidden_fields((await browser.get("/en/profile/phone")).text)
    others = secrets_from(world, reader)
    before = await kept(portal)
    for path, typed in (
        (f"/{language}{path}", typed)
        for language in LANGUAGES
        for path, typed in theirs(world, reader)
    ):
        ours = {"form_id": str(uuid4())}
        answer = await browser.post(path, data=fields | typed | ours)
        assert answer.status_code == 404, path
        assert not [secret for secret in others if secret in shown(answer)], path
    assert await kept(portal) == before


def theirs(world: World, reader: str) -> list[tuple[str, dict[str, str]]]:
    """Forms about the owner's appointment, and about a case in which `reader` has no part."""
    case = str(world.cases[OWNER if reader == "locked" else "locked"])
    appointment = f"/appointments/{world.appointments[OWNER]}"
    return [
        (f"{appointment}/confirm", {"starts_at": "0"}),
        (f"{appointment}/reschedule", {"wish": "X", "starts_at": "0"}),
        ("/messages", {"case": case, "body": "X"}),
        ("/profile/other-party", {"case": case, "address": "X"}),
    ]


NOBODYS: Final = "99999"
ASKED: Final[Mapping[str, Mapping[str, str] | None]] = {
    "/documents/{document_id}.pdf": None,
    "/appointments/{appointment_id}/calendar.ics": None,
    "/appointments/{appointment_id}/reschedule": None,
    "/cases/{case_id}": None,
    "/payments?case={case_id}": None,
    "/payments/all?case={case_id}": None,
    "/payments/history.csv?case={case_id}": None,
    "/payments/history.pdf?case={case_id}": None,
    "/messages?case={case_id}": None,
    "POST /appointments/{appointment_id}/confirm": {"starts_at": "0"},
    "POST /appointments/{appointment_id}/reschedule": {"starts_at": "0", "wish": "X"},
    "POST /messages": {"case": "{case_id}", "body": "X"},
    "POST /profile/other-party": {"case": "{case_id}", "address": "X"},
}
"""What is asked for by a number, by GET or with a form."""


async def test_what_is_not_ones_own_is_as_what_is_not_there(portal: Portal, world: World) -> None:
    """The answer for another's document, appointment or case is that for one that never was, to
    the byte, and after the same statements: not even its time tells the two apart."""
    browser = await portal.signed_in(world.participants[STRANGER])
    fields = hidden_fields((await browser.get("/en/profile/phone")).text)
    numbers = {
        "case_id": world.cases[OWNER],
        "appointment_id": world.appointments[OWNER],
        "document_id": world.documents[OWNER],
    }

    async def ask(asked: str, ids: Mapping[str, object]) -> tuple[httpx.Response, list[str]]:
        path, typed = asked.removeprefix("POST ").format_map(ids), ASKED[asked]
        async with listening(portal) as heard:
            if typed is None:
                answer = await browser.get(f"/en{path}")
            else:
                sent = {name: value.format_map(ids) for name, value in typed.items()}
                sent |= fields | {"form_id": str(uuid4())}
                answer = await browser.post(f"/en{path}", data=sent)
        return answer, heard

    for asked in ASKED:
        await ask(asked, numbers)  # a new connection asks the database about itself
        nobodys, nothing = await ask(asked, dict.fromkeys(numbers, NOBODYS))
        anothers, something = await ask(asked, numbers)
        assert nobodys.status_code == anothers.status_code == 404, asked
        assert nobodys.content == anothers.content, asked
        assert dict(nobodys.headers) == dict(anothers.headers), asked
        assert nothing == something, asked
        assert len(nothing) > 1, asked


def test_everything_with_a_number_is_asked_for() -> None:
    """No page or form that takes a number is left out of the test before this one."""
    numbered = {path for path in of_pages() if "_id}" in path}
    numbered |= {f"POST {path}" for path in PLACES if "_id}" in path}
    numbered |= {f"POST {path}" for path, form in FORMS.items() if "case" in form.typed}
    assert numbered == {each for each in ASKED if "?" not in each}


async def test_a_private_page_is_kept_by_nobody(portal: Portal, world: World) -> None:
    """Neither a browser nor anything on the way may keep a private page or file, nor what is
    answered where there is none."""
    browser = await portal.signed_in(world.participants[OWNER])
    private = [each.path for each in places() if each.access is not Access.PUBLIC]
    for path in private:
        for whose in (OWNER, STRANGER):
            answer = await browser.get(f"/es{address(path, world, whose)}")
            assert "no-store" in answer.headers["Cache-Control"], path


async def test_every_post_wants_the_token_of_its_session(portal: Portal, world: World) -> None:
    """A form without the token, or with another's, is refused, and nothing is changed."""
    browser = await portal.signed_in(world.participants[OWNER])
    other = await portal.signed_in(world.participants[OTHER])
    another = hidden_fields((await other.get("/en/profile/phone")).text)
    before = await kept(portal)
    for path, place in PLACES.items():
        if place.access is Access.PUBLIC:
            continue
        typed = Reader(world, OWNER).fills(path)
        for token in ({}, {"form_token": ""}, another):
            data = typed | token | {"another": "field"}
            answer = await browser.post(f"/en{address(path, world, OWNER)}", data=data)
            assert answer.status_code == 403, path
    assert await kept(portal) == before
