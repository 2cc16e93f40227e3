"""The composing processes: what comes back from them, and what becomes of one that does not
answer."""

from datetime import date

import pytest

from engine.mail.composer import ComposerStoppedError, PartComposer
from engine.mail.composing import compose_part
from tests.mail.sample_letters import both, letter

DAY = date(2026, 11, 23)
BATCH = "ccss_test_letters_20261123_001"


@pytest.mark.parametrize("mebibytes", [0, 10_000])
def test_a_part_comes_back_as_it_would_be_drawn_here(mebibytes: int) -> None:
    """Another process gives the same bytes, pieces and held letters, whether it was ended after
    its first part or went on."""
    letters = [letter(piece_id="a"), both(piece_id="b"), letter(piece_id="c", name="漢")]
    with PartComposer(mebibytes=mebibytes).crew() as crew:
        there = [
            crew.compose(letters, batch_id=BATCH, document_date=DAY, first_seq=3) for _ in "12"
        ]
    here = compose_part(letters, batch_id=BATCH, document_date=DAY, first_seq=3)
    assert there == [here, here]


def test_a_process_that_does_not_answer_is_killed() -> None:
    """Past its time limit nothing is left running, and the caller is told to try again."""
    with (
        PartComposer(timeout_seconds=0.001).crew() as crew,
        pytest.raises(ComposerStoppedError, match=BATCH),
    ):
        crew.compose([letter()], batch_id=BATCH, document_date=DAY)


def test_a_fault_of_the_caller_is_told_at_once() -> None:
    """Two letters of one piece are the caller's fault, told before any process is started."""
    with PartComposer().crew() as crew, pytest.raises(ValueError, match="twice"):
        crew.compose([letter(), letter()], batch_id=BATCH, document_date=DAY)


def test_nothing_is_drawn_once_the_crew_is_dismissed() -> None:
    """A thread that comes late starts no process that nobody would end."""
    with PartComposer().crew() as crew:
        pass
    with pytest.raises(ComposerStoppedError):
        crew.compose([letter()], batch_id=BATCH, document_date=DAY)
