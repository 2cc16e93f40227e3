"""The machine API put together: its doors under one path, and problems for whatever goes wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.about import every_door
from engine.api.doors import Door
from engine.api.gate import Gate
from engine.api.problems import (
    AWAY,
    BY_STATUS,
    INVALID,
    METHOD_NOT_ALLOWED,
    OUR_FAULT,
    ProblemError,
)
from engine.bootstrap import Application
from engine.caseload.columns import Rules
from engine.mounting import WholeMount
from engine.request_failures import log_failure

_VERSION: Final = "/v1"
_RETRY: Final = {"Retry-After": "30"}


def api_door(application: Application) -> Mount:
    """All that is under /api. Without a row of an API key, every call is answered 401."""
    gate = Gate(application)
    by_path: dict[str, dict[str, Door]] = {}
    for door in every_door(Rules.of(application.settings)):
        by_path.setdefault(door.path, {})[door.method] = door
    routes = [
        Route(f"{_VERSION}{path}", Doorway(gate, methods)) for path, methods in by_path.items()
    ]
    return WholeMount("/api", routes=routes, middleware=[Middleware(Problems)])


@dataclass(frozen=True, slots=True, eq=False)
class Doorway:
    """ASGI application: the doors at one path, by their methods."""

    gate: Gate
    doors: Mapping[str, Door]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the door of the method; whoever asks for the head of an answer is answered as
        if for all of it."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if method not in self.doors:
            allowed = ", ".join(sorted({*self.doors, *({"HEAD"} if "GET" in self.doors else ())}))
            raise ProblemError(METHOD_NOT_ALLOWED, headers={"Allow": allowed})
        response = await self.gate.enter(self.doors[method], Request(scope, receive))
        await response(scope, receive, send)


@dataclass(frozen=True, slots=True, eq=False)
class Problems:
    """ASGI middleware: no answer of the API is a page. It is counted under its own identity where
    nothing of it matches a path."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; what is raised is answered as a problem."""
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            if started:
                raise
            await _problem(error).answer()(scope, receive, send)


def _problem(error: Exception) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, HTTPException):
        kind = BY_STATUS.get(error.status_code, INVALID)
        return ProblemError(kind, headers=error.headers)
    if log_failure(error):
        return ProblemError(AWAY, headers=_RETRY)
    return ProblemError(OUR_FAULT)
