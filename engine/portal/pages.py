"""The pages a parent sees signed out: the home page, and *Forgot PIN?* from form to promise."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine.bootstrap import Application
from engine.i18n import Language
from engine.portal.client_network import client_network
from engine.portal.error_pages import ErrorPages
from engine.portal.forms import Fault, Field, PinRequestForm, counted_as, read_fields
from engine.portal.language import language_of
from engine.portal.layout import Layout
from engine.portal.tokens import FORM_FIELD, Tokens

HOME: Final = "/"
FORGOT_PIN: Final = "/forgot-pin"
PIN_REQUESTED: Final = "/forgot-pin/sent"


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages in one language; `/en/…` and `/es/…` are two of these."""

    language: Language
    application: Application
    layout: Layout
    tokens: Tokens
    error_pages: ErrorPages

    async def home(self, _request: Request) -> Response:
        """What the service does, and the ways to reach it."""
        return self.layout.page(self.language, "home.html", HOME)

    async def forgot_pin(self, request: Request) -> Response:
        """The form, or what was posted with it."""
        if request.method == "POST":
            return await self._posted(request)
        return self._form(request, PinRequestForm(), {}, 200)

    async def pin_requested(self, request: Request) -> Response:
        """The confirmation: the same words for everyone; without a request, back to the form."""
        promise = self.tokens.promise(request)
        if promise is None:
            return RedirectResponse(f"/{self.language}{FORGOT_PIN}", 303)
        return self.layout.page(self.language, "pin_requested.html", PIN_REQUESTED, promise=promise)

    async def _posted(self, request: Request) -> Response:
        """Answer 303 to the confirmation, 422 with the faults, 403 for a form not of ours.

        The network is counted before anything is read.
        """
        rates = self.application.settings
        network = client_network(request.client.host if request.client else None)
        decision = await self.application.throttle.allow(
            "forgot_pin.network", network, rate=rates.forgot_pin_rate
        )
        if not decision.allowed:
            return self.error_pages.page(
                request, 429, {"Retry-After": str(decision.retry_after_seconds)}
            )
        fields = await read_fields(request)
        form = PinRequestForm.of(fields)
        if not self.tokens.form_is_ours(request, fields.get(FORM_FIELD, "")):
            return self._form(request, form, {}, 403, expired=True)
        if faults := form.faults(rates.participant_id_digits):
            return self._form(request, form, faults, 422)
        return await self._requested(form)

    async def _requested(self, form: PinRequestForm) -> Response:
        """Take the request down, unless this participant was asked for too often already.

        Too often is answered like everything else: that a participant exists, or was asked for,
        is nobody's business. The name is counted along with the number, so that whoever knows a
        number alone can neither flood its owner nor use up the owner's own requests.
        """
        method = form.chosen_method()
        requests = self.application.pin_requests
        decision = await self.application.throttle.allow(
            "forgot_pin.participant",
            form.external_id,
            counted_as(form.first_name),
            counted_as(form.last_name),
            rate=self.application.settings.forgot_pin_rate_per_participant,
        )
        if decision.allowed:
            promise = await requests.receive(
                form.first_name, form.last_name, form.external_id, method, self.language
            )
        else:
            promise = requests.promise(method)
        response = RedirectResponse(f"/{self.language}{PIN_REQUESTED}", 303)
        self.tokens.give_promise(response, promise)
        return response

    def _form(
        self,
        request: Request,
        form: PinRequestForm,
        faults: dict[Field, Fault],
        status: int,
        *,
        expired: bool = False,
    ) -> Response:
        token = self.tokens.form_token(request)
        response = self.layout.page(
            self.language,
            "forgot_pin.html",
            FORGOT_PIN,
            status,
            form=form,
            faults=faults,
            expired=expired,
            form_field=FORM_FIELD,
            form_token=token,
        )
        self.tokens.give_form_token(response, token)
        return response


async def to_home(request: Request) -> Response:
    """`/` → the home page in the language last read, or the one the browser asks for."""
    return _to_language(request, HOME)


async def to_forgot_pin(request: Request) -> Response:
    """`/forgot-pin`, as it is said on the phone and printed → the form in a language."""
    return _to_language(request, FORGOT_PIN)


def _to_language(request: Request, path: str) -> Response:
    return RedirectResponse(f"/{language_of(request)}{path}", 302)
