"""What the portal lets a browser hold: signed, so that it comes back as it was given.

There is no session before sign-in. A form is tied to the browser that fetched it by a token in a
cookie and in the form (the double-submit pattern): a page of another site can send neither.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from engine.caseload.pin_requests import Promise
from engine.portal.forms import METHODS

FORM_FIELD: Final = "form_token"
FORM_SECONDS: Final = 12 * 60 * 60
PROMISE_SECONDS: Final = 60 * 60


@dataclass(frozen=True, slots=True)
class Tokens:
    """Signs under one key; `secure` says that the portal is reached by HTTPS only."""

    key: bytes
    secure: bool

    @property
    def form_cookie(self) -> str:
        """By HTTPS the name itself forbids a neighbouring host to set it (RFC 6265bis, 4.1.3.2)."""
        return "__Host-form" if self.secure else "form"

    @property
    def promise_cookie(self) -> str:
        """Holds what the confirmation page says, so that its URL says nothing."""
        return "__Host-promise" if self.secure else "promise"

    def form_token(self, request: Request) -> str:
        """The browser's token while it is good, else a new one."""
        held = request.cookies.get(self.form_cookie, "")
        if self._loaded("form", held, FORM_SECONDS // 2) is not None:
            return held
        return str(self._serializer("form").dumps(secrets.token_urlsafe(16)))

    def form_is_ours(self, request: Request, token: str) -> bool:
        """Whether the form was fetched by this browser, and lately."""
        held = request.cookies.get(self.form_cookie, "")
        same = hmac.compare_digest(held.encode(), token.encode())
        return same and self._loaded("form", held, FORM_SECONDS) is not None

    def give_form_token(self, response: Response, token: str) -> None:
        """Let the browser hold `token`, until it is closed."""
        self._give(response, self.form_cookie, token)

    def give_promise(self, response: Response, promise: Promise) -> None:
        """Let the browser hold the method and the date that the confirmation page shows."""
        signed = self._serializer("promise").dumps([promise.method, promise.due.isoformat()])
        self._give(response, self.promise_cookie, str(signed))

    def promise(self, request: Request) -> Promise | None:
        """What this browser was promised within the hour."""
        held = request.cookies.get(self.promise_cookie, "")
        match self._loaded("promise", held, PROMISE_SECONDS):
            case [method, str(due)] if method in METHODS:
                return Promise(method, date.fromisoformat(due))
        return None

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.key, salt=f"portal {purpose}")

    def _loaded(self, purpose: str, token: str, seconds: int) -> Any:
        try:
            return self._serializer(purpose).loads(token, max_age=seconds)
        except BadSignature:
            return None

    def _give(self, response: Response, cookie: str, value: str) -> None:
        response.set_cookie(
            cookie, value, path="/", httponly=True, samesite="lax", secure=self.secure
        )
