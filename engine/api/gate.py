"""The gate before every door: whose token it is, how often they come, and whether they may."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from engine.api.doors import Call, Door
from engine.api.problems import (
    KEY_MISSING,
    KEY_UNKNOWN,
    SCOPE_MISSING,
    TOO_MANY,
    ProblemError,
    ProblemKind,
)
from engine.bootstrap import Application
from engine.case_system.keys import Caller
from engine.client_network import client_network
from engine.security.throttling import Taken

ANYBODY: Final = Caller(0, "", frozenset())
_SCHEME: Final = "bearer"
_POLICY: Final = "api-key"


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets calls in."""

    application: Application

    async def enter(self, door: Door, request: Request) -> Response:
        """What the door answers; who may not come gets a problem."""
        network = client_network(request.client.host if request.client else None)
        if door.public:
            return await door.handler(Call(self.application, request, ANYBODY, network))
        caller = await self._caller(request, network)
        rate = self.application.settings.api_rate
        taken = await self.application.throttle.take("api", str(caller.key_id), rate=rate)
        limits = _limits(taken)
        try:
            _admit(door, caller, taken)
            response = await door.handler(Call(self.application, request, caller, network))
        except ProblemError as problem:
            problem.headers.update(limits)
            raise
        response.headers.update(limits)
        return response

    async def _caller(self, request: Request, network: str) -> Caller:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != _SCHEME or not token.strip():
            raise _unauthorized(KEY_MISSING, "")
        async with self.application.engine.begin() as connection:
            caller = await self.application.api_keys.caller(connection, token.strip())
        if caller is not None:
            return caller
        rate = self.application.settings.api_unknown_rate
        decision = await self.application.throttle.allow("api_unknown", network, rate=rate)
        if not decision.allowed:
            raise ProblemError(TOO_MANY, headers=_later(decision.retry_after_seconds))
        raise _unauthorized(KEY_UNKNOWN, ', error="invalid_token"')


def _admit(door: Door, caller: Caller, taken: Taken) -> None:
    if not taken.decision.allowed:
        raise ProblemError(TOO_MANY, headers=_later(taken.decision.retry_after_seconds))
    if door.scope is not None and door.scope not in caller.scopes:
        needed = f', error="insufficient_scope", scope="{door.scope}"'
        raise _unauthorized(SCOPE_MISSING, needed)


def _unauthorized(kind: ProblemKind, why: str) -> ProblemError:
    """RFC 6750, 3: what is missing, to the one who has to be shown a token."""
    return ProblemError(kind, headers={"WWW-Authenticate": f'Bearer realm="connect"{why}'})


def _later(seconds: int) -> Mapping[str, str]:
    return {"Retry-After": str(seconds)}


def _limits(taken: Taken) -> Mapping[str, str]:
    """What may be asked for and what is left of it (draft-ietf-httpapi-ratelimit-headers)."""
    return {
        "RateLimit-Policy": f'"{_POLICY}";q={taken.most};w={taken.window_seconds}',
        "RateLimit": f'"{_POLICY}";r={taken.left};t={taken.more_in_seconds}',
    }
