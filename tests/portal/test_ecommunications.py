"""Enrolling in eCommunications and going back to paper, as a parent does it in the portal."""

import re
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import pikepdf
import pytest
from structlog.testing import capture_logs

from engine.portal.disclosure import disclosure
from engine.portal.layout import Layout
from engine.portal.statics import StaticFiles
from engine.settings import Agency, Settings
from tests.database_rows import execute, fetch
from tests.portal.browsing import words_of
from tests.portal.page_reader import Page
from tests.portal.portal_server import MONDAY_NOON, PARTICIPANT, Portal, post_form

PLACE = "/profile/ecommunications"
SAMPLE = f"{PLACE}/sample"
SPELLED = re.compile(r"(?:[A-Z0-9] ){5}[A-Z0-9]")


async def begin(browser: httpx.AsyncClient, language: str = "en") -> str:
    """Read what it means, and open the sample: its code, as a reader finds it there."""
    answered = await post_form(browser, f"/{language}{PLACE}")
    assert answered.headers["Location"] == f"/{language}{SAMPLE}"
    return await read(browser, language)


async def read(browser: httpx.AsyncClient, language: str = "en") -> str:
    """The code in the sample."""
    sample = await browser.get(f"/{language}{SAMPLE}.pdf")
    assert sample.headers["content-type"] == "application/pdf"
    found = SPELLED.search(words_of(sample.content))
    assert found
    return found[0]


async def enrol(portal: Portal, browser: httpx.AsyncClient, language: str = "en") -> None:
    """All of it."""
    code = await begin(browser, language)
    answered = await post_form(browser, f"/{language}{SAMPLE}", code=code)
    assert answered.headers["Location"] == f"/{language}/profile"
    [row] = await fetch(portal.application, "SELECT paperless FROM participant WHERE id = 1")
    assert row["paperless"]


async def consents(portal: Portal) -> list[dict[str, Any]]:
    """What is on record."""
    return await fetch(
        portal.application,
        "SELECT action, language, at, how, staff, contact_point_id, proof->>'wrong_before' AS wrong"
        " FROM consent LEFT JOIN consent_text ON version = text_version ORDER BY consent.id",
    )


@pytest.fixture
async def parent(portal: Portal) -> httpx.AsyncClient:
    """The browser of a parent."""
    return await portal.signed_in(1)


@pytest.mark.parametrize("language", ["en", "es"])
async def test_enrolment_from_the_first_page_to_the_record(
    portal: Portal, parent: httpx.AsyncClient, language: str
) -> None:
    """What was shown is kept in the language in which it was read; the code of the sample, typed
    back, is the proof; one notice tells of it; the trail says who and where from."""
    shown = Page((await parent.get(f"/{language}{PLACE}")).text)
    await enrol(portal, parent, language)
    assert await consents(portal) == [
        {
            "action": "given", "language": language, "at": MONDAY_NOON, "how": "web",
            "staff": None, "contact_point_id": 1, "wrong": "0",
        }
    ]  # fmt: skip
    [kept] = await fetch(portal.application, "SELECT words FROM consent_text")
    for line in filter(None, str(kept["words"]).split("\n")):
        assert line in shown.words
    told = await fetch(portal.application, "SELECT notice, route::text FROM communication")
    assert told == [
        {"notice": "ecommunications_enrolled",
         "route": '[[["email", true]], [["mail", true]]]'}
    ]  # fmt: skip
    trail = await fetch(portal.application, "SELECT actor, act FROM audit_entry ORDER BY id")
    assert [row["act"] for row in trail] == [
        "ecommunications.sample_made",
        "ecommunications.enrolled",
    ]
    page = Page((await parent.get(f"/{language}/profile")).text)
    said = "You are enrolled" if language == "en" else "Su inscripción en las Comunicaciones"
    assert said in page.words


