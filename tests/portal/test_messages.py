"""*Contact My Caseworker*, as parents use it: what they write, see, and never see."""

import asyncio
import re
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from engine.bootstrap import Application
from engine.caseload.personal import MESSAGE
from engine.database import driver_connection
from engine.stack.visitors import hidden_fields
from tests import people
from tests.database_rows import execute, fetch
from tests.portal.page_reader import Page
from tests.portal.portal_server import MONDAY_NOON, Portal, post_form

OTHER = people.Person(external_id="1234567891", first_name="Otra", language="en")


@pytest.fixture
async def parent(portal: Portal) -> httpx.AsyncClient:
    """The browser of a parent with one case, whose other party is number 2."""
    await people.add(portal.application.engine, OTHER)
    await add_case(portal.application, 1, parties=(1, 2))
    return await portal.signed_in(1)


async def add_case(application: Application, number: int, parties: tuple[int, ...]) -> None:
    """Case `number`, of these participants."""
    await execute(
        application,
        "INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES ($1, 'Yolo', 'open', '2020-01-01')",
        f"{number:015d}",
    )
    for party in parties:
        await execute(
            application,
            "INSERT INTO case_party (case_id, participant_id, role) VALUES ($1, $2, $3)",
            number,
            party,
            "payer" if party == 1 else "payee",
        )


async def add_message(
    application: Application,
    body: str,
    *,
    participant: int = 1,
    case: int = 1,
    answers: int | None = None,
    at: datetime = MONDAY_NOON,
) -> int:
    """A message that is already there; a caseworker's where it `answers` one."""
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        return int(
            await driver.fetchval(
                "INSERT INTO caseworker_message (participant_id, case_id, author, staff, body,"
                " written_at, reply_due, answers_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                " RETURNING id",
                participant,
                case,
                "caseworker" if answers else "participant",
                "r.ortiz" if answers else None,
                body,
                at,
                None if answers else date(2026, 11, 30),
                answers,
            )
        )


async def send(
    browser: httpx.AsyncClient, language: str = "en", **typed: str
) -> tuple[httpx.Response, Page]:
    """Fill the form in and send it; the answer, and the page that a reader ends on."""
    answer = await post_form(browser, f"/{language}/messages", **typed)
    if answer.status_code != 303:
        return answer, Page(answer.text)
    return answer, Page((await browser.get(answer.headers["location"])).text)


@pytest.mark.parametrize(
    ("language", "promise"),
    [
        ("en", "We will reply by Monday, November 30, 2026."),
        ("es", "Le responderemos a más tardar el lunes, 30 de noviembre de 2026."),
    ],
)
async def test_a_message_is_taken_down_with_a_promise(
    portal: Portal, parent: httpx.AsyncClient, language: str, promise: str
) -> None:
    """Three business days from Monday, with Thanksgiving and the day after it closed."""
    answer, page = await send(parent, language, case="1", body=" Hola.\r\n\r\n¿Y mi caso?\r\n ")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/{language}/messages"
    assert page.words.count(promise) == 2
    assert await fetch(
        portal.application,
        f"SELECT participant_id, case_id, author, {MESSAGE.read()} AS body, reply_due::text"
        " FROM caseworker_message",
    ) == [
        {
            "participant_id": 1,
            "case_id": 1,
            "author": "participant",
            "body": "Hola.\n\n¿Y mi caso?",
            "reply_due": "2026-11-30",
        }
    ]
    assert await fetch(portal.application, "SELECT actor, act, details::text FROM audit_entry") == [
        {"actor": "participant:1", "act": "message.written", "details": '{"case": 1}'}
    ]


