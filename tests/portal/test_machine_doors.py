"""What programs ask of the portal: described, and answered as described whatever is sent."""

from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from engine.portal.app import places
from engine.portal.apply.rooms import apply_places
from engine.portal.machine_doors import DESCRIPTION
from tests.portal.portal_server import Portal

SCHEMA: Final = schemathesis.openapi.from_dict(DESCRIPTION)
DOORS: Final = [
    (f"{mode.value} {path}", SCHEMA[path][method.upper()].as_strategy(generation_mode=mode))
    for path, methods in DESCRIPTION["paths"].items()
    for method in methods
    for mode in GenerationMode
    # What takes nothing can be asked for in one way only.
    if mode is GenerationMode.POSITIVE or "parameters" in methods[method]
]
AS_DESCRIBED: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
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


def cases_of(door: st.SearchStrategy[schemathesis.Case[Any]]) -> list[schemathesis.Case[Any]]:
    """Some of what may be asked there, the same at every run."""
    found: list[schemathesis.Case[Any]] = []

    @settings(
        max_examples=10,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(case=door)
    def collect(case: schemathesis.Case[Any]) -> None:
        found.append(case)

    collect()
    return found


@pytest.mark.parametrize("door", [cases for _, cases in DOORS], ids=[name for name, _ in DOORS])
async def test_every_answer_is_as_described(
    portal: Portal, door: st.SearchStrategy[schemathesis.Case[Any]]
) -> None:
    """What the description allows, and what it does not: no failure of ours, and no answer of
    another status, type or shape than it says."""
    cases = cases_of(door)
    assert cases
    for case in cases:
        asked = case.as_transport_kwargs(base_url="http://portal.example")
        del asked["cookies"]
        answer = await portal.browser().request(**asked)
        await answer.request.aread()
        case.validate_response(answer, checks=AS_DESCRIBED)
