"""The composing process: what comes back from it, and what becomes of one that does not answer."""

from datetime import date

import pytest

from engine.mail.composer import ComposerStoppedError, PartComposer
from engine.mail.composing import compose_part
from tests.mail.sample_letters import both, letter

DAY = date(2026, 11, 23)
BATCH = "ccss_test_letters_20261123_001"


def test_a_part_comes_back_as_it_would_be_drawn_here() -> None:
    """Another process gives the same bytes, pieces and held letters."""
    letters = [letter(piece_id="a"), both(piece_id="b"), letter(piece_id="c", name="漢")]
    there = PartComposer().compose(letters, batch_id=BATCH, document_date=DAY, first_seq=3)
    assert there == compose_part(letters, batch_id=BATCH, document_date=DAY, first_seq=3)


def test_a_process_that_does_not_answer_is_killed() -> None:
    """Past its time limit nothing is left running, and the caller is told to try again."""
    with pytest.raises(ComposerStoppedError, match=BATCH):
        PartComposer(timeout_seconds=0.001).compose([letter()], batch_id=BATCH, document_date=DAY)


def test_a_fault_of_the_caller_is_told_at_once() -> None:
    """Two letters of one piece are the caller's fault, told before any process is started."""
    with pytest.raises(ValueError, match="twice"):
        PartComposer().compose([letter(), letter()], batch_id=BATCH, document_date=DAY)