async def test_line_breaks_are_kept_and_nothing_is_markup(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """What looks like HTML is shown as it was typed."""
    await add_message(portal.application, "one\n\n<b>two</b> & three")
    page = await parent.get("/en/messages")
    assert re.search(r"one<br>\s*<br>\s*&lt;b&gt;two&lt;/b&gt; &amp; three", page.text)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"case": "1", "body": ""}, "Write your message"),
        ({"case": "1", "body": " \r\n\t"}, "Write your message"),
        ({"case": "1", "body": "x" * 4001}, "it can have up to 4,000 characters"),
        ({"case": "1", "body": "a\x00b"}, "it has a symbol we cannot read"),
        ({"case": "1", "body": "a\x1b[2J"}, "it has a symbol we cannot read"),
        ({"case": "", "body": "Hello"}, "Choose the case"),
        ({"case": "-1", "body": "Hello"}, "Choose the case"),
        ({"case": "９", "body": "Hello"}, "Choose the case"),
        ({"case": "9" * 30, "body": "Hello"}, "Choose the case"),
    ],
)
async def test_a_faulty_message_is_shown_again(
    portal: Portal, parent: httpx.AsyncClient, typed: dict[str, str], said: str
) -> None:
    """With what is wrong with it, at the field and in the summary; nothing is taken down."""
    answer, page = await send(parent, **typed)
    assert answer.status_code == 422
    assert said in page.words
    assert page.words.startswith("Error: ")
    assert not await fetch(portal.application, "SELECT FROM caseworker_message")
    assert not await fetch(portal.application, "SELECT FROM audit_entry")


async def test_what_was_typed_is_not_lost(portal: Portal, parent: httpx.AsyncClient) -> None:
    """A fault in one field leaves the other as it was."""
    await add_case(portal.application, 2, parties=(1,))
    answer, _ = await send(parent, case="", body="Hello <there>")
    assert "Hello &lt;there&gt;</textarea>" in answer.text
    answer, page = await send(parent, case="2", body="")
    assert page.all("option", value="2", selected="")


async def test_four_thousand_characters_fit(portal: Portal, parent: httpx.AsyncClient) -> None:
    """Line breaks count once, as a browser counts them."""
    answer, _ = await send(parent, case="1", body="á\r\n" * 1999 + "íó")
    assert answer.status_code == 303


async def test_a_case_of_others_is_not_there(portal: Portal, parent: httpx.AsyncClient) -> None:
    """To write about it, or to read of it, is answered as for one that does not exist."""
    await add_case(portal.application, 2, parties=(2,))
    await add_message(portal.application, "theirs", participant=2, case=2)
    for case in ("2", "77"):
        answer, _ = await send(parent, case=case, body="Hello")
        assert answer.status_code == 404
        assert (await parent.get(f"/en/messages?case={case}")).status_code == 404
    assert len(await fetch(portal.application, "SELECT FROM caseworker_message")) == 1
    assert not await fetch(portal.application, "SELECT FROM audit_entry")


