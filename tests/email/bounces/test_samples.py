"""Messages in the forms that servers, providers and people give them; written for this test."""

import pytest

from engine.email.bounces.classifying import classify
from tests.email.bounces.sampled import Sample, samples


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_message_is_told_for_what_it_is(sample: Sample) -> None:
    """Its kind, why, and the address that failed, in the forms of many servers and languages."""
    verdict = classify(sample.message)
    told = (verdict.kind, verdict.why, verdict.recipient)
    assert told == (sample.kind, sample.why, sample.recipient)


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_line_ends_change_nothing(sample: Sample) -> None:
    """The same message in the lines of SMTP gets the same verdict."""
    assert classify(sample.message.replace(b"\n", b"\r\n")) == classify(sample.message)
