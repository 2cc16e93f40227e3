"""The classification against corpora that no one here wrote: the shares that were promised."""

from collections import Counter
from pathlib import Path

import pytest

from engine.email.bounces.classifying import classify
from tests.email.bounces.corpora import corpus


@pytest.mark.parametrize(
    "name", [pytest.param("flufl", marks=pytest.mark.full), "python", "bounceparser"]
)
def test_the_promised_shares_are_kept(name: str, tmp_path: Path) -> None:
    """Of hard ones 95 % are called hard, of soft ones at most 3 %, of others none is a bounce."""
    messages = corpus(name, tmp_path)
    called = Counter((one.kind, str(classify(one.message).kind)) for one in messages)
    of = Counter(one.kind for one in messages)
    assert called["hard", "hard"] >= 0.95 * of["hard"], called
    assert called["soft", "hard"] <= 0.03 * of["soft"], called
    assert called["none", "none"] == of["none"], called
