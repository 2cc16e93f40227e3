"""Documents of an application: taken by what they are, and never handed out as a page."""

import httpx
import pytest

from engine.applications import uploads
from engine.stack.visitors import hidden_fields
from tests.applicants import add_applicant, signed_in_applicant
from tests.applications import files
from tests.applications.filled import fill
from tests.database_rows import fetch
from tests.portal.portal_server import Portal

_HTML = b"<html><script>alert(1)</script></html>"


@pytest.fixture
async def draft(portal: Portal) -> tuple[httpx.AsyncClient, str]:
    """A browser at an application that is answered, and the path of its documents."""
    applicant = await add_applicant(portal.application.engine)
    async with portal.engine.begin() as connection:
        made = await fill(portal.application, connection, applicant.participant_id)
    browser = await signed_in_applicant(portal, applicant)
    return browser, f"/en/apply/applications/{made.id}/documents"


async def send(
    browser: httpx.AsyncClient, path: str, content: bytes, name: str = "x.pdf", **typed: str
) -> httpx.Response:
    """Send a file as a browser does."""
    page = await browser.get(path)
    return await browser.post(
        path,
        data=hidden_fields(page.text) | {"kind": "court_order"} | typed,
        files={"file": (name, content, "text/html")},
    )


async def test_a_document_is_kept_sealed_and_handed_out_as_a_file(
    portal: Portal, draft: tuple[httpx.AsyncClient, str]
) -> None:
    """Whatever it was called and said to be: it comes back as what it is, to be saved and not
    shown, under a name that says nothing; the database holds no readable octet of it; and another
    applicant does not get it."""
    browser, path = draft
    answer = await send(browser, path, files.jpeg() + _HTML, "evil.html")
    assert answer.status_code == 303
    [row] = await fetch(portal.application, "SELECT * FROM application_upload")
    got = await browser.get(f"{path}/{row['id']}")
    assert got.headers["Content-Type"] == "image/jpeg"
    assert got.headers["Content-Disposition"] == 'attachment; filename="document-1.jpg"'
    assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Cache-Control"] == "no-store, private"
    assert b"<script>" not in got.content
    assert got.content[:8] not in bytes(str(row["sealed_content"]), "latin-1")
    stranger = await signed_in_applicant(
        portal, await add_applicant(portal.application.engine, "somebody.else")
    )
    assert (await stranger.get(f"{path}/{row['id']}")).status_code == 404
    page = await browser.get(f"{path}/{row['id']}/remove")
    gone = await browser.post(f"{path}/{row['id']}/remove", data=hidden_fields(page.text))
    assert gone.status_code == 303
    assert await fetch(portal.application, "SELECT FROM application_upload") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose a file"),
        (_HTML, "We cannot use this kind of file"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "Most Compatible"),
        (bytes(uploads.FILE_MOST + 100_000), "larger than 8 MB"),
    ],
    ids=["none", "page", "heic", "large"],
)
async def test_what_is_wrong_with_a_file_is_said(
    portal: Portal, draft: tuple[httpx.AsyncClient, str], content: bytes, words: str
) -> None:
    """In words that say what to do, and nothing of it is kept."""
    browser, path = draft
    answer = await send(browser, path, content)
    assert (answer.status_code, words in answer.text) == (422, True)
    assert await fetch(portal.application, "SELECT FROM application_upload") == []


async def test_documents_are_few(
    portal: Portal, draft: tuple[httpx.AsyncClient, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as one application holds, and the same one only once."""
    browser, path = draft
    monkeypatch.setattr(uploads, "FILES_MOST", 1)
    assert (await send(browser, path, files.png())).status_code == 303
    answer = await send(browser, path, files.pdf())
    assert (answer.status_code, "no room for more" in answer.text) == (422, True)
    monkeypatch.setattr(uploads, "FILES_MOST", 2)
    again = await send(browser, path, files.png())
    assert "You sent this file already" in again.text


async def test_a_file_is_taken_from_a_form_of_ours_alone(
    portal: Portal, draft: tuple[httpx.AsyncClient, str]
) -> None:
    """Without the token of its session, twice in one form, or from nobody: nothing is kept."""
    browser, path = draft
    page = await browser.get(path)
    fields = hidden_fields(page.text) | {"kind": "other"}
    one = ("file", ("x.png", files.png(), "image/png"))
    forged = await browser.post(path, data=fields | {"form_token": "x"}, files=[one])
    twice = await browser.post(path, data=fields, files=[one, one])
    plain = await browser.post(path, data=fields)
    nobody = await portal.browser().post(path, data=fields, files=[one])
    assert [answer.status_code for answer in (forged, twice, plain, nobody)] == [403, 400, 415, 303]
    assert await fetch(portal.application, "SELECT FROM application_upload") == []
