"""Ids as the case system is shown them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from engine.case_system.identifiers import Identifiers, pattern

OURS = Identifiers.of(b"a key of ours")
NUMBERS = st.integers(0, 2**63 - 1)


@given(NUMBERS)
def test_an_id_leads_back_to_its_number_and_shows_none_of_it(number: int) -> None:
    """One id for one number, which opens as its own kind and under its own key alone."""
    shown = OURS.shown("communication", number)
    assert shown == OURS.shown("communication", number)
    assert re.fullmatch(pattern("communication"), shown)
    assert OURS.opened("communication", shown) == number
    as_event = shown.replace("cmn_", "evt_")
    assert OURS.opened("event", shown) is OURS.opened("event", as_event) is None
    assert Identifiers.of(b"another key").opened("communication", shown) is None


@given(st.text(max_size=40) | st.from_regex(pattern("communication"), fullmatch=True))
def test_an_id_that_was_made_up_opens_nothing(shown: str) -> None:
    """Whatever it is made of."""
    assert OURS.opened("communication", shown) is None
