"""Asking a door for programs whatever its description allows, and what it does not."""

from typing import Any, Final

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

Case = schemathesis.Case[Any]
AS_DESCRIBED: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
"""No failure of ours, and no answer of another status, type or shape than the description says."""


def operations(
    described: dict[str, Any],
) -> list[tuple[str, GenerationMode, st.SearchStrategy[Case]]]:
    """Every way of asking for every operation: its name, whether as described, and how."""
    schema = schemathesis.openapi.from_dict(described)
    return [
        (
            f"{mode.value} {method} {path}",
            mode,
            schema[path][method.upper()].as_strategy(generation_mode=mode),
        )
        for path, methods in described["paths"].items()
        for method in methods
        for mode in GenerationMode
        # What takes nothing can be asked for in one way only.
        if mode is GenerationMode.POSITIVE or {"parameters", "requestBody"} & methods[method].keys()
    ]


def cases_of(door: st.SearchStrategy[Case], most: int = 10) -> list[Case]:
    """Some of what may be asked there, the same at every run."""
    found: list[Case] = []

    @settings(
        max_examples=most,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(case=door)
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def sent(case: Case, base_url: str) -> dict[str, Any]:
    """What httpx is to send for `case`."""
    asked = case.as_transport_kwargs(base_url=base_url)
    asked.pop("cookies", None)
    asked["headers"] = {name: str(value) for name, value in (asked["headers"] or {}).items()}
    if isinstance(asked.get("data"), bytes | str):
        asked["content"] = asked.pop("data")
    if files := asked.get("files"):
        # A form has texts and files, and no numbers.
        asked["files"] = [(name, _part(part)) for name, part in files]
    return asked


def _part(part: Any) -> Any:
    if isinstance(part, tuple):
        name, content, *rest = part
        return (name, content if isinstance(content, bytes | str) else str(content), *rest)
    return part if isinstance(part, bytes | str) else str(part)
