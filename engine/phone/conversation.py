"""A call as a conversation: what was heard moves it from place to place of the menus.

Whatever a webhook brings, the answer is what the caller is to hear now. A step that was taken
already, or is not due yet, takes nothing: its answer is where the call stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import structlog

from engine.calendar.office_hours import is_open
from engine.clock import Clock
from engine.communications.catalogue import LANGUAGES
from engine.i18n import Language
from engine.phone.calls import Call, Calls
from engine.phone.deeds import Deeds, Turn
from engine.phone.hearing import chosen, plain_keys, said_number
from engine.phone.markup import Answer, Connect, HangUp, Heard, Line, Listen
from engine.phone.menus import AGENT, Doing, End, Entry, Menu, Menus, Message
from engine.phone.prompts import sentence
from engine.phone.values import Values

log: Final = structlog.get_logger()

MISSES_MOST: Final = 3
"""Two patient retries; whoever was not understood then is connected with an agent."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Leads calls through `menus`."""

    menus: Menus
    calls: Calls
    deeds: Deeds
    values: Values
    agent_number: str
    official: bool
    clock: Clock

    async def answer(self, heard: Heard, caller: str, step: int | None) -> Answer:
        """What to say to what was heard at `step`, or at the beginning of a call (None)."""
        call = await self.calls.find(heard.call)
        if call is None:
            return await self._begun(heard, again=step is not None)
        if step != call.step or call.standing == "over":
            return self._said(call)
        call.step += 1
        if not await self.calls.move(heard.call, call, step):
            return await self._where_it_stands(heard.call)
        await self._take(Turn(call, heard.call, caller), heard)
        call.step += 1
        if not await self.calls.move(heard.call, call, call.step - 1):
            return await self._where_it_stands(heard.call)
        return self._said(call)

    async def over(self, heard: Heard, caller: str) -> None:
        """The caller hung up: nobody stays signed in, and nothing is kept of the call."""
        call = await self.calls.find(heard.call)
        if call is not None:
            await self.deeds.sign_out(call, caller)
            await self.calls.forget(heard.call)

    def trouble(self) -> Answer:
        """What is said, in both languages, where nothing else can be."""
        if is_open(self.clock()):
            lines = self._in_all("trouble", self.menus.agent.connecting)
            return Answer(lines, Connect(0, self.agent_number))
        return Answer(self._in_all("trouble", "call_later"), HangUp())

    async def _begun(self, heard: Heard, *, again: bool) -> Answer:
        """A call from its beginning, said to be one where there was another before it; one that
        comes back from an agent is over."""
        call = Call(self.menus.start)
        if heard.connected == "spoke":
            return Answer((), HangUp())
        if again:
            call.say("begin_again")
        if not self.official:
            call.say("demonstration")
        call.say("welcome")
        log.info("phone_call_begun", menus=self.menus.version, again=again)
        if await self.calls.move(heard.call, call, None):
            return self._said(call)
        return await self._where_it_stands(heard.call)

    async def _where_it_stands(self, call_id: str) -> Answer:
        """Another webhook of this call was quicker: what it came to."""
        call = await self.calls.find(call_id)
        return self._said(call) if call else self.trouble()

    async def _take(self, turn: Turn, heard: Heard) -> None:
        call = turn.call
        call.said = []
        if call.standing == "connecting":
            await self._back_from_agent(turn, heard)
            return
        place = self.menus.places[call.place]
        keys = plain_keys(heard.keys)
        if isinstance(place, Entry) and (number := self._number(place, turn, keys, heard.words)):
            outcome = await self.deeds.do(place.deed, replace(turn, entered=number))
            await self._go(turn, place.outcomes[outcome])
            return
        choices = self.menus.choices_at(call.place)
        choice = chosen((*choices, self.menus.agent), keys, heard.words, _languages(call))
        # An agent is understood in either language.
        choice = choice or chosen((self.menus.agent,), keys, heard.words)
        if choice is None:
            await self._not_understood(turn, heard)
        elif choice is self.menus.agent:
            await self._to_agent(turn)
        else:
            settled = next(each for each in choices if each is choice)
            call.language = settled.language or call.language
            call.method = settled.method or call.method
            await self._go(turn, settled.to)

    def _number(self, place: Entry, turn: Turn, keys: str, words: str) -> str:
        """The number that was entered or said, where it has as many digits as it should."""
        number = keys or said_number(words, turn.language)
        is_whole = number.isdigit() and len(number) == self.values.digits(place.takes)
        return number if is_whole else ""

    async def _go(self, turn: Turn, to: str) -> None:
        """On to `to`, and through whatever waits for no answer, to the next place that does."""
        call = turn.call
        call.misses = 0
        while to != AGENT:
            call.place = to
            match self.menus.places[to]:
                case Message(prompt=prompt, to=onward):
                    call.say(prompt)
                    to = onward
                case Doing(deed=deed, outcomes=outcomes):
                    to = outcomes[await self.deeds.do(deed, turn)]
                case End(prompt=prompt):
                    call.say(prompt)
                    call.standing = "over"
                    await self.deeds.sign_out(call, turn.caller)
                    return
                case _:
                    return
        await self._to_agent(turn, giving_up=True)

    async def _not_understood(self, turn: Turn, heard: Heard) -> None:
        call, place = turn.call, self.menus.places[turn.call.place]
        call.misses += 1
        if call.misses >= MISSES_MOST:
            await self._to_agent(turn, giving_up=True)
            return
        call.say("not_understood" if heard.keys or heard.words else "not_heard")
        if call.misses == MISSES_MOST - 1:
            call.say("take_your_time")
            if isinstance(place, Entry) and place.help is not None:
                call.say(place.help)

    async def _to_agent(self, turn: Turn, *, giving_up: bool = False) -> None:
        """To an agent in office hours; else the hours are told, and the call goes on where it was,
        or ends where that was of no use."""
        call, agent = turn.call, self.menus.agent
        if is_open(self.clock()):
            call.say(agent.connecting)
            call.standing = "connecting"
            call.misses = MISSES_MOST if giving_up else 0
            return
        call.say(agent.closed)
        call.say(agent.hours)
        if giving_up:
            await self._go(turn, agent.otherwise)

    async def _back_from_agent(self, turn: Turn, heard: Heard) -> None:
        call = turn.call
        if heard.connected == "spoke":
            call.standing = "over"
            await self.deeds.sign_out(call, turn.caller)
            return
        call.standing = "asking"
        call.say(self.menus.agent.unreachable)
        if call.misses >= MISSES_MOST:
            await self._go(turn, self.menus.agent.otherwise)

    def _said(self, call: Call) -> Answer:
        """The answer in which a call stands: it is the same however often it is asked for."""
        lines = list(self._sentences(call))
        if call.standing == "over":
            return Answer(tuple(lines), HangUp())
        if call.standing == "connecting":
            return Answer(tuple(lines), Connect(call.step, self.agent_number))
        lines += self._question(call)
        place = self.menus.places[call.place]
        most = self.values.digits(place.takes) if isinstance(place, Entry) else 1
        listen = Listen(call.step, call.language or "en", most, self._hints(call))
        return Answer(tuple(lines), listen)

    def _sentences(self, call: Call) -> Iterator[Line]:
        for said in call.said:
            for language in _languages(call):
                values = {**self.values.of(call, language), **said.values}
                yield Line(sentence(said.prompt, language, values), language)

    def _question(self, call: Call) -> Iterator[Line]:
        place = self.menus.places[call.place]
        if isinstance(place, Menu | Entry) and place.prompt is not None:
            yield from self._lines(call, place.prompt)
        for choice in self.menus.choices_at(call.place):
            yield from self._lines(call, choice.prompt, choice.keys[0], choice.language)

    def _lines(
        self, call: Call, prompt: str, key: str = "", only: Language | None = None
    ) -> Iterator[Line]:
        for language in (only,) if only else _languages(call):
            values = self.values.of(call, language, key)
            yield Line(sentence(prompt, language, values), language)

    def _hints(self, call: Call) -> tuple[str, ...]:
        words = (
            word
            for choice in (*self.menus.choices_at(call.place), self.menus.agent)
            for language in _languages(call)
            for word in choice.words(language)
        )
        return tuple(dict.fromkeys(words))

    def _in_all(self, *prompts: str) -> tuple[Line, ...]:
        call = Call(self.menus.start)
        return tuple(line for prompt in prompts for line in self._lines(call, prompt))


def _languages(call: Call) -> tuple[Language, ...]:
    """The language of a call; all of them until one was chosen."""
    return (call.language,) if call.language else LANGUAGES
