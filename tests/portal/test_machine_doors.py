"""What programs ask of the portal: described, and answered as described whatever is sent."""

from typing import Final

import pytest
from hypothesis import strategies as st
from starlette.routing import Route

from engine.portal.app import places
from engine.portal.apply.rooms import apply_places
from engine.portal.machine_doors import DESCRIPTION
from tests.described import AS_DESCRIBED, Case, cases_of, operations, sent
from tests.portal.portal_server import Portal

DOORS: Final = operations(DESCRIPTION)
TOKEN: Final = "{token}"


def test_every_door_that_is_no_page_is_described(portal: Portal) -> None:
    """Health, metrics, whatever comes: what is asked by no browser has its place here."""
    every = (*places(), *apply_places())
    pages = {f"/{language}{place.path}" for place in every for language in ("en", "es")}
    shortcuts = {"/", "/en", "/es", "/forgot-pin", "/login", "/apply", "/static/{name}"}
    asked = {route.path for route in portal.app.routes if isinstance(route, Route)}
    described = {path for path in DESCRIPTION["paths"] if TOKEN not in path}
    assert asked - pages - shortcuts == described
    assert {f"/{language}/u/{{token}}" for language in ("en", "es")} <= pages


@pytest.mark.parametrize(
    "door", [cases for _, _, cases in DOORS], ids=[name for name, _, _ in DOORS]
)
async def test_every_answer_is_as_described(portal: Portal, door: st.SearchStrategy[Case]) -> None:
    """What the description allows, and what it does not: no failure of ours, and no answer of
    another status, type or shape than it says."""
    cases = cases_of(door)
    assert cases
    for case in cases:
        answer = await portal.browser().request(**sent(case, "http://portal.example"))
        await answer.request.aread()
        case.validate_response(answer, checks=AS_DESCRIBED)
