"""One visit to one page: who came, in which language, with which form, and what may be answered."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from engine.applications.accounts import Applicant
from engine.applications.file_types import FileFault
from engine.bootstrap import Application
from engine.caseload.acts import Act, Doing
from engine.client_network import client_network
from engine.i18n import Language
from engine.portal.doors import APPLICATION_SITE, Door, door_of
from engine.portal.layout import Layout
from engine.portal.tokens import FORM_FIELD, Tokens
from engine.security.audit import Detail, Entry
from engine.security.sessions import Session, Sessions, Stage

FORM_ID_FIELD: Final = "form_id"
WARN_BEFORE_SECONDS: Final = 2 * 60


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page is handed. `fields` are those of a form of ours that was posted, else empty;
    `file` is what came with it, or that it was too large to be read."""

    request: Request
    language: Language
    path: str
    application: Application
    layout: Layout
    tokens: Tokens
    session: Session | None = None
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: UUID = field(default_factory=uuid4)
    file: bytes | FileFault = field(default=b"", repr=False)
    connection: AsyncConnection | None = None
    known_applicant: Applicant | None = None

    @property
    def signed_in(self) -> Session:
        """The session of a page that asks for one."""
        assert self.session is not None  # noqa: S101  the gate lets nobody else in
        return self.session

    @property
    def participant_id(self) -> int:
        """Whose visit it is."""
        return self.signed_in.participant_id

    @property
    def applicant(self) -> Applicant:
        """Whose visit it is to a page of the application site that asks for a session."""
        assert self.known_applicant is not None  # noqa: S101  the gate lets nobody else in
        return self.known_applicant

    @property
    def door(self) -> Door:
        """The door that the page is behind."""
        return door_of(self.path)

    @property
    def sessions(self) -> Sessions:
        """The sessions that were opened at this door."""
        if self.door is APPLICATION_SITE:
            return self.application.applicant_sessions
        return self.application.sessions

    @property
    def kiosk(self) -> bool:
        """Whether the browser stands where the next person uses it after this one."""
        return self.application.settings.kiosk

    def refuse_at_kiosk(self) -> None:
        """For files that are made to be kept: at a kiosk the next person would find them.

        Raises HTTPException, 404.
        """
        if self.kiosk:
            raise HTTPException(404)

    @property
    def seconds_left(self) -> int:
        """How long the session lasts from now on if nothing more is asked for."""
        whole = self.signed_in.ends_at - self.application.clock()
        return max(0, int(min(self.sessions.idle, whole).total_seconds()))

    @property
    def network(self) -> str:
        """The network it comes from, as far as limits are counted."""
        client = self.request.client
        return client_network(client.host if client else None)

    @property
    def posted(self) -> bool:
        """Whether a form was sent. HEAD asks what GET would answer (RFC 9110, 9.3.2)."""
        return self.request.method == "POST"

    async def count(self, scope: str, *parts: str, rate: str, or_refuse: bool = False) -> None:
        """Count this visit against `rate`; see Throttle.allow.

        Raises HTTPException: 429 for one too many, 503 where it could not be counted.
        """
        decision = await self.application.throttle.allow(
            scope, *parts, rate=rate, or_refuse=or_refuse
        )
        if not decision.allowed:
            status = 429 if decision.counted else 503
            raise HTTPException(status, headers={"Retry-After": str(decision.retry_after_seconds)})

    def query(self, name: str) -> str:
        """A parameter of the address; empty where there is none."""
        return self.request.query_params.get(name, "")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read with."""
        if self.connection is not None:
            yield self.connection
            return
        async with self.application.engine.connect() as connection:
            yield connection

    def act(self, name: str, **details: Detail) -> AbstractAsyncContextManager[Doing]:
        """The transaction in which this visit's form is done, once; see `Acts.begin`."""
        act = Act(self.signed_in, name, self.form, self.network, details)
        if self.door is APPLICATION_SITE:
            return self.application.applicant_acts.begin(act)
        return self.application.acts.begin(act)

    async def note(self, act: str) -> None:
        """Put into the audit trail what this visit did and no form's transaction tells of."""
        async with self.application.engine.begin() as connection:
            await self.application.audit.append(connection, self.entry(act))

    def entry(self, act: str, **details: Detail) -> Entry:
        """What the audit trail says of this visit."""
        return self.entry_of(self.participant_id, act, **details)

    def entry_of(self, participant_id: int, act: str, **details: Detail) -> Entry:
        """The same of a participant whose session the page does not ask for."""
        actor = f"participant:{participant_id}"
        return Entry(actor, act, participant_id, details, self.network)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """`template`, drawn for this visit."""
        query = "" if self.posted else self.request.url.query
        token = _FormToken(self)
        response = self.layout.page(
            self.language,
            template,
            self.path,
            status,
            query=query,
            **(
                {
                    "form_field": FORM_FIELD,
                    "form_token": token,
                    "form_id_field": FORM_ID_FIELD,
                    "form_id": str(uuid4()),
                    "said": self.tokens.said(self.request),
                    "door": self.door,
                }
                | self._standing()
                | values
            ),
        )
        if self.session is None and token.drawn is not None:
            self.tokens.give_form_token(response, token.drawn)
        self.tokens.forget_said(self.request, response)
        return response

    def to(self, path: str, said: str | None = None) -> Response:
        """On to `path`, in the same language, by GET; its page says `said`."""
        response = RedirectResponse(f"/{self.language}{path}", 303)
        if said is not None:
            self.tokens.give_said(response, said)
        return response

    def _standing(self) -> dict[str, Any]:
        """What the frame of a page says of the session."""
        if self.session is None:
            return {}
        left = self.seconds_left
        return {
            "signed_in": self.session.stage is not Stage.PIN_CHANGE,
            "in_session": True,
            "unread": self.session.unread,
            "session_seconds": left,
            "warn_after_seconds": max(0, left - WARN_BEFORE_SECONDS),
        }


class _FormToken:
    """The token of a page's forms, made when a form is drawn: a page without one gives a browser
    nothing to hold."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.drawn: str | None = None

    def __str__(self) -> str:
        if self.drawn is None:
            visit = self._visit
            self.drawn = (
                visit.tokens.session_token(visit.session)
                if visit.session
                else visit.tokens.form_token(visit.request)
            )
        return self.drawn
