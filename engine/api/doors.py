"""The doors of the machine API: where each stands, who may come, and how it is described.

Who calls, whether they may and how often, is looked at before a handler is asked; a handler does
nothing of that.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from engine.api.problems import ProblemKind
from engine.bootstrap import Application
from engine.case_system.keys import Caller, Scope

Method = Literal["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a program that may come. At a public door the caller has no name."""

    application: Application
    request: Request
    caller: Caller
    network: str


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a status means, the shape of its body, examples by name, and headers of its own."""

    said: str
    shape: type[BaseModel] | None = None
    examples: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the OpenAPI document says of a door. `body` is asked for with the rules of the agency
    (how many digits its numbers have); `problems` are those besides the ones every door has."""

    id: str
    summary: str
    answers: Mapping[int, Answers]
    description: str = ""
    parameters: tuple[Mapping[str, Any], ...] = ()
    body: Callable[[Any], Any] | None = None
    body_examples: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[ProblemKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Door:
    """A method at a path under /api/v1. `scope` is what a key must be good for, None where any key
    will do; a `public` one asks for none."""

    method: Method
    path: str
    handler: Handler
    operation: Operation
    scope: Scope | None = None
    public: bool = False
