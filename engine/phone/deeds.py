"""What is done on the phone line: the services of the portal, asked with what was entered.

Each deed answers with the name of its outcome, which the menus lead on from; `checking.OUTCOMES`
lists them. What was entered is handed along and kept nowhere.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from engine.bootstrap import Application
from engine.caseload.acts import Act, AlreadyDoneError, SessionOverError
from engine.caseload.cases import cases_of
from engine.caseload.chosen_pins import CHANGE_RATE, CHOOSE_RATE, LivePins, PinFault, Typed
from engine.caseload.payments import payments_page
from engine.caseload.sign_in import Attempt
from engine.clock import pacific_date
from engine.errors import ConnectError
from engine.i18n import Language
from engine.phone.calls import Call
from engine.phone.payments_told import RECENT, Telling, choices_on
from engine.security.audit import Entry
from engine.security.sessions import Session, Stage

REFUSALS_MOST: Final = 3
"""After so many numbers and PINs that did not let in, an agent is the better help."""
_FAULTS: Final = {
    PinFault.EASY: "easy",
    PinFault.OF_THE_NUMBER: "of_the_number",
    PinFault.SAME: "same",
}


class LineTroubleError(ConnectError):
    """Something that the line cannot do without does not answer: the call is let down gently."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a caller: the call, as it will be kept, and what was entered now, which will not.
    `caller` stands for the telephone that it came from, and does not tell its number."""

    call: Call
    call_id: str = field(repr=False)
    caller: str
    entered: str = field(default="", repr=False)

    @property
    def language(self) -> Language:
        """The language of the call; English until one was chosen."""
        return self.call.language or "en"


@dataclass(frozen=True, slots=True)
class Deeds:
    """Does them."""

    application: Application

    async def do(self, name: str, turn: Turn) -> str:
        """Do the deed `name`; what came of it. Raises LineTroubleError where it could not be
        tried."""
        deeds: dict[str, Callable[[Turn], Awaitable[str]]] = {
            "read_number": self._read_number,
            "sign_in": self._sign_in,
            "request_pin": self._request_pin,
            "recent_payments": self._recent_payments,
            "check_current": self._check_current,
            "check_new": self._check_new,
            "change_pin": self._change_pin,
        }
        return await deeds[name](turn)

    async def sign_out(self, call: Call, caller: str) -> None:
        """End the session of a call that is over, if it has one."""
        session = await self._session(call)
        if session is not None:
            async with self.application.engine.begin() as connection:
                await self.application.sessions.end(connection, session)
                await self.application.audit.append(
                    connection, _entry(session, "signed_out", caller)
                )
        call.token = ""

    async def _read_number(self, turn: Turn) -> str:
        turn.call.number = turn.entered
        return "read"

    async def _sign_in(self, turn: Turn) -> str:
        """As at the portal's door: the caller is counted first, then the number from this caller,
        known or not."""
        call, settings = turn.call, self.application.settings
        if not await self._counted("sign_in.network", turn.caller, rate=settings.sign_in_rate):
            return "too_many"
        rate = settings.sign_in_rate_per_participant
        if not await self._counted("sign_in.participant", call.number, turn.caller, rate=rate):
            return "too_many"
        await self.sign_out(call, turn.caller)
        attempt = Attempt(call.number, turn.entered, turn.caller)
        session = await self.application.sign_in.attempt(attempt)
        call.number, call.proved, call.chosen = "", False, ""
        if session is None:
            call.refusals += 1
            return "refused_often" if call.refusals >= REFUSALS_MOST else "refused"
        call.token, call.refusals = session.token, 0
        return "full" if session.stage is Stage.FULL else "temporary"

    async def _request_pin(self, turn: Turn) -> str:
        """The same answer whoever is asked for, and however often: only a caller who asks for very
        many is told so."""
        call, application = turn.call, self.application
        rates, throttle = application.settings, application.throttle
        often = await throttle.allow("forgot_pin.network", turn.caller, rate=rates.forgot_pin_rate)
        if not often.allowed:
            return "too_many"
        wanted = await throttle.allow(
            "forgot_pin.phone", call.number, rate=rates.phone_pin_rate_per_participant
        )
        if wanted.allowed:
            promise = await application.pin_requests.receive_by_number(
                call.number, call.method, turn.language, network=turn.caller
            )
        else:
            promise = application.pin_requests.promise(call.method)
        call.due, call.number = promise.due.isoformat(), ""
        return "promised"

    async def _recent_payments(self, turn: Turn) -> str:
        session = await self._session(turn.call)
        if session is None:
            return "signed_out"
        if session.stage is not Stage.FULL:
            return "choose_first"
        reader, today = session.participant_id, pacific_date(self.application.clock())
        async with self.application.engine.begin() as connection:
            cases = await cases_of(connection, reader)
            made, sent, expected = [
                (await payments_page(connection, reader, choice, number=1, size=RECENT)).history
                for choice in choices_on(today)
            ]
            await self.application.audit.append(
                connection, _entry(session, "payments.heard", turn.caller)
            )
        Telling(turn.call, turn.language, today, cases).tell(made, sent, expected)
        return "told"

    async def _check_current(self, turn: Turn) -> str:
        session = await self._session(turn.call)
        if session is None:
            return "signed_out"
        if session.stage is not Stage.FULL:
            return "choose_first"
        if not await self._counted("change_pin", str(session.participant_id), rate=CHANGE_RATE):
            return "too_many"
        pins = self.application.chosen_pins
        turn.call.proved = await pins.knows(await self._live(session), turn.entered)
        if turn.call.proved:
            return "right"
        async with self.application.engine.begin() as connection:
            entry = _entry(session, "pin.current_wrong", turn.caller)
            await self.application.audit.append(connection, entry)
        return "wrong"

    async def _check_new(self, turn: Turn) -> str:
        session = await self._session(turn.call)
        if session is None or not _may_change(session, turn.call):
            return "signed_out"
        pins, new = self.application.chosen_pins, turn.entered
        live, typed = await self._live(session), Typed(None, new, new)
        faults = pins.slips(live, typed)
        if not faults:
            of = str(session.participant_id)
            if not await self._counted("choose_pin.phone", of, rate=CHOOSE_RATE):
                return "too_many"
            faults = await pins.wrongs(live, typed)
        if faults:
            return _FAULTS.get(faults["new_pin"], "easy")
        turn.call.chosen = await pins.hash(new)
        return "good"

    async def _change_pin(self, turn: Turn) -> str:
        """The form of the change is numbered by the call: however often it arrives, one is done."""
        call, application = turn.call, self.application
        session = await self._session(call)
        if session is None or not call.chosen or not _may_change(session, call):
            return "signed_out"
        hashed, call.chosen = call.chosen, ""
        if not await application.chosen_pins.confirms(hashed, turn.entered):
            return "differs"
        call.changes += 1
        form = uuid5(NAMESPACE_URL, f"phone:{turn.call_id}:{call.changes}")
        act = Act(session, "pin.changed", form, turn.caller, {"by": "phone"})
        try:
            async with application.acts.begin(act) as doing:
                session = await application.chosen_pins.change(doing.transaction, session, hashed)
        except AlreadyDoneError:
            return "changed"
        except SessionOverError:
            return "signed_out"
        call.token, call.proved = session.token, False
        return "changed"

    async def _session(self, call: Call) -> Session | None:
        if not call.token:
            return None
        async with self.application.engine.begin() as connection:
            return await self.application.sessions.find(connection, call.token)

    async def _live(self, session: Session) -> LivePins:
        async with self.application.engine.connect() as connection:
            return await self.application.chosen_pins.live(connection, session.participant_id)

    async def _counted(self, scope: str, *parts: str, rate: str) -> bool:
        """Whether there may be one more; a guess that cannot be counted is not taken."""
        throttle = self.application.throttle
        decision = await throttle.allow(scope, *parts, rate=rate, or_refuse=True)
        if not decision.counted:
            raise LineTroubleError("guesses cannot be counted: Redis does not answer")
        return decision.allowed


def _may_change(session: Session, call: Call) -> bool:
    """After a temporary PIN, or once the present one was entered in this call."""
    return session.stage is Stage.PIN_CHANGE or call.proved


def _entry(session: Session, act: str, caller: str) -> Entry:
    actor = f"participant:{session.participant_id}"
    return Entry(actor, act, session.participant_id, {"by": "phone"}, caller)
