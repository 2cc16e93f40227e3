"""Around every request: the headers that protect a reader, one log line, and the last resort."""

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.portal.error_pages import ErrorPages
from engine.portal.metrics import Metrics
from engine.request_failures import log_failure

log: Final = structlog.get_logger()

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    # Shared computers are common: no answer is kept, unless it says of itself that it may be.
    "Cache-Control": "no-store",
}
HTTPS_HEADERS: Final = {"Strict-Transport-Security": "max-age=31536000"}

UNLOGGED: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Asked every few seconds by machines; counted, but not worth a line."""


@dataclass(slots=True)
class _Answer:
    """What became of one request."""

    status: int = 500
    started: bool = False
    began: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware around the whole portal."""

    app: ASGIApp
    error_pages: ErrorPages
    metrics: Metrics
    routes: dict[object, str]
    secure: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; whatever happens to it, it is answered, counted and logged."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.started, answer.status = True, message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in {**HEADERS, **(HTTPS_HEADERS if self.secure else {})}.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._answered(scope, receive, sending, answer)
        finally:
            self._account(scope, answer)

    async def _answered(self, scope: Scope, receive: Receive, send: Send, answer: _Answer) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:  # noqa: BLE001  the last resort: it is answered and named here
            away = log_failure(error)
            if not answer.started:
                page = self.error_pages.page(
                    Request(scope), 503 if away else 500, {"Retry-After": "60"} if away else None
                )
                await page(scope, receive, send)

    def _account(self, scope: Scope, answer: _Answer) -> None:
        seconds = time.perf_counter() - answer.began
        route = self.routes.get(scope.get("endpoint"), "unmatched")
        method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST"} else "other"
        self.metrics.count(method, route, answer.status, seconds)
        if route not in UNLOGGED:
            log.info(
                "request",
                method=method,
                route=route,
                status=answer.status,
                outcome=HTTPStatus(answer.status).phrase,
                ms=round(seconds * 1000, 1),
            )
