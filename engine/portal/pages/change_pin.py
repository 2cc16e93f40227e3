"""Choosing a PIN: at once after a temporary one, and whenever its owner wants another."""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.responses import Response

from engine.caseload.chosen_pins import CHANGE_RATE, CHOOSE_RATE, PinFault, read_typed
from engine.portal.gate import CHOOSE_PIN
from engine.portal.places import Access, Place, Private
from engine.portal.visit import Visit
from engine.security.sessions import Stage

CHANGE_PIN: Final = "/profile/pin"
_TYPED_MOST: Final = 64
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
        if not visit.posted:
            return self._form(visit, {}, 200)
        return await self._changed(visit, "/home", CHOOSE_RATE, current=False)

    async def change(self, visit: Visit) -> Response:
        """At will: the current PIN is asked for, a few times in a quarter of an hour."""
        if not visit.posted:
            return self._form(visit, {}, 200)
        return await self._changed(visit, "/profile", CHANGE_RATE, current=True)

    async def _changed(self, visit: Visit, onward: str, rate: str, *, current: bool) -> Response:
        """Slips are told at once; what takes a hash is counted, and worked at without holding a
        connection: pages of others do not wait for it."""
        pins = visit.application.chosen_pins
        typed = read_typed(visit.fields, _TYPED_MOST, current=current)
        async with visit.reading() as connection:
            live = await pins.live(connection, visit.participant_id)
        faults = pins.slips(live, typed)
        if current and not typed.current:
            faults = {"current_pin": PinFault.CURRENT_WRONG} | faults
        if faults:
            return self._form(visit, faults, 422)
        await visit.count("change_pin", str(visit.participant_id), rate=rate, or_refuse=True)
        if faults := await pins.wrongs(live, typed):
            if "current_pin" in faults:
                await visit.note("pin.current_wrong")
            return self._form(visit, faults, 422)
        hashed = await pins.hash(typed.new)
        async with visit.act("pin.changed") as doing:
            session = await pins.change(doing.transaction, visit.signed_in, hashed)
        response = visit.to(onward, said="pin_changed")
        visit.tokens.give_session(response, session)
        visit.tokens.give_device(response, session)
        return response

    def _form(self, visit: Visit, faults: Mapping[str, PinFault], status: int) -> Response:
        return visit.page(
            "change_pin.html",
            status,
            faults=faults,
            first=visit.signed_in.stage is Stage.PIN_CHANGE,
            pin_digits=visit.application.settings.pin_digits,
            nav="profile",
        )