@pytest.mark.parametrize("language", ["en", "es"])
def test_all_that_the_law_asks_for_is_shown_before(language: Any) -> None:
    """15 U.S.C. § 7001(c)(1)(B) and (C)(i), point by point: paper is an option, at no cost; what is
    covered, and that court papers come by mail too; how to withdraw, and what follows; how to keep
    the address current; how to get a paper copy, and its cost; what is needed to read and keep."""
    agency = Agency(phone="1-800-555-0100")
    words = disclosure(Layout.of(Settings(agency=agency), StaticFiles()), language)
    assert [len(section.lines) for section in words.sections] == [3, 2, 2, 3, 4]
    points = {
        "en": (
            "come by mail, at no cost to you",
            "It covers monthly statements",
            "Court papers always come by mail too.",
            "go back to paper at any time, free",
            "all later ones, then come by mail",
            "change it in My Profile",
            "a paper copy of any notice, free",
            "up-to-date web browser",
            "An email address that only you read.",
            "opens PDF files",
            "space to save it, or a printer",
            "If what you need ever changes, we tell you first",
        ),
        "es": (
            "llegan por correo postal, sin costo para usted",
            "Incluye los estados de cuenta mensuales",
            "Los documentos de la corte siempre llegan también por correo postal.",
            "volver al papel en cualquier momento, gratis",
            "todos los siguientes, le llegarán por correo postal",
            "indique la nueva en Mi Perfil",
            "gratis una copia en papel de cualquier aviso",
            "un navegador actualizado",
            "que solo usted lea",
            "abra archivos PDF",
            "espacio para guardarlo o una impresora",
            "Si algún día cambia lo que se necesita, se lo diremos antes",
        ),
    }
    for point in points[language]:
        assert point in words.text
    assert words.text.count("1-800-555-0100") == 3


