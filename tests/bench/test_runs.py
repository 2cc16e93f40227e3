"""What runs say, and what they were to reach."""

from bench.send.runs import Contestant, Run
from bench.send.told import OURS, SOURCE, told


def contestant(key: str, *per_second: float, workers: int = 2) -> Contestant:
    """One with a run of a hundred messages at each of these paces."""
    return Contestant(key, key, workers, [Run(100, 100 / pace, 0.1) for pace in per_second])


def test_the_median_of_the_rounds_counts() -> None:
    """One round that something else disturbed decides nothing."""
    assert round(contestant(OURS, 900, 100, 1_000).per_second) == 900


def test_a_figure_that_is_missed_is_said() -> None:
    """With the most workers, beside each peer's better figure; what is reached says nothing."""
    ours = [contestant(OURS, 5_000), contestant(OURS, 100, workers=1)]
    peers = [contestant("celery", 100), contestant("arq", 300), contestant("arq", 90, workers=1)]
    found = told([*ours, *peers, contestant(SOURCE, 9_900)], 100, 9_000, "smtp-sink", None)
    assert found.unmet == ["16.67 times arq, and it was to be 20 times"]


def test_growing_memory_and_dearer_messages_are_said() -> None:
    """A worker whose memory grows over a long run will not last; a message that costs more the
    more there are will not scale."""
    many = Run(1_000, 2.0, 1.5, [100.0, 120.0, 150.0, 260.0])
    found = told([contestant(OURS, 1_000)], 100, 9_000, "smtp-sink", many)
    assert found.unmet == [
        "2.00 of the time each, and 1.15 was the most",
        "260 MiB, and 250 was the most",
        "memory grew to 2.17 of what it was",
    ]


def test_what_cannot_be_run_here_is_said() -> None:
    """A row of the table says why a peer is missing."""
    absent = Contestant("bullmq", "BullMQ", 1, fault="node and npm are not installed")
    found = told([contestant(OURS, 1_000), absent], 100, 9_000, "aiosmtpd", None)
    assert "left out: node and npm are not installed" in found.sheets[0].markdown()
    assert "aiosmtpd" in found.plots["send"]
