"""Court dates and appointments, as parents use them: seen, put in a calendar, answered."""

from datetime import timedelta

import httpx
import pytest
from icalendar import Calendar

from engine.caseload.personal import WISH
from engine.stack.visitors import hidden_fields
from tests.database_rows import execute, fetch
from tests.portal.page_reader import Page
from tests.portal.portal_server import MONDAY_NOON, Portal, post_form
from tests.portal.world import EVERYBODY, World, populate


@pytest.fixture
async def world(portal: Portal) -> World:
    """Everybody has an appointment in sixteen days."""
    return await populate(portal.application)


@pytest.fixture
async def payer(portal: Portal, world: World) -> httpx.AsyncClient:
    """The browser of the payer."""
    return await portal.signed_in(world.participants["payer"])


async def answers(portal: Portal) -> list[dict[str, object]]:
    """What was taken down."""
    return await fetch(
        portal.application,
        f"SELECT appointment_id, answer, {WISH.read()} AS wish FROM appointment_answer ORDER BY id",
    )


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Wednesday, December 9, 2026 at 12:00", "Appointment at the child support office"]),
        ("es", ["Miércoles, 9 de diciembre de 2026, 12:00", "Cita en la oficina de manutención"]),
    ],
)
async def test_when_and_where_are_said(
    payer: httpx.AsyncClient, language: str, said: list[str]
) -> None:
    """In the reader's language; nothing of anybody else's."""
    page = Page((await payer.get(f"/{language}/appointments")).text)
    for phrase in (*said, "PLACE-OF-payer"):
        assert phrase in page.words
    assert "PLACE-OF-payee" not in page.source


async def test_words_of_one_language_are_said_to_be(
    portal: Portal, world: World, payer: httpx.AsyncClient
) -> None:
    """A place is named in English on Spanish pages too; a parent's own words may be in any."""
    path = f"/es/appointments/{world.appointments['payer']}/reschedule"
    await post_form(payer, path, wish="mañana")
    page = (await payer.get("/es/appointments")).text
    assert '<p lang="en">PLACE-OF-payer</p>' in page
    assert '<span lang="">mañana</span>' in page


async def test_a_court_date_is_asked_about(
    portal: Portal, world: World, payer: httpx.AsyncClient
) -> None:
    """Only the court can change it: the link, and the page it leads to, promise no other time."""
    await execute(portal.application, "UPDATE appointment SET kind = 'court'")
    listed = Page((await payer.get("/en/appointments")).text).words
    asked = await payer.get(f"/en/appointments/{world.appointments['payer']}/reschedule")
    for words in (listed, Page(asked.text).words):
        assert "Ask about this court date" in words
        assert "Ask for another time" not in words


async def test_one_is_confirmed(portal: Portal, world: World, payer: httpx.AsyncClient) -> None:
    """The answer, its audit entry, and words that say so; sent twice it is one answer."""
    mine = world.appointments["payer"]
    path = f"/en/appointments/{mine}/confirm"
    page = (await payer.get("/en/appointments")).text
    form = page.partition(f'action="{path}"')[2].partition("</form>")[0]
    fields = hidden_fields(form)
    first, second = [await payer.post(path, data=fields) for _ in range(2)]
    assert [first.headers["location"], second.headers["location"]] == ["/en/appointments"] * 2
    assert await answers(portal) == [{"appointment_id": mine, "answer": "confirmed", "wish": None}]
    words = Page((await payer.get("/en/appointments")).text).words
    assert "Thank you. We noted that you will come." in words
    assert "You confirmed on November 23, 2026 that you will come." in words
    assert "Confirm that I will come" not in words
    (entry,) = await fetch(
        portal.application, "SELECT act, details::text FROM audit_entry WHERE act LIKE 'app%'"
    )
    assert entry == {"act": "appointment.confirmed", "details": f'{{"appointment": {mine}}}'}


