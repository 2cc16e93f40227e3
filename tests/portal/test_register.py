"""*Register*, for who has no PIN yet: it asks what *Forgot PIN?* asks, and does the same."""

import re
from typing import Final

import httpx
import pytest

from tests.database_rows import fetch
from tests.portal.filled_forms import forms_of
from tests.portal.page_reader import Page
from tests.portal.portal_server import MONDAY_NOON, NOBODY, TYPED, Portal, post_form
from tests.portal.test_query_counts import listening

DOORS: Final = ("/forgot-pin", "/register")
_SIGNED: Final = re.compile(r'(value="|; |^\w+=)[\w.-]{20,}')
"""A token of a form, in its field or its cookie, is signed anew for every browser."""


def seen(answer: httpx.Response) -> tuple[object, ...]:
    """What a browser is answered, but for what is signed."""
    headers = [
        (name, _SIGNED.sub(r"\1", value))
        for name, value in answer.headers.multi_items()
        if name != "content-length"
    ]
    return answer.status_code, headers, _SIGNED.sub(r"\1", answer.text)


async def both(
    portal: Portal, language: str, typed: dict[str, str]
) -> list[list[tuple[object, ...]]]:
    """What is answered at either door to the same words: to the form, and on the page after it."""
    answers = []
    for path in DOORS:
        browser = portal.browser()
        answer = await post_form(browser, f"/{language}{path}", **typed)
        found = [seen(answer)]
        if answer.status_code == 303:
            landed = answer.headers["Location"]
            assert landed == f"/{language}/forgot-pin/sent"
            found.append(seen(await browser.get(landed)))
        answers.append(found)
    return answers


@pytest.mark.parametrize("language", ["en", "es"])
async def test_it_asks_the_same(portal: Portal, language: str) -> None:
    """The same fields in the same order, with the same labels, hints and ways; of a PIN that is in
    use it says nothing."""
    pages = [Page((await portal.browser().get(f"/{language}{path}")).text) for path in DOORS]
    for tag in ("input", "label", "button", "legend"):
        forgot, register = (
            [
                {name: value for name, value in each.attributes.items() if name != "value"}
                for each in page.all(tag)
            ]
            for page in pages
        )
        assert forgot == register
        assert forgot
    drawn = [forms_of(page.source)[0] for page in pages]
    assert drawn[0].names == drawn[1].names == {*TYPED}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("method", ["email", "mail"])
@pytest.mark.parametrize(
    "who",
    [{}, {"last_name": "Otra"}, {"first_name": "Otra"}, NOBODY],
    ids=["participant", "wrong last name", "wrong first name", "nobody"],
)
async def test_it_answers_the_same(
    portal: Portal, language: str, method: str, who: dict[str, str]
) -> None:
    """To the byte, whoever is asked for and by whichever way; what is taken down is the same."""
    forgot, register = await both(portal, language, {**TYPED, **who, "method": method})
    assert forgot == register
    assert forgot[0][0] == 303
    assert forgot[1][0] == 200
    rows = await fetch(
        portal.application,
        "SELECT participant_id, method, language, requested_at, settled_at, outcome"
        " FROM pin_request ORDER BY id",
    )
    assert len(rows) == 2
    assert rows[0] == rows[1]
    assert rows[0]["requested_at"] == MONDAY_NOON
    assert (rows[0]["participant_id"] is None) == bool(who)
    acts = await fetch(portal.application, "SELECT act, participant_id FROM audit_entry")
    assert len({tuple(row.values()) for row in acts}) <= 1


async def test_it_does_the_same_work(portal: Portal) -> None:
    """The same statements, whether or not anybody matched."""
    heard = []
    for who in ({}, NOBODY):
        for path in DOORS:
            await post_form(portal.browser(), f"/en{path}", **TYPED)  # a connection is at hand
            async with listening(portal) as statements:
                await post_form(portal.browser(), f"/en{path}", **{**TYPED, **who})
            heard.append(statements)
    assert heard[0] == heard[1] == heard[2] == heard[3]
    assert any("INSERT INTO pin_request" in statement for statement in heard[0])


@pytest.mark.parametrize("language", ["en", "es"])
async def test_its_faults_are_the_same(portal: Portal, language: str) -> None:
    """Said at the same fields, and nothing is taken down."""
    wrong = {"first_name": " ", "last_name": "a\x00", "participant_id": "12", "method": "fax"}
    for typed in ({}, wrong, {**TYPED, "participant_id": ""}):
        faults = []
        for path in DOORS:
            answer = await post_form(portal.browser(), f"/{language}{path}", **typed)
            assert answer.status_code == 422
            page = Page(answer.text)
            faults.append([each for each in page.ids() if each.endswith("-fault")])
            assert page.all("div", role="alert", tabindex="-1")
        assert faults[0] == faults[1] != []
    assert await portal.recorded() == 0


async def test_both_doors_count_as_one(portal: Portal) -> None:
    """Whoever asked too often at one is not heard at the other, and cannot tell."""
    answers = []
    for turn in range(12):
        path = DOORS[turn % 2]
        answer = await post_form(portal.browser(f"192.0.2.{turn + 1}"), f"/es{path}", **TYPED)
        answers.append(seen(answer))
    assert {answer[0] for answer in answers} == {303}
    assert len({repr(answer[1:]) for answer in answers}) == 1
    assert await portal.recorded() == 5
