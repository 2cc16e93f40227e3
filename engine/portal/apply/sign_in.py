"""Coming into the application site and going out of it, also in a hurry."""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.responses import RedirectResponse, Response

from engine.portal.apply.public_forms import read_form, shows
from engine.portal.doors import APPLICATION_SITE
from engine.portal.places import ForApplicants, Place, Public
from engine.portal.visit import Visit
from engine.security.passwords import normalised

START: Final = APPLICATION_SITE.prefix
LEAVE: Final = f"{APPLICATION_SITE.prefix}/leave"
_FORM: Final = ("GET", "POST")
_TYPED_MOST: Final = 320
"""An email address has no more characters (RFC 3696, erratum 1690)."""


class ApplySignInPages:
    """The door of the application site."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Public(START, self.start)
        yield Public(APPLICATION_SITE.sign_in, self.sign_in, _FORM)
        yield Public(APPLICATION_SITE.session_ended, self.session_ended)
        yield Public(LEAVE, self.leave)
        yield ForApplicants(APPLICATION_SITE.log_out, self.log_out, ("POST",))
        yield ForApplicants(APPLICATION_SITE.keep_session, self.keep, ("POST",))

    async def start(self, visit: Visit) -> Response:
        """What an application is, what it takes, and the two ways on."""
        return visit.page("apply/start.html")

    async def sign_in(self, visit: Visit) -> Response:
        """The form, or what was posted with it."""
        if not visit.posted:
            return _form(visit, {}, {}, 200)

        def draw(fields: Mapping[str, str], faults: Mapping[str, str], status: int) -> Response:
            return _form(visit, fields, faults, status)

        settings = visit.application.settings
        fields = await read_form(visit, "apply.sign_in", settings.sign_in_rate, draw)
        if isinstance(fields, Response):
            return fields
        name = fields.get("username", "").strip()[:_TYPED_MOST]
        password = normalised(fields.get("password", ""))
        given = {"username": name, "password": password}
        missing = [each for each, value in given.items() if not value]
        if missing:
            return draw(fields, {each: f"{each}_missing" for each in missing}, 422)
        rate = settings.sign_in_rate_per_participant
        await visit.count("apply.sign_in.name", name, visit.network, rate=rate, or_refuse=True)
        session = await visit.application.account_sign_in.attempt(name, password, visit.network)
        if session is None:
            return draw(fields, {"": "not_let_in"}, 422)
        await _end(visit)
        response = visit.to(APPLICATION_SITE.home)
        visit.tokens.give_session(response, session, APPLICATION_SITE)
        return response

    async def session_ended(self, visit: Visit) -> Response:
        """Said to a browser whose session is over; one that is not over is gone on with."""
        token = visit.tokens.session_of(visit.request, APPLICATION_SITE)
        async with visit.application.engine.begin() as connection:
            if token and await visit.sessions.find(connection, token):
                return visit.to(APPLICATION_SITE.home)
        response = visit.page("apply/session_ended.html")
        _forget(visit, response)
        return response

    async def log_out(self, visit: Visit) -> Response:
        """End the session. Where the next person waits, they find what the first one found."""
        async with visit.application.engine.begin() as connection:
            await visit.sessions.end(connection, visit.signed_in)
            await visit.application.audit.append(connection, visit.entry("signed_out"))
        if visit.kiosk:
            response: Response = RedirectResponse(START, 303)
        else:
            response = visit.to(START, said="logged_out")
        _forget(visit, response)
        return response

    async def keep(self, visit: Visit) -> Response:
        """The reader is still there: the gate has just seen the session, which lasts so long."""
        return Response(status_code=204, headers={"Session-Seconds": str(visit.seconds_left)})

    async def leave(self, visit: Visit) -> Response:
        """At once to a page that says nothing of this one, by a plain link.

        The session ends where the browser says that the link was on a page of ours (Fetch Metadata
        Request Headers): no other site can sign a reader out.
        """
        response = RedirectResponse(visit.application.settings.quick_exit_url, 303)
        if visit.request.headers.get("Sec-Fetch-Site") == "same-origin":
            await _end(visit, "left_quickly")
            visit.tokens.take_everything(response)
        return response


async def _end(visit: Visit, act: str | None = None) -> None:
    """Leave no session behind that this browser held before."""
    token = visit.tokens.session_of(visit.request, APPLICATION_SITE)
    async with visit.application.engine.begin() as connection:
        held = await visit.sessions.find(connection, token) if token else None
        if held is None:
            return
        await visit.sessions.end(connection, held)
        if act is not None:
            entry = visit.entry_of(held.participant_id, act)
            await visit.application.audit.append(connection, entry)


def _forget(visit: Visit, response: Response) -> None:
    """Have the browser forget what it kept of a session: at a kiosk, of a whole visit."""
    kept = '"cache", "cookies", "storage"' if visit.kiosk else '"cache", "storage"'
    response.headers["Clear-Site-Data"] = kept
    visit.tokens.take_session(response, APPLICATION_SITE)
    if visit.kiosk:
        visit.tokens.take_everything(response)


def _form(
    visit: Visit, fields: Mapping[str, str], faults: Mapping[str, str], status: int
) -> Response:
    """The form; a fault of the whole form stands under no field's name."""
    typed = fields.get("username", "")[:_TYPED_MOST]
    return visit.page("apply/sign_in.html", status, typed=typed, faults=faults, shown=shows(fields))
