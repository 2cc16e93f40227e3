"""A walk through the tree at random never meets an error page or a dead end."""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, Final, TypeVar

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.phone.conversation import MISSES_MOST
from engine.phone.handset import understood
from engine.phone.menus import OURS, read_menus
from engine.phone.paths import step_path
from engine.settings import Settings
from tests.phone.line import NEWCOMER, PAYEE, PIN, SATURDAY, TEMPORARY, PhoneLine, line_over
from tests.portal.portal_server import MONDAY_NOON

T = TypeVar("T")
MENUS: Final = read_menus(OURS)
WORDS: Final = sorted(
    {
        word
        for name in MENUS.places
        for choice in (*MENUS.choices_at(name), MENUS.agent)
        for word in (*choice.en, *choice.es)
    }
)
NEW: Final = "592710"
NUMBERS: Final = (PAYEE.external_id, NEWCOMER.external_id, "9999999999", PIN, TEMPORARY, NEW, "12")


class Walk(RuleBasedStateMachine):
    """A caller who does anything at all, and a platform that repeats itself."""

    run: ClassVar[asyncio.Runner]
    line: ClassVar[PhoneLine]

    def __init__(self) -> None:
        super().__init__()
        self.handset = self.line.telephone()
        self.sent: list[tuple[str, dict[str, str]]] = []

    def done(self, act: Coroutine[Any, Any, T]) -> T:
        """Run `act`."""
        return self.run.get_loop().run_until_complete(act)

    @initialize(open_=st.booleans())
    def dial(self, open_: bool) -> None:
        """A new call, by day or by night."""
        self.line.hour.now = MONDAY_NOON if open_ else SATURDAY
        self.handset = self.line.telephone()
        self.done(self.handset.call())

    @precondition(lambda self: self.handset.hearing.digits_most)
    @rule(keys=st.sampled_from([*"0123456789*#", *NUMBERS]))
    def press(self, keys: str) -> None:
        """Any key, or a number that is typed."""
        self._remember(Digits=keys)
        self.done(self.handset.press(keys))

    @precondition(lambda self: self.handset.hearing.digits_most)
    @rule(words=st.sampled_from([*WORDS, "ehm"]) | st.text(max_size=20))
    def say(self, words: str) -> None:
        """Any words of the menus, and others."""
        self._remember(SpeechResult=words)
        self.done(self.handset.say(words))

    @precondition(lambda self: self.handset.hearing.digits_most)
    @rule()
    def keep_silent(self) -> None:
        """Nothing."""
        self.done(self.handset.wait())

    @precondition(lambda self: self.handset.hearing.agent)
    @rule(status=st.sampled_from(["completed", "busy", "no-answer", "failed"]))
    def come_back(self, status: str) -> None:
        """From an agent, or from nobody."""
        self.done(self.handset.after_agent(status))

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(min_value=0))
    def repeat(self, which: int) -> None:
        """A webhook that was taken comes again: what is heard is where the call stands."""
        path, fields = self.sent[which % len(self.sent)]
        heard = understood(self.done(self.handset.send(path, fields)))
        assert heard == self.handset.hearing

    @precondition(lambda self: not self.handset.hearing.hung_up)
    @rule(step=st.integers(0, 400))
    def come_early(self, step: int) -> None:
        """One that is not due comes: the same."""
        path = step_path(step)
        if path != self.handset.hearing.action:
            answer = self.done(self.handset.send(path, self.handset.fields(Digits="1")))
            assert understood(answer) == self.handset.hearing

    @rule()
    @precondition(lambda self: self.handset.hearing.hung_up)
    def call_again(self) -> None:
        """After the end, another call."""
        self.sent, self.handset = [], self.line.telephone()
        self.done(self.handset.call())

    @invariant()
    def a_caller_always_knows_what_to_do(self) -> None:
        """Something is said, in one language unless none was chosen yet; no PIN is; and an answer
        may come while it is said."""
        hearing = self.handset.hearing
        if not hearing.lines:
            assert not hearing.digits_most
            return
        assert all(line.text for line in hearing.lines)
        assert not any(pin in hearing.text for pin in (PIN, TEMPORARY, NEW))
        assert hearing.barge_in == bool(hearing.digits_most)

    def teardown(self) -> None:
        """Whoever says nothing any more comes to an agent or to an end, soon."""
        for _ in range(MISSES_MOST):
            if self.handset.hearing.digits_most:
                self.done(self.handset.wait())
        hearing = self.handset.hearing
        assert hearing.agent or hearing.hung_up

    def _remember(self, **fields: str) -> None:
        hearing = self.handset.hearing
        if "Digits" in fields:
            fields["Digits"] = fields["Digits"][: hearing.digits_most].rstrip("#")
        self.sent.append((hearing.action, self.handset.fields(**fields)))


@pytest.mark.full
@pytest.mark.timeout(900)
def test_a_walk_at_random(settings: Settings, database: AsyncEngine, redis: Redis) -> None:
    """Forty calls of fifty steps each."""
    with asyncio.Runner() as runner:
        opening = line_over(settings)
        line = runner.run(opening.__aenter__())
        try:
            walk = type("OneWalk", (Walk,), {"run": runner, "line": line})
            run_state_machine_as_test(
                walk,
                settings=hypothesis_settings(max_examples=40, stateful_step_count=50),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))
