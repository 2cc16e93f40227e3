"""The pages for everyone: the home page, and *Forgot PIN?* and *Register*, from form to promise."""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine.portal.doors import APPLICATION_SITE
from engine.portal.forms import Fault, PinRequestForm, counted_as
from engine.portal.language import language_of
from engine.portal.places import Place, Public
from engine.portal.tokens import FORM_FIELD
from engine.portal.visit import Visit
from engine.request_bodies import read_fields

HOME: Final = "/"
FORGOT_PIN: Final = "/forgot-pin"
PIN_REQUESTED: Final = "/forgot-pin/sent"
REGISTER: Final = "/register"
_FORM: Final = ("GET", "POST")
_TEMPLATES: Final[Mapping[str, str]] = {FORGOT_PIN: "forgot_pin.html", REGISTER: "register.html"}


class FrontPages:
    """*Register* is for those who have no PIN yet; it asks what *Forgot PIN?* asks, and does it."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Public(HOME, self.home)
        yield Public(FORGOT_PIN, self.ask_for_pin, _FORM)
        yield Public(REGISTER, self.ask_for_pin, _FORM)
        yield Public(PIN_REQUESTED, self.pin_requested)

    async def home(self, visit: Visit) -> Response:
        """What the service does, and the ways to reach it."""
        return visit.page("home.html")

    async def ask_for_pin(self, visit: Visit) -> Response:
        """The form, or what was posted with it."""
        if visit.posted:
            return await self._posted(visit)
        return self._form(visit, PinRequestForm(), {}, 200)

    async def pin_requested(self, visit: Visit) -> Response:
        """The confirmation: the same words for everyone; without a request, back to the form."""
        promise = visit.tokens.promise(visit.request)
        if promise is None:
            return visit.to(FORGOT_PIN)
        return visit.page("pin_requested.html", promise=promise)

    async def _posted(self, visit: Visit) -> Response:
        """Answer 303 to the confirmation, 422 with the faults, 403 for a form not of ours.

        The network is counted before anything is read.
        """
        rates = visit.application.settings
        await visit.count("forgot_pin.network", visit.network, rate=rates.forgot_pin_rate)
        fields = await read_fields(visit.request)
        form = PinRequestForm.of(fields)
        if not visit.tokens.form_is_ours(visit.request, fields.get(FORM_FIELD, "")):
            return self._form(visit, form, {"": Fault.FORM_EXPIRED}, 403)
        if faults := form.faults(rates.participant_id_digits):
            return self._form(visit, form, faults, 422)
        return await self._requested(visit, form)

    async def _requested(self, visit: Visit, form: PinRequestForm) -> Response:
        """Take the request down, unless this participant was asked for too often already.

        Too often is answered like everything else: that a participant exists, or was asked for,
        is nobody's business. The name is counted along with the number, so that whoever knows a
        number alone can neither flood its owner nor use up the owner's own requests.
        """
        method = form.chosen_method()
        requests = visit.application.pin_requests
        decision = await visit.application.throttle.allow(
            "forgot_pin.participant",
            form.external_id,
            counted_as(form.first_name),
            counted_as(form.last_name),
            rate=visit.application.settings.forgot_pin_rate_per_participant,
        )
        if decision.allowed:
            promise = await requests.receive(
                form.first_name,
                form.last_name,
                form.external_id,
                method,
                visit.language,
                network=visit.network,
            )
        else:
            promise = requests.promise(method)
        response = visit.to(PIN_REQUESTED)
        visit.tokens.give_promise(response, promise)
        return response

    def _form(
        self,
        visit: Visit,
        form: PinRequestForm,
        faults: Mapping[str, Fault],
        status: int,
    ) -> Response:
        """The form again; a fault of the whole form stands under no field's name."""
        return visit.page(_TEMPLATES[visit.path], status, form=form, faults=faults)


async def to_home(request: Request) -> Response:
    """`/` → the home page in the language last read, or the one the browser asks for."""
    return _to_language(request, HOME)


async def to_forgot_pin(request: Request) -> Response:
    """`/forgot-pin`, as it is said on the phone and printed → the form in a language."""
    return _to_language(request, FORGOT_PIN)


async def to_login(request: Request) -> Response:
    """`/login`, as it is printed in brochures → the sign-in page in a language."""
    return _to_language(request, "/login")


async def to_apply(request: Request) -> Response:
    """`/apply`, as it is printed → the application site in a language."""
    return _to_language(request, APPLICATION_SITE.prefix)


def _to_language(request: Request, path: str) -> Response:
    return RedirectResponse(f"/{language_of(request)}{path}", 302)
