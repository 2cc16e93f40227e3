"""The mailbox page shows what came, and nothing of it can act."""

import os
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from engine.stack.mailbox import MailFolder, message_file
from engine.stack.mailbox_page import PER_PAGE, mailbox_page
from tests.portal.page_reader import Page

HOSTILE = '<p style="color:red">Hola</p><script>alert(1)</script>"</iframe>'


def message(number: int) -> bytes:
    """A message with a text and an HTML part."""
    built = EmailMessage()
    built["Message-ID"] = f"<{number}@x.example>"
    built["To"] = "ines@example.com"
    built["Subject"] = f"Aviso <b>{number}</b>"
    built.set_content("Texto & más\n")
    built.add_alternative(HOSTILE, subtype="html")
    built.set_boundary("-part-")
    built["Content-Language"] = "es"
    return built.as_bytes().replace(b"\n", b"\r\n")


@pytest.fixture
def folder(tmp_path: Path) -> MailFolder:
    """A mailbox with a few more messages than fit a page, each newer than the one before."""
    folder = MailFolder.made(tmp_path)
    for number in range(PER_PAGE + 3):
        folder.keep("bounce@x.example", ["ines@example.com"], message(number))
        os.utime(tmp_path / message_file(message(number)), (number, number))
    folder.keep("bounce@x.example", ["ines@example.com"], message(PER_PAGE + 2))
    return folder


@pytest.fixture
async def browser(folder: MailFolder) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of the page."""
    transport = httpx.ASGITransport(mailbox_page(folder.path))
    async with httpx.AsyncClient(transport=transport, base_url="http://mailbox") as client:
        yield client


async def test_newest_come_first_page_by_page(browser: httpx.AsyncClient) -> None:
    """Fifty a page, newest first, the rest on the next; a repeat is marked."""
    first = Page((await browser.get("/")).text)
    assert first.words.index("Aviso <b>52</b> (came 2 times)") < first.words.index("Aviso <b>51")
    assert "ines@example.com es" in first.words
    second = Page((await browser.get("/?page=2")).text)
    assert [words in second.words for words in ("<b>3</b>", "<b>2</b>", "<b>0</b>")] == [
        False,
        True,
        True,
    ]
    for page in ("0", "-1", "x", "99999999999", "٣"):
        assert (await browser.get("/", params={"page": page})).status_code == 200


async def test_message_is_shown_in_a_frame_that_can_do_nothing(
    browser: httpx.AsyncClient,
) -> None:
    """Headers and both parts are there; the HTML only inside a frame without any permission."""
    answered = await browser.get(f"/message/{message_file(message(7))}")
    page = Page(answered.text)
    [frame] = page.all("iframe")
    assert frame.attributes["sandbox"] == ""
    assert frame.attributes["srcdoc"].strip() == HOSTILE
    assert not page.all("script")
    assert "Texto & más" in page.words
    assert "bounce@x.example" in page.words
    assert "default-src 'none'" in answered.headers["Content-Security-Policy"]


async def test_source_is_as_it_came(browser: httpx.AsyncClient) -> None:
    """The bytes on disk."""
    answered = await browser.get(f"/source/{message_file(message(7))}")
    assert answered.content.endswith(message(7))
    assert answered.headers["Content-Type"].startswith("text/plain")


async def test_only_messages_can_be_asked_for(browser: httpx.AsyncClient, tmp_path: Path) -> None:
    """No name leads out of the folder, or to what is not a message."""
    for name in ("..%2f..%2fetc%2fpasswd", "repeats.jsonl", "0" * 32 + ".eml", "x" * 32 + ".eml"):
        assert (await browser.get(f"/message/{name}")).status_code == 404
        assert (await browser.get(f"/source/{name}")).status_code == 404


async def test_mailbox_without_mail_has_a_page(tmp_path: Path) -> None:
    """A folder that nothing came to, or that is not there yet, is an empty list."""
    for folder in (tmp_path / "empty", tmp_path / "absent" / "mailbox"):
        transport = httpx.ASGITransport(mailbox_page(folder))
        async with httpx.AsyncClient(transport=transport, base_url="http://mailbox") as client:
            assert "0 messages" in (await client.get("/")).text