async def test_each_form_is_its_own(portal: Portal, world: World, payer: httpx.AsyncClient) -> None:
    """Two appointments confirmed from one page are two answers."""
    await execute(
        portal.application,
        "INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place,"
        " status) VALUES ('second', $1, $2, 'court', $3, 'Department 7', 'scheduled')",
        world.cases["payer"],
        world.participants["payer"],
        MONDAY_NOON + timedelta(days=30),
    )
    page = (await payer.get("/en/appointments")).text
    for form in page.split("<form ")[1:]:
        path = form.partition('action="')[2].partition('"')[0]
        if path.endswith("/confirm"):
            await payer.post(path, data=hidden_fields(form.partition("</form>")[0]))
    assert len(await answers(portal)) == 2


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "You asked on November 23, 2026 for another time."),
        ("es", "El 23 de noviembre de 2026 usted pidió otra fecha u hora."),
    ],
)
async def test_another_time_is_asked_for(
    portal: Portal, world: World, payer: httpx.AsyncClient, language: str, said: str
) -> None:
    """With a wish in the parent's own words, which are shown back as they were written."""
    mine = world.appointments["payer"]
    wish = "Después de las 3 <b>&</b> no los lunes"
    answer = await post_form(payer, f"/{language}/appointments/{mine}/reschedule", wish=wish)
    assert answer.headers["location"] == f"/{language}/appointments"
    assert await answers(portal) == [{"appointment_id": mine, "answer": "reschedule", "wish": wish}]
    words = Page((await payer.get(f"/{language}/appointments")).text).words
    assert said in words
    assert wish in words


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("x" * 501, "Make your request shorter: it can have up to 500 characters"),
        ("a\x00b", "Write your request again: it has a symbol we cannot read"),
    ],
)
async def test_a_wish_that_cannot_be_taken_is_shown_again(
    portal: Portal, world: World, payer: httpx.AsyncClient, wish: str, said: str
) -> None:
    """With what is wrong with it; nothing is taken down."""
    path = f"/en/appointments/{world.appointments['payer']}/reschedule"
    answer = await post_form(payer, path, wish=wish)
    assert answer.status_code == 422
    assert said in Page(answer.text).words
    assert await answers(portal) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("status = 'cancelled'", "This appointment was cancelled. You do not need to come."),
        ("starts_at = '2026-11-20 20:00+00'", "This appointment is past."),
        ("starts_at = starts_at + interval '1 day'", "was changed since you opened the page"),
    ],
)
async def test_what_changed_meanwhile_takes_no_answer(
    portal: Portal, world: World, payer: httpx.AsyncClient, change: str, said: str
) -> None:
    """The page says what became of it, and nothing is taken down."""
    path = f"/en/appointments/{world.appointments['payer']}"
    fields = hidden_fields((await payer.get(f"{path}/reschedule")).text)
    await execute(portal.application, f"UPDATE appointment SET {change}")
    for act in ("confirm", "reschedule"):
        answer = await payer.post(f"{path}/{act}", data=fields)
        assert answer.status_code == 409
        assert said in Page(answer.text).words
    assert await answers(portal) == []


@pytest.mark.parametrize("act", ["confirm", "reschedule"])
async def test_nobody_answers_for_another(
    portal: Portal, world: World, payer: httpx.AsyncClient, act: str
) -> None:
    """The other party's appointment, a stranger's, and none at all: not there."""
    path = f"/en/appointments/{world.appointments['payer']}"
    fields = hidden_fields((await payer.get(f"{path}/reschedule")).text)
    for other in (world.appointments["payee"], world.appointments["stranger"], 999, "x", "9" * 40):
        answer = await payer.post(f"/en/appointments/{other}/{act}", data=fields)
        assert answer.status_code == 404
    assert await answers(portal) == []


@pytest.mark.parametrize(("language", "summary"), [("en", "Appointment"), ("es", "Cita")])
async def test_it_is_added_to_a_calendar(
    world: World, payer: httpx.AsyncClient, language: str, summary: str
) -> None:
    """When and where, under a word that says nothing of child support, and nothing of who."""
    mine = world.appointments["payer"]
    answer = await payer.get(f"/{language}/appointments/{mine}/calendar.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert f"SUMMARY;LANGUAGE={language}:{summary}\r\n" in answer.text
    assert "DTSTART;TZID=America/Los_Angeles:20261209T120000" in answer.text
    assert "LOCATION:PLACE-OF-payer" in answer.text
    person = EVERYBODY["payer"]
    for private in (person.external_id, person.last_name, "000000000000001"):
        assert private not in answer.text
    theirs = await payer.get(f"/{language}/appointments/{world.appointments['payee']}/calendar.ics")
    assert theirs.status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("kind = kind", ("PUBLISH", "CONFIRMED", 0)),
        ("starts_at = starts_at + interval '1 day'", ("PUBLISH", "CONFIRMED", 1)),
        ("status = 'cancelled'", ("CANCEL", "CANCELLED", 1)),
    ],
)
async def test_the_file_is_the_newer_word(
    portal: Portal, world: World, payer: httpx.AsyncClient, change: str, said: tuple[str, str, int]
) -> None:
    """Fetched again after a change it moves the calendar's entry, or takes it away."""
    path = f"/en/appointments/{world.appointments['payer']}/calendar.ics"
    before = Calendar.from_ical((await payer.get(path)).content)
    await execute(portal.application, f"UPDATE appointment SET {change}")
    answer = await payer.get(path)
    after = Calendar.from_ical(answer.content)
    [event] = after.events
    assert (after["METHOD"], event["STATUS"], event["SEQUENCE"]) == said
    assert answer.headers["Content-Type"].endswith(f"method={said[0]}")
    assert event["UID"] == before.events[0]["UID"]