async def test_words_that_changed_meanwhile_are_read_again(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """Nobody consents to what they were not shown: no sample is made."""
    answered = await post_form(parent, f"/en{PLACE}", text_version="0" * 64)
    assert answered.status_code == 409
    assert "What you read here has changed since." in Page(answered.text).words
    assert await fetch(portal.application, "SELECT FROM consent_sample") == []


async def test_the_sample_is_a_pdf_like_those_that_will_come(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """Tagged, in the reader's language, one page, the code spelled for a screen reader; it names
    nobody, and is the same each time it is opened."""
    code = await begin(parent, "es")
    first, second = [await parent.get(f"/es{SAMPLE}.pdf") for _ in range(2)]
    assert first.content == second.content
    assert "no-store" in first.headers["cache-control"]
    with pikepdf.open(BytesIO(first.content)) as opened:
        assert opened.Root.MarkInfo.Marked
        assert str(opened.Root.Lang).startswith("es")
        assert len(opened.pages) == 1
    words = words_of(first.content)
    assert f"Su código {code}" in words
    assert PARTICIPANT.last_name.upper() not in words.upper()
    assert PARTICIPANT.external_id not in words
    [sample] = await fetch(portal.application, "SELECT opened_at FROM consent_sample")
    assert sample["opened_at"] == MONDAY_NOON


async def test_a_wrong_code_is_said_and_can_be_corrected(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """What was typed stays in the field; the right one then enrols, in whatever form."""
    code = await begin(parent)
    for typed, said in (("", "Enter the code"), ("CDF HJK", "This is not the code")):
        answered = await post_form(parent, f"/en{SAMPLE}", code=typed)
        assert answered.status_code == 422
        page = Page(answered.text)
        assert said in page.words
        assert page.all("input", id="code", aria_invalid="true") or page.all(
            "input", id="code", value=typed
        )
        assert page.all("a", href="#code")
    assert await consents(portal) == []
    await post_form(parent, f"/en{SAMPLE}", code=code.lower().replace(" ", "-"))
    assert [row["wrong"] for row in await consents(portal)] == ["1"]


async def test_after_five_wrong_codes_there_is_a_new_sample(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """The page says so, and the old code works no more."""
    old = await begin(parent)
    for turn in range(5):
        answered = await post_form(parent, f"/en{SAMPLE}", code="CCCCCC")
        assert ("wrong too many times" in Page(answered.text).words) is (turn == 4)
    new = await read(parent)
    assert new != old
    assert (await post_form(parent, f"/en{SAMPLE}", code=old)).status_code == 422
    assert (await post_form(parent, f"/en{SAMPLE}", code=new)).status_code == 303
    assert len(await consents(portal)) == 1


async def test_a_sample_of_others_enrols_nobody(portal: Portal, parent: httpx.AsyncClient) -> None:
    """Each participant, and each attempt, has a code of its own."""
    await execute(
        portal.application,
        "INSERT INTO participant (external_id, first_name, last_name, language)"
        " VALUES ('0000000009', 'Otra', 'Persona', 'es')",
    )
    await execute(
        portal.application,
        "INSERT INTO contact_point (participant_id, kind, email)"
        " VALUES (2, 'email', 'otra@example.com')",
    )
    theirs = await begin(await portal.signed_in(2))
    ours = await begin(parent)
    assert theirs != ours
    assert (await post_form(parent, f"/en{SAMPLE}", code=theirs)).status_code == 422
    assert await consents(portal) == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_nobody_enrols_without_an_address_for_alerts(
    portal: Portal, parent: httpx.AsyncClient, when: str
) -> None:
    """Neither at the first step nor at the last: the page says what to do first."""
    dead = "UPDATE contact_point SET bounced_at = now() WHERE kind = 'email'"
    if when == "before":
        await execute(portal.application, dead)
        answered = await post_form(parent, f"/en{PLACE}")
    else:
        code = await begin(parent)
        await execute(portal.application, dead)
        answered = await post_form(parent, f"/en{SAMPLE}", code=code)
    assert answered.status_code == 422
    assert "Add an email address that is safe for us to use" in Page(answered.text).words
    assert await consents(portal) == []


async def test_pages_lead_to_where_a_reader_is(portal: Portal, parent: httpx.AsyncClient) -> None:
    """Without a sample to the beginning; enrolled, to the profile; on paper there is nothing to
    withdraw."""
    for path in (SAMPLE, f"{SAMPLE}.pdf"):
        assert (await parent.get(f"/en{path}")).headers["Location"] == f"/en{PLACE}"
    page = Page((await parent.get(f"/en{PLACE}/withdraw")).text)
    assert "Your notices already come on paper" in page.words
    await enrol(portal, parent)
    assert (await parent.get(f"/en{SAMPLE}")).headers["Location"] == "/en/profile"
    page = Page((await parent.get(f"/en{PLACE}")).text)
    assert "Enrolled onNovember 23, 2026" in page.words


async def test_withdrawal_says_what_changes_and_is_confirmed(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """One page, one button: on record, told of, and back to paper from now on."""
    await enrol(portal, parent)
    page = Page((await parent.get(f"/es{PLACE}/withdraw")).text)
    assert "Vale desde este momento" in page.words
    answered = await post_form(parent, f"/es{PLACE}/withdraw")
    assert answered.headers["Location"] == "/es/profile"
    assert [row["action"] for row in await consents(portal)] == ["given", "withdrawn"]
    notices = await fetch(portal.application, "SELECT notice FROM communication ORDER BY id")
    assert [row["notice"] for row in notices] == [
        "ecommunications_enrolled",
        "ecommunications_withdrawn",
    ]
    assert "Vea sus avisos" not in page.words
    assert (await parent.get(f"/es{PLACE}")).status_code == 200


async def test_what_was_agreed_to_is_shown_as_it_was(
    portal: Portal, parent: httpx.AsyncClient
) -> None:
    """In the language in which it was read, whatever the page says of it now."""
    await enrol(portal, parent, "es")
    page = Page((await parent.get(f"/en{PLACE}")).text)
    assert page.all("div", lang="es")
    assert "Los documentos de la corte siempre llegan también por correo postal." in page.words


async def test_logs_and_addresses_say_no_code(portal: Portal, parent: httpx.AsyncClient) -> None:
    """Nor whose it is."""
    with capture_logs() as logs:
        code = await begin(parent)
        await post_form(parent, f"/en{SAMPLE}", code="CDFHJK")
        await post_form(parent, f"/en{SAMPLE}", code=code)
    told = repr(logs)
    for secret in (code, code.replace(" ", ""), "CDFHJK", "ines@example.com"):
        assert secret not in told


async def test_codes_are_not_guessed_without_end(portal: Portal, parent: httpx.AsyncClient) -> None:
    """Sixty in an hour at most, new samples or not."""
    await begin(parent)
    page = await parent.get(f"/en{SAMPLE}")
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert token
    statuses = [
        (
            await parent.post(
                f"/en{SAMPLE}",
                data={"form_token": token[1], "form_id": str(uuid4()), "code": "CCCCCC"},
            )
        ).status_code
        for _ in range(61)
    ]
    assert statuses[:60] == [422] * 60
    assert statuses[60] == 429
