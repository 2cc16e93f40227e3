"""*My Documents*, as parents use it: what waits, what it is called, and that it is theirs alone."""

from datetime import timedelta

import httpx
import pytest

from tests import people
from tests.database_rows import execute, fetch
from tests.portal.page_reader import Page
from tests.portal.portal_server import MONDAY_NOON, Portal
from tests.portal.test_messages import statements

PDF = b"%PDF-1.7 a document\n"


async def post(
    portal: Portal,
    number: int = 1,
    participant: int = 1,
    notice: str = "payment_notice",
    language: str = "es",
) -> None:
    """Documents in the inbox of a participant, a minute apart; their bytes are in the store."""
    sha256 = await portal.application.documents.store.put(PDF)
    for turn in range(number):
        await execute(
            portal.application,
            "WITH told AS (INSERT INTO communication (idempotency_key, notice, participant_id,"
            " language, urgency, facts, template_version, route, requested_at, due_by)"
            " VALUES (gen_random_uuid()::text, $2, $1, $3, 'bulk', '{}', 'v', '[]', $4,"
            " '2026-11-24') RETURNING id), delivered AS (INSERT INTO delivery"
            " (communication_id, step, channel, due_by) SELECT id, 0, 'inbox', '2026-11-24'"
            " FROM told RETURNING id) INSERT INTO document (participant_id, delivery_id, notice,"
            " language, template_version, sha256, bytes, pages, posted_at)"
            " SELECT $1, id, $2, $3, 'v', $5, $6, 1, $4 FROM delivered",
            participant,
            notice,
            language,
            MONDAY_NOON + timedelta(minutes=turn),
            sha256,
            len(PDF),
        )


async def enrol(portal: Portal) -> None:
    """The participant chooses to be without paper."""
    await execute(portal.application, "UPDATE participant SET paperless = true")


@pytest.fixture
async def parent(portal: Portal) -> httpx.AsyncClient:
    """The browser of a parent."""
    return await portal.signed_in(1)


@pytest.mark.parametrize(
    ("language", "titles", "hint"),
    [
        ("en", ["Payment notice", "Appointment reminder", "Reply from your caseworker"],
         "In Spanish"),
        ("es", ["Aviso de pago", "Recordatorio de cita", "Respuesta de su trabajador(a) de caso"],
         "En inglés"),
    ],
)  # fmt: skip
async def test_documents_are_named_in_the_readers_language(
    portal: Portal, parent: httpx.AsyncClient, language: str, titles: list[str], hint: str
) -> None:
    """Whatever language they are in themselves, which is said where it is another."""
    await enrol(portal)
    await post(portal, notice="payment_notice", language="es")
    await post(portal, notice="appointment_reminder", language="en")
    await post(portal, notice="caseworker_reply", language="en")
    page = Page((await parent.get(f"/{language}/documents")).text)
    assert all(title in page.words for title in titles)
    assert page.words.count(hint) == (1 if language == "en" else 2)
    languages = [link.attributes["hreflang"] for link in page.all("a", type="application/pdf")]
    assert sorted(languages) == ["en", "en", "es"]


async def test_a_document_opens_as_it_was_sent_and_is_read(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """Two of one day are told apart by their hour, and counted in the menu, closed and open; to ask
    whether one is there does not open it. One opens in the browser, kept by nobody, under a name
    that says nothing; that it was opened is in the audit trail."""
    await post(portal, 2)
    assert (await parent.head("/en/documents/1.pdf")).status_code == 200
    page = Page((await parent.get("/en/documents")).text)
    assert page.words.count("2 unread") == 3
    assert page.words.count("November 23, 2026 at 12:00 PM") == 2
    assert page.words.count("November 23, 2026 at 12:01 PM") == 2
    opened = await parent.get("/en/documents/1.pdf")
    assert opened.content == PDF
    assert opened.headers["content-type"] == "application/pdf"
    assert "no-store" in opened.headers["cache-control"]
    assert opened.headers["content-disposition"] == 'inline; filename="document.pdf"'
    page = Page((await parent.get("/en/documents")).text)
    assert page.words.count("1 unread") == 3
    assert page.words.count("Unread") == 1
    assert page.words.count("Opened on November 23, 2026") == 1
    rows = await fetch(portal.application, "SELECT opened_at FROM document ORDER BY id")
    assert rows == [{"opened_at": MONDAY_NOON}, {"opened_at": None}]
    assert await fetch(portal.application, "SELECT actor, act, details::text FROM audit_entry") == [
        {"actor": "participant:1", "act": "document.opened", "details": '{"document": 1}'}
    ]


@pytest.mark.parametrize("number", ["2", "99", "0", "-1", "x", "1.0", "9" * 30, "%00"])
async def test_a_document_of_others_is_not_there(
    portal: Portal, parent: httpx.AsyncClient, number: str
) -> None:
    """As one that does not exist, and as what is no number at all."""
    await people.add(portal.application.engine, people.Person(external_id="1234567891"))
    await post(portal)
    await post(portal, participant=2)
    answer = await parent.get(f"/en/documents/{number}.pdf")
    assert answer.status_code == 404
    assert b"PDF" not in answer.content
    assert (
        await fetch(portal.application, "SELECT opened_at FROM document ORDER BY id")
        == [{"opened_at": None}] * 2
    )
    assert not await fetch(portal.application, "SELECT FROM audit_entry")


async def test_a_damaged_document_is_not_shown(portal: Portal, parent: httpx.AsyncClient) -> None:
    """What is in the store is not what was sent: an apology, and it stays unread."""
    await post(portal)
    await execute(portal.application, "UPDATE document SET sha256 = repeat('0', 64)")
    assert (await parent.get("/en/documents/1.pdf")).status_code == 500
    rows = await fetch(portal.application, "SELECT opened_at FROM document")
    assert rows == [{"opened_at": None}]


async def test_who_is_not_enrolled_learns_of_ecommunications(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """What it is, and where to enrol; who is enrolled is not told again."""
    page = Page((await parent.get("/es/documents")).text)
    assert page.all("a", href="/es/profile/ecommunications")
    assert "Aquí no hay ningún documento." in page.words
    await enrol(portal)
    page = Page((await parent.get("/es/documents")).text)
    assert not page.all("a", href="/es/profile/ecommunications")
    assert "Todavía no hay ningún documento." in page.words


async def test_a_long_list_has_pages(portal: Portal, parent: httpx.AsyncClient) -> None:
    """Twenty on each, newest first; as many statements for many documents as for few."""
    await post(portal)
    await statements(portal, parent, "/en/documents")
    few = await statements(portal, parent, "/en/documents")
    await post(portal, 44)
    assert len(await statements(portal, parent, "/en/documents")) == len(few)
    last = Page((await parent.get("/en/documents?page=3")).text)
    assert len(last.all("a", type="application/pdf")) == 5
    assert "Page 3 of 3" in last.words
    assert last.all("a", href="/en/documents?page=2")
    for page in ("4", "0", "-1", "x", "9" * 30):
        assert (await parent.get(f"/en/documents?page={page}")).status_code == 404
