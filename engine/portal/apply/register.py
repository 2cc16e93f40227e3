"""Opening an account: the form, the mail with a link, and the page it leads to."""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.responses import Response

from engine.applications.account_form import AccountForm, username_fault
from engine.applications.accounts import NotConfirmed
from engine.communications.catalogue import LANGUAGES
from engine.portal.apply.public_forms import read_form, shows
from engine.portal.doors import APPLICATION_SITE
from engine.portal.places import Place, Public
from engine.portal.visit import Visit
from engine.security.passwords import FEWEST, PasswordFault, normalised

REGISTER: Final = f"{APPLICATION_SITE.prefix}/register"
REGISTERED: Final = f"{REGISTER}/sent"
CONFIRM: Final = f"{APPLICATION_SITE.prefix}/confirm"
_FORM: Final = ("GET", "POST")
_PER_ADDRESS: Final = "5/day"
"""However often an address is entered, its mailbox is not flooded."""
_PER_LINK: Final = "10/hour"
_SHOWN_AGAIN: Final = ("first_name", "last_name", "email", "username")


class RegisterPages:
    """From the form to the first page behind the door."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Public(REGISTER, self.register, _FORM)
        yield Public(REGISTERED, self.registered)
        yield Public(f"{CONFIRM}/{{token}}", self.confirm, _FORM)

    async def register(self, visit: Visit) -> Response:
        """The form, or what was posted with it: the same answer, whoever has an account already."""
        if not visit.posted:
            return _register_form(visit, {}, {}, 200)

        def draw(fields: Mapping[str, str], faults: Mapping[str, str], status: int) -> Response:
            return _register_form(visit, fields, faults, status)

        rate = visit.application.settings.register_rate
        fields = await read_form(visit, "apply.register", rate, draw)
        if isinstance(fields, Response):
            return fields
        agency = visit.application.settings.agency
        names = [agency.programme(each) for each in LANGUAGES]
        form, faults = await AccountForm(fields).read(names)
        if form is None:
            return draw(fields, faults, 422)
        allowed = await visit.application.throttle.allow(
            "apply.register.address", form.email.casefold(), rate=_PER_ADDRESS
        )
        if allowed.allowed:
            await visit.application.accounts.register(form, visit.language, visit.network)
        return visit.to(REGISTERED)

    async def registered(self, visit: Visit) -> Response:
        """That a mail is on its way: the same words for everyone."""
        return visit.page("apply/registered.html")

    async def confirm(self, visit: Visit) -> Response:
        """Where the mail's link leads. The password that was chosen is asked for: somebody else's
        registration with this address is confirmed by nobody."""
        if not visit.posted:
            async with visit.reading() as connection:
                token = visit.request.path_params["token"]
                waiting = await visit.application.accounts.waiting(connection, token)
            return _confirm_form(visit, {}, {}, 200) if waiting else _dead(visit)

        def draw(fields: Mapping[str, str], faults: Mapping[str, str], status: int) -> Response:
            return _confirm_form(visit, fields, faults, status)

        rate = visit.application.settings.sign_in_rate
        fields = await read_form(visit, "apply.confirm", rate, draw)
        if isinstance(fields, Response):
            return fields
        return await self._confirmed(visit, fields)

    async def _confirmed(self, visit: Visit, fields: Mapping[str, str]) -> Response:
        token = visit.request.path_params["token"]
        password = normalised(fields.get("password", ""))
        username = fields["username"].strip() if "username" in fields else None
        faults: dict[str, str] = {}
        if username is not None and (wrong := username_fault(username)) is not None:
            faults["username"] = wrong
        if not password:
            faults["password"] = PasswordFault.MISSING
        if faults:
            return _confirm_form(visit, fields, faults, 422)
        await visit.count("apply.confirm.link", token, rate=_PER_LINK, or_refuse=True)
        confirmed = await visit.application.accounts.confirm(
            token, password, username, visit.network
        )
        match confirmed:
            case NotConfirmed.DEAD:
                return _dead(visit)
            case NotConfirmed.HAS_ACCOUNT:
                return visit.page("apply/has_account.html", 409)
            case NotConfirmed.WRONG:
                return _confirm_form(visit, fields, {"password": PasswordFault.WRONG}, 422)
            case NotConfirmed.USERNAME_TAKEN:
                again = {"username": username or ""}
                return _confirm_form(visit, again, {"username": "username_taken"}, 422)
        response = visit.to(APPLICATION_SITE.home, said="account_confirmed")
        visit.tokens.give_session(response, confirmed, APPLICATION_SITE)
        return response


def _register_form(
    visit: Visit, fields: Mapping[str, str], faults: Mapping[str, str], status: int
) -> Response:
    return visit.page(
        "apply/register.html",
        status,
        typed={name: fields.get(name, "") for name in _SHOWN_AGAIN},
        faults=faults,
        shown=shows(fields),
        fewest=FEWEST,
    )


def _confirm_form(
    visit: Visit, fields: Mapping[str, str], faults: Mapping[str, str], status: int
) -> Response:
    return visit.page(
        "apply/confirm.html",
        status,
        username=fields.get("username"),
        faults=faults,
        shown=shows(fields),
    )


def _dead(visit: Visit) -> Response:
    return visit.page("apply/dead_link.html", 404, onward=REGISTER)
