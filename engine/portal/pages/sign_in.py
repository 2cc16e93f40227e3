"""Coming in and going out: sign-in, log out, and what a session's end looks like."""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.responses import Response

from engine.caseload.sign_in import Attempt
from engine.portal.doors import PORTAL
from engine.portal.forms import GROUPING
from engine.portal.gate import CHOOSE_PIN
from engine.portal.places import Access, Place, Public
from engine.portal.tokens import FORM_FIELD
from engine.portal.visit import Visit
from engine.request_bodies import read_fields
from engine.security.sessions import Stage

_TYPED_MOST: Final = 64


class SignInPages:
    """The door."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Public(PORTAL.sign_in, self.sign_in, ("GET", "POST"))
        yield Public(PORTAL.session_ended, self.session_ended)
        yield Place(PORTAL.log_out, self.log_out, Access.PIN_CHANGE, ("POST",))
        yield Place(PORTAL.keep_session, self.keep, Access.PIN_CHANGE, ("POST",))

    async def sign_in(self, visit: Visit) -> Response:
        """The form, or what was posted with it."""
        if visit.posted:
            return await self._posted(visit)
        return self._form(visit, 200)

    async def session_ended(self, visit: Visit) -> Response:
        """Said to a browser whose session is over; it holds none any more. One that is not over is
        gone on with: no link from elsewhere signs a reader out."""
        token = visit.tokens.session_of(visit.request)
        async with visit.application.engine.begin() as connection:
            if token and await visit.application.sessions.find(connection, token):
                return visit.to(PORTAL.home)
        response = visit.page("session_ended.html")
        visit.tokens.take_session(response)
        return response

    async def log_out(self, visit: Visit) -> Response:
        """End the session, and have the browser forget what it kept of it."""
        async with visit.application.engine.begin() as connection:
            await visit.application.sessions.end(connection, visit.signed_in)
            await visit.application.audit.append(connection, visit.entry("signed_out"))
        response = visit.to("/", said="logged_out")
        visit.tokens.take_session(response)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    async def keep(self, visit: Visit) -> Response:
        """The reader is still there: the gate has just seen the session, which lasts so long."""
        return Response(status_code=204, headers={"Session-Seconds": str(visit.seconds_left)})

    async def _posted(self, visit: Visit) -> Response:
        """303 into the portal; 422 in the same words for every number and PIN that do not let in.

        Networks are counted first, then the number in this network, known or not; when neither
        can be counted nobody is let in.
        """
        settings = visit.application.settings
        await visit.count(
            "sign_in.network", visit.network, rate=settings.sign_in_rate, or_refuse=True
        )
        fields = await read_fields(visit.request)
        if not visit.tokens.form_is_ours(visit.request, fields.get(FORM_FIELD, "")):
            return self._form(visit, 403, {"": "form_expired"})
        typed = fields.get("participant_id", "")[:_TYPED_MOST]
        # No number has characters that do not print, and the database cannot be asked for some.
        external_id = "".join(filter(str.isprintable, GROUPING.sub("", typed)))
        pin = fields.get("pin", "").strip()[:_TYPED_MOST]
        missing = [
            name for name, value in (("participant_id", external_id), ("pin", pin)) if not value
        ]
        if missing:
            faults = {name: f"{name}_missing" for name in missing}
            return self._form(visit, 422, faults, typed)
        await visit.count(
            "sign_in.participant",
            external_id,
            visit.network,
            rate=settings.sign_in_rate_per_participant,
            or_refuse=True,
        )
        session = await visit.application.sign_in.attempt(
            Attempt(external_id, pin, visit.network, visit.tokens.device(visit.request))
        )
        if session is None:
            return self._form(visit, 422, {"": "not_let_in"}, typed)
        await self._end_older(visit)
        full = session.stage is Stage.FULL
        response = visit.to(PORTAL.home if full else CHOOSE_PIN)
        visit.tokens.give_session(response, session)
        if full:
            visit.tokens.give_device(response, session)
        return response

    async def _end_older(self, visit: Visit) -> None:
        """Whoever signs in anew leaves no session behind that this browser held before."""
        token = visit.tokens.session_of(visit.request)
        async with visit.application.engine.begin() as connection:
            older = await visit.application.sessions.find(connection, token) if token else None
            if older is not None:
                await visit.application.sessions.end(connection, older)

    def _form(
        self,
        visit: Visit,
        status: int,
        faults: Mapping[str, str] | None = None,
        typed: str = "",
    ) -> Response:
        """The form; a fault of the whole form stands under no field's name."""
        return visit.page("sign_in.html", status, typed=typed, faults=faults or {})
