"""Choosing a PIN: at once after a temporary one, and whenever its owner wants another."""

from collections.abc import Iterator
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from engine.caseload.chosen_pins import PinFault
from engine.portal.gate import CHOOSE_PIN
from engine.portal.places import Access, Place, Private
from engine.portal.visit import Visit
from engine.security.sessions import Stage

CHANGE_PIN: Final = "/profile/pin"
_RATE: Final = "5/15minute"
_FORM: Final = ("GET", "POST")


class ChangePinPages:
    """The two forms: with the current PIN, and without it for whoever just came in by a temporary
    one."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Place(CHOOSE_PIN, self.choose, Access.PIN_CHANGE, _FORM, after="/home")
        yield Private(CHANGE_PIN, self.change, _FORM, after="/profile")

    async def choose(self, visit: Visit) -> Response:
        """After a temporary PIN."""
        if visit.signed_in.stage is Stage.FULL:
            return visit.to("/home")
        if visit.request.method == "GET":
            return self._form(visit, {}, 200)
        return await self._changed(visit, "/home", {})

    async def change(self, visit: Visit) -> Response:
        """At will: the current PIN is asked for, a few times in a quarter of an hour."""
        if visit.request.method == "GET":
            return self._form(visit, {}, 200)
        decision = await visit.application.throttle.allow(
            "change_pin", str(visit.participant_id), rate=_RATE, or_refuse=True
        )
        if not decision.allowed:
            raise HTTPException(429, headers={"Retry-After": str(decision.retry_after_seconds)})
        async with visit.reading() as connection:
            right = await visit.application.chosen_pins.current_is(
                connection, visit.participant_id, visit.fields.get("current_pin", "").strip()[:64]
            )
        faults = {} if right else {"current_pin": PinFault.CURRENT_WRONG}
        return await self._changed(visit, "/profile", faults)

    async def _changed(self, visit: Visit, onward: str, faults: dict[str, PinFault]) -> Response:
        new = visit.fields.get("new_pin", "").strip()[:64]
        async with visit.reading() as connection:
            fault = await visit.application.chosen_pins.fault(connection, visit.participant_id, new)
        if fault is not None:
            faults["new_pin"] = fault
        elif new != visit.fields.get("confirm_pin", "").strip():
            faults["confirm_pin"] = PinFault.NOT_CONFIRMED
        if faults:
            return self._form(visit, faults, 422)
        async with visit.act("pin.changed") as transaction:
            session = await visit.application.chosen_pins.change(transaction, visit.signed_in, new)
        response: RedirectResponse | Response = visit.to(onward, said="pin_changed")
        visit.tokens.give_session(response, session)
        visit.tokens.give_device(visit.request, response)
        return response

    def _form(self, visit: Visit, faults: dict[str, PinFault], status: int) -> Response:
        return visit.page(
            "change_pin.html",
            status,
            faults=faults,
            first=visit.signed_in.stage is Stage.PIN_CHANGE,
            pin_digits=visit.application.settings.pin_digits,
            nav="profile",
        )