async def test_parties_of_one_case_do_not_read_each_other(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """Neither the other's messages nor the replies to them, and no sign that there are any."""
    theirs = await add_message(portal.application, "WORDS OF THE OTHER", participant=2)
    await add_message(portal.application, "REPLY TO THE OTHER", participant=2, answers=theirs)
    for path in ("/en/messages", "/en/messages?case=1"):
        page = await parent.get(path)
        assert "OF THE OTHER" not in page.text
        assert "TO THE OTHER" not in page.text
    assert "You have not written a message yet." in (await parent.get("/en/messages")).text
    unread = await fetch(portal.application, "SELECT read_at FROM caseworker_message")
    assert unread == [{"read_at": None}] * 2


async def test_a_reply_is_new_once(portal: Portal, parent: httpx.AsyncClient) -> None:
    """It is read when its page was shown: not by a HEAD request, and not by the other language's
    error page."""
    question = await add_message(portal.application, "A question")
    await add_message(portal.application, "An answer", answers=question)
    await parent.head("/en/messages")
    first = Page((await parent.get("/en/messages")).text)
    assert "New reply" in first.words
    assert "An answer" in first.words
    assert "We will reply by" not in first.words
    rows = await fetch(portal.application, "SELECT read_at FROM caseworker_message ORDER BY id")
    assert rows == [{"read_at": None}, {"read_at": MONDAY_NOON}]
    assert "New reply" not in Page((await parent.get("/en/messages")).text).words


async def test_a_new_reply_is_found_before_the_form(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """Who comes for a reply finds it first; read, it stands below, and so it does under faults."""
    question = await add_message(portal.application, "A question")
    await add_message(portal.application, "An answer", answers=question)
    first, later = [(await parent.get("/en/messages")).text for _ in range(2)]
    assert first.index("An answer") < first.index("<textarea")
    assert later.index("An answer") > later.index("<textarea")
    await execute(portal.application, "UPDATE caseworker_message SET read_at = NULL")
    faulty = await parent.post("/en/messages", data=hidden_fields(later) | {"body": ""})
    assert faulty.status_code == 422
    assert faulty.text.index("An answer") > faulty.text.index("<textarea")


async def test_a_late_reply_is_owned_up_to(portal: Portal, parent: httpx.AsyncClient) -> None:
    """A promise that was not kept is not repeated."""
    await add_message(portal.application, "A question")
    await execute(portal.application, "UPDATE caseworker_message SET reply_due = '2026-11-20'")
    words = Page((await parent.get("/en/messages")).text).words
    assert "We promised a reply by Friday, November 20, 2026, and it is late." in words
    assert "We will reply by" not in words


async def test_a_message_sent_twice_is_one(portal: Portal, parent: httpx.AsyncClient) -> None:
    """The form that a browser sends again leads where it led the first time."""
    page = await parent.get("/en/messages")
    fields = {
        element.attributes["name"]: element.attributes["value"]
        for element in Page(page.text).all("input", type="hidden")
    } | {"case": "1", "body": "Hello"}
    answers = [await parent.post("/en/messages", data=fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert {answer.headers["location"] for answer in answers} == {"/en/messages"}
    assert len(await fetch(portal.application, "SELECT FROM caseworker_message")) == 1
    assert len(await fetch(portal.application, "SELECT FROM audit_entry")) == 1


async def test_what_is_older_is_a_page_away(portal: Portal, parent: httpx.AsyncClient) -> None:
    """Ten of each case, the thread that was written to last first; then page by page."""
    await add_case(portal.application, 2, parties=(1,))
    ids = [
        await add_message(portal.application, f"question {turn}.", at=later(turn))
        for turn in range(25)
    ]
    await add_message(portal.application, "about the other", case=2, at=later(30))
    await add_message(portal.application, "late answer", answers=ids[3], at=later(31))
    page = await parent.get("/en/messages")
    assert re.findall(r"question (\d+)\.", page.text) == ["3", *map(str, range(24, 15, -1))]
    assert page.text.index("question 3.") < page.text.index("about the other")
    assert page.text.count("Older messages about case") == 1
    older = await parent.get("/en/messages?case=1&page=3")
    assert re.findall(r"question (\d+)\.", older.text) == ["5", "4", "2", "1", "0"]
    assert "Page 3 of 3" in Page(older.text).words
    for wrong in ("case=1&page=4", "case=1&page=0", "case=1&page=x", "case=1&page=" + "9" * 30):
        assert (await parent.get(f"/en/messages?{wrong}")).status_code == 404


async def test_as_many_statements_for_many_as_for_few(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """The number of statements does not grow with the messages on the page."""
    counts = []
    # At first asyncpg also asks what types there are.
    for number in (1, 1, 8):
        for _ in range(number):
            question = await add_message(portal.application, "question")
            await add_message(portal.application, "answer", answers=question)
        heard = await statements(portal, parent, "/en/messages")
        assert any("UPDATE caseworker_message" in statement for statement in heard)
        counts.append(len(heard))
    assert counts[1] == counts[2]


async def test_too_many_messages_are_refused(portal: Portal, parent: httpx.AsyncClient) -> None:
    """Twenty in an hour are plenty."""
    for _ in range(20):
        assert (await send(parent, case="1", body="Hello"))[0].status_code == 303
    answer, _ = await send(parent, case="1", body="Hello")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_without_a_case_there_is_no_form(portal: Portal) -> None:
    """And a number to call."""
    browser = await portal.signed_in(1)
    page = Page((await browser.get("/en/messages")).text)
    assert "You have no case to write about" in page.words
    assert not page.all("textarea")


async def statements(portal: Portal, browser: httpx.AsyncClient, path: str) -> list[str]:
    """The statements that it takes to draw a page."""
    heard: list[str] = []

    def listen(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.driver_connection.add_query_logger(lambda query: heard.append(query.query))

    pool = portal.engine.sync_engine.pool
    event.listen(pool, "checkout", listen)
    try:
        assert (await browser.get(path)).status_code == 200
        await asyncio.sleep(0)  # asyncpg calls its query loggers at the loop's next turn
    finally:
        event.remove(pool, "checkout", listen)
    return list(heard)


def later(minutes: int) -> datetime:
    """So many minutes after noon."""
    return MONDAY_NOON + timedelta(minutes=minutes)
