"""Reading what is posted: every fault found, and nothing hostile gets further than a 4xx."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import request_bodies
from engine.portal.forms import NAME_MOST, Fault, PinRequestForm, counted_as
from engine.request_bodies import BODY_MOST
from tests.portal.page_reader import Page
from tests.portal.portal_server import TYPED, Portal, form_token

GOOD = PinRequestForm("Inés", "Peña", "1234567890", "mail")
FORM_TYPE = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "typed",
    [
        "1234567890",
        " 1234567890 ",
        "123-456-7890",
        "12 34 56 78 90",
        "1234–567890",
        "1234\u00a0567890",
    ],
)
def test_grouped_numbers_are_one_number(typed: str) -> None:
    """However a number is grouped, it is the same number."""
    form = PinRequestForm("Inés", "Peña", typed, "mail")
    assert form.faults(10) == {}
    assert form.external_id == "1234567890"


@pytest.mark.parametrize(
    "typed",
    [
        "123456789",
        "12345678901",
        "12345678x0",
        "１２３４５６７８９０",
        "١٢٣٤٥٦٧٨٩٠",
        "12345\x0067890",
        "1e9",
    ],
)
def test_other_numbers_are_wrong(typed: str) -> None:
    """A number has exactly the digits that the setting says, and nothing else."""
    form = PinRequestForm("Inés", "Peña", typed, "mail")
    assert form.faults(10) == {"participant_id": Fault.PARTICIPANT_ID_WRONG}


@pytest.mark.parametrize("digits", [4, 20])
def test_number_of_digits_is_a_setting(digits: int) -> None:
    """The length asked for is the setting's."""
    assert PinRequestForm("I", "P", "7" * digits, "mail").faults(digits) == {}
    assert PinRequestForm("I", "P", "7" * 10, "mail").faults(digits)


@pytest.mark.parametrize("name", ["", "   ", "\u00a0", "\t"])
def test_blank_names_are_missing(name: str) -> None:
    """A name of blanks is no name."""
    assert PinRequestForm(name, name, "1234567890", "mail").faults(10) == {
        "first_name": Fault.FIRST_NAME_MISSING,
        "last_name": Fault.LAST_NAME_MISSING,
    }


@pytest.mark.parametrize("name", ["A\x00", "A\nB", "A\x1b[2J", "Ñ" * (NAME_MOST + 1)])
def test_unreadable_names_are_faults(name: str) -> None:
    """Control characters and endless names are sent back, not stored or searched for."""
    assert PinRequestForm(name, "Peña", "1234567890", "mail").faults(10) == {
        "first_name": Fault.FIRST_NAME_UNREADABLE
    }


@pytest.mark.parametrize(
    "name", ["Inés", "José María", "O’Neill-Núñez", "Ng", "X", "李", "Ñ" * 200]
)
def test_peoples_names_are_accepted(name: str) -> None:
    """Names are what people say they are."""
    assert PinRequestForm(name, name, "1234567890", "email").faults(10) == {}


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=40), st.text(max_size=9))
def test_any_text_has_an_answer(first: str, last: str, number: str, method: str) -> None:
    """No text makes checking fail; a form without faults is fit to be looked up."""
    form = PinRequestForm(first, last, number, method)
    if not form.faults(10):
        assert len(form.external_id) == 10
        assert "\x00" not in first + last + form.external_id


@given(st.text(max_size=30))
def test_spelling_variants_count_as_one(name: str) -> None:
    """Case, accents, blanks and marks do not make another person of a name."""
    assert counted_as(f" {name} - ") == counted_as(name)
    assert counted_as("MARÍA-JOSÉ") == counted_as("maria  jose")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"a=1", "application/json", 415),
        (b"a=1", "text/plain", 415),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
        (b"", "", 415),
        (b"first_name=" + b"A" * 1_000_000, FORM_TYPE, 413),
        (b"first_name=" + b"A" * BODY_MOST, FORM_TYPE, 413),
        (b"first_name=%FF%FE", FORM_TYPE, 400),
        (b"first_name=\xff\xfe", FORM_TYPE, 400),
        (b"first_name=a&first_name=b", FORM_TYPE, 400),
        (b"&".join(b"f%d=1" % number for number in range(31)), FORM_TYPE, 400),
        (b"", FORM_TYPE, 403),
        (b"first_name=%00&method=%00", FORM_TYPE, 403),
        (b"=&=&%=%&;;", FORM_TYPE, 400),
    ],
)
async def test_hostile_bodies_get_a_clear_page(
    portal: Portal, body: bytes, content_type: str, status: int
) -> None:
    """What no browser sends from our form is answered by a page of the right status, unread."""
    for language in ("en", "es"):
        answered = await portal.browser().post(
            f"/{language}/forgot-pin", content=body, headers={"Content-Type": content_type}
        )
        assert answered.status_code == status
        assert Page(answered.text).all("html", lang=language)
    assert await portal.recorded() == 0


async def test_length_is_not_taken_on_trust(portal: Portal) -> None:
    """A body that comes in pieces without a length is cut off where the limit is."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"A" * 1024

    answered = await portal.browser().post(
        "/en/forgot-pin", content=endless(), headers={"Content-Type": FORM_TYPE}
    )
    assert answered.status_code == 413


async def test_body_that_does_not_come_is_not_waited_for(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser that stops in the middle of a form is let go."""
    monkeypatch.setattr(request_bodies, "BODY_SECONDS", 0.05)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"first_name="
        await asyncio.Event().wait()

    answered = await portal.browser().post(
        "/es/forgot-pin", content=stalled(), headers={"Content-Type": FORM_TYPE}
    )
    assert answered.status_code == 408
    assert Page(answered.text).all("html", lang="es")


async def test_unknown_fields_are_let_be(portal: Portal) -> None:
    """A browser's extension may add a field; the form still works."""
    browser = portal.browser()
    token = form_token((await browser.get("/en/forgot-pin")).text)
    answered = await browser.post(
        "/en/forgot-pin", data=TYPED | {"form_token": token, "autofill": "x"}
    )
    assert answered.status_code == 303
