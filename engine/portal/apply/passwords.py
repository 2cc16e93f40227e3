"""Another password: at will, or by a link for whoever forgot theirs."""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.background import BackgroundTask
from starlette.responses import Response

from engine.applications.account_form import read_email
from engine.portal.apply.public_forms import SHOW, read_form, shows
from engine.portal.doors import APPLICATION_SITE
from engine.portal.places import ForApplicants, Place, Public
from engine.portal.visit import Visit
from engine.security.passwords import FEWEST, PasswordFault, normalised

FORGOTTEN: Final = f"{APPLICATION_SITE.prefix}/forgot-password"
REQUESTED: Final = f"{FORGOTTEN}/sent"
RESET: Final = f"{APPLICATION_SITE.prefix}/reset"
ACCOUNT: Final = f"{APPLICATION_SITE.prefix}/account"
_FORM: Final = ("GET", "POST")
_PER_ADDRESS: Final = "5/hour"
_PER_ACCOUNT: Final = "5/15minute"


class PasswordPages:
    """The three forms."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Public(FORGOTTEN, self.forgotten, _FORM)
        yield Public(REQUESTED, self.requested)
        yield Public(f"{RESET}/{{token}}", self.reset, _FORM)
        yield ForApplicants(ACCOUNT, self.account, _FORM, after=APPLICATION_SITE.home)

    async def forgotten(self, visit: Visit) -> Response:
        """The form, or what was posted with it. Whether the address has an account is looked up
        when the answer is on its way: neither its words nor its time tell."""
        if not visit.posted:
            return visit.page("apply/forgot_password.html", typed="", faults={})

        def draw(fields: Mapping[str, str], faults: Mapping[str, str], status: int) -> Response:
            typed = fields.get("email", "")
            return visit.page("apply/forgot_password.html", status, typed=typed, faults=faults)

        rate = visit.application.settings.forgot_pin_rate
        fields = await read_form(visit, "apply.forgotten", rate, draw)
        if isinstance(fields, Response):
            return fields
        email = read_email(fields.get("email", ""))
        if email is None:
            missing = not fields.get("email", "").strip()
            return draw(fields, {"email": "email_missing" if missing else "email_wrong"}, 422)
        allowed = await visit.application.throttle.allow(
            "apply.forgotten.address", email.casefold(), rate=_PER_ADDRESS
        )
        response = visit.to(REQUESTED)
        if allowed.allowed:
            passwords = visit.application.account_passwords
            response.background = BackgroundTask(passwords.forgotten, email, visit.network)
        return response

    async def requested(self, visit: Visit) -> Response:
        """That a mail is on its way, if there is an account: the same words for everyone."""
        return visit.page("apply/password_requested.html")

    async def reset(self, visit: Visit) -> Response:
        """Where the mail's link leads."""
        if visit.posted:
            return await self._reset(visit)
        return _dead(visit) if await _link(visit) is None else _reset_form(visit, {}, {}, 200)

    async def _reset(self, visit: Visit) -> Response:
        def draw(fields: Mapping[str, str], faults: Mapping[str, str], status: int) -> Response:
            return _reset_form(visit, fields, faults, status)

        rate = visit.application.settings.sign_in_rate
        fields = await read_form(visit, "apply.reset", rate, draw)
        if isinstance(fields, Response):
            return fields
        passwords = visit.application.account_passwords
        if (link := await _link(visit)) is None:
            return _dead(visit)
        password = normalised(fields.get("password", ""))
        if (wrong := await passwords.fault(link[1], password)) is not None:
            return draw(fields, {"password": wrong}, 422)
        hashed = await passwords.hash(password)
        if not await passwords.reset(link, hashed, visit.network):
            return _dead(visit)
        return visit.to(APPLICATION_SITE.sign_in, said="password_changed")

    async def account(self, visit: Visit) -> Response:
        """The username, and the form for another password; the current one is asked for."""
        if not visit.posted or SHOW in visit.fields:
            return await self._account(visit, {}, 200)
        passwords, applicant = visit.application.account_passwords, visit.applicant
        current = normalised(visit.fields.get("current_password", ""))
        new = normalised(visit.fields.get("password", ""))
        faults: dict[str, str] = {}
        if not current:
            faults["current_password"] = PasswordFault.CURRENT_MISSING
        if (wrong := await passwords.fault(applicant.id, new)) is not None:
            faults["password"] = wrong
        elif new == current:
            faults["password"] = PasswordFault.SAME
        if faults:
            return await self._account(visit, faults, 422)
        await visit.count("apply.password", str(applicant.id), rate=_PER_ACCOUNT, or_refuse=True)
        if not await passwords.is_current(applicant.id, current):
            await visit.note("password.current_wrong")
            return await self._account(
                visit, {"current_password": PasswordFault.CURRENT_WRONG}, 422
            )
        hashed = await passwords.hash(new)
        async with visit.act("password.changed") as doing:
            session = await passwords.change(doing.transaction, applicant, visit.signed_in, hashed)
        response = visit.to(APPLICATION_SITE.home, said="password_changed")
        visit.tokens.give_session(response, session, APPLICATION_SITE)
        return response

    async def _account(self, visit: Visit, faults: Mapping[str, str], status: int) -> Response:
        async with visit.reading() as connection:
            username = await visit.application.account_passwords.username(
                connection, visit.applicant.id
            )
        return visit.page(
            "apply/account.html",
            status,
            nav="account",
            username=username,
            faults=faults,
            shown=shows(visit.fields),
            fewest=FEWEST,
        )


async def _link(visit: Visit) -> tuple[int, int] | None:
    token = visit.request.path_params["token"]
    async with visit.reading() as connection:
        return await visit.application.account_passwords.owner(connection, token)


def _reset_form(
    visit: Visit, fields: Mapping[str, str], faults: Mapping[str, str], status: int
) -> Response:
    return visit.page("apply/reset.html", status, faults=faults, shown=shows(fields), fewest=FEWEST)


def _dead(visit: Visit) -> Response:
    return visit.page("apply/dead_link.html", 404, onward=FORGOTTEN)
