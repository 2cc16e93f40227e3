"""What the portal lets a browser hold: signed, so that it comes back as it was given.

There is no session before sign-in. A form is tied to the browser that fetched it by a token in a
cookie and in the form (the double-submit pattern): a page of another site can send neither. After
sign-in the token of every form is derived from the session's.
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
from engine.caseload.sign_in import Device
from engine.portal.doors import APPLICATION_SITE, PORTAL, Door
from engine.portal.forms import METHODS
from engine.portal.language import COOKIE as LANGUAGE_COOKIE
from engine.security.sessions import Session
from engine.security.tokens import derive_tag, matches

FORM_FIELD: Final = "form_token"
FORM_SECONDS: Final = 12 * 60 * 60
PROMISE_SECONDS: Final = 60 * 60
SAID_SECONDS: Final = 5 * 60
DEVICE_SECONDS: Final = 400 * 24 * 60 * 60
"""As long as browsers keep a cookie at most (RFC 6265bis, 5.5)."""
_SESSION_FORM: Final = "portal session form"
_SESSION_FORM_LETTERS: Final = 32


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

    def session_of(self, request: Request, door: Door = PORTAL) -> str:
        """The token of the session that the browser says it has at a door; empty where it says
        none."""
        return request.cookies.get(self._name(door.cookie), "")

    def give_session(self, response: Response, session: Session, door: Door = PORTAL) -> None:
        """Let the browser hold the session, until it is closed."""
        self._give(response, self._name(door.cookie), session.token)

    def take_session(self, response: Response, door: Door = PORTAL) -> None:
        """The browser holds no session any more."""
        response.delete_cookie(
            self._name(door.cookie), path="/", httponly=True, samesite="lax", secure=self.secure
        )

    def take_everything(self, response: Response) -> None:
        """The browser holds nothing any more of who was there, nor of which language they read."""
        for name in ("form", "promise", "said", "device", PORTAL.cookie, APPLICATION_SITE.cookie):
            response.delete_cookie(
                self._name(name), path="/", httponly=True, samesite="lax", secure=self.secure
            )
        response.delete_cookie(
            LANGUAGE_COOKIE, path="/", httponly=True, samesite="lax", secure=self.secure
        )

    def session_token(self, session: Session) -> str:
        """What the forms of a session carry, so that no other site can send one."""
        return derive_tag(self.key, _SESSION_FORM, session.token, _SESSION_FORM_LETTERS)

    def is_of_session(self, session: Session, token: str) -> bool:
        """Whether a form was drawn for this session."""
        return matches(self.key, _SESSION_FORM, session.token, token, _SESSION_FORM_LETTERS)

    def give_said(self, response: Response, said: str) -> None:
        """Let the next page say what was done; `said` is a key that its template words."""
        self._give(response, self._name("said"), str(self._serializer("said").dumps(said)))

    def said(self, request: Request) -> str | None:
        """What the last page did."""
        said = self._loaded("said", request.cookies.get(self._name("said"), ""), SAID_SECONDS)
        return said if isinstance(said, str) else None

    def forget_said(self, request: Request, response: Response) -> None:
        """It is said once."""
        if self._name("said") in request.cookies:
            response.delete_cookie(
                self._name("said"), path="/", httponly=True, samesite="lax", secure=self.secure
            )

    def device(self, request: Request) -> Device | None:
        """The browser as one in which a participant signed in before, if it is such a one."""
        held = request.cookies.get(self._name("device"), "")
        match self._loaded("device", held, DEVICE_SECONDS):
            case [str(number), int(participant_id), int(credential_id)]:
                return Device(number, participant_id, credential_id)
        return None

    def give_device(self, response: Response, session: Session) -> None:
        """Let the browser be known again (OWASP, "Slow Down Online Guessing Attacks with Device
        Cookies"): a lock that a stranger brought about does not keep this participant out of it."""
        number = secrets.token_urlsafe(16)
        device = [number, session.participant_id, session.credential_id]
        response.set_cookie(
            self._name("device"),
            str(self._serializer("device").dumps(device)),
            max_age=DEVICE_SECONDS,
            path="/",
            httponly=True,
            samesite="lax",
            secure=self.secure,
        )

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.secure else name

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
