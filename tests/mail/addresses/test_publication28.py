"""The examples of USPS Publication 28: all of them are deliverable, and print as they stand."""

import pytest

from engine.mail.addresses.checking import check
from tests.mail.publication28 import EXAMPLES, Example


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.section)
def test_an_example_prints_as_it_stands(example: Example) -> None:
    """What the publication shows is not held, and no letter or digit of it is changed."""
    found = check(example.address)
    assert (found.flags, found.lines) == ((), example.lines)


def test_every_kind_of_address_is_among_the_examples() -> None:
    """The table covers the publication's sections on delivery lines, and its appendices."""
    chapters = {example.section[:2] for example in EXAMPLES}
    assert {f"2{digit}" for digit in range(1, 10)} <= chapters
    assert {"B", "C2", "D1", "D2", "D3", "D4", "E", "F"} <= chapters
