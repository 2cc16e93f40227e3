"""Worlds run side by side, and the one that joins all scenarios has the machine to itself."""

from multiprocessing import Pipe
from multiprocessing.connection import Connection
from unittest.mock import Mock

from rich.progress import Progress

from chaos.lanes import Lane, Lanes
from chaos.showing import Told, not_run
from chaos.together import NAME


def given(theirs: Connection) -> list[object]:
    """What a lane was given so far."""
    return [theirs.recv() for _ in range(10) if theirs.poll()]


def test_what_joins_all_waits_for_the_others() -> None:
    """A lane that is free waits with it while another still works; then the other is let go."""
    told: list[Told] = []
    lanes = Lanes(Progress(disable=True), told.append, ["kill-9", "poison", NAME])
    ends = [Pipe(), Pipe()]
    for ours, theirs in ends:
        # The process is asked for nothing but to end.
        lanes.lanes.append(Lane(Mock(), ours, lanes.bar.add_task("")))
        theirs.send(None)
        lanes.hear_and_give()
    first, second = (theirs for _, theirs in ends)
    assert [given(first), given(second)] == [["kill-9"], ["poison"]]
    second.send({"name": "poison"})
    lanes.hear_and_give()
    assert given(second) == []
    first.send({"name": "kill-9"})
    lanes.hear_and_give()
    assert [given(first), given(second)] == [[NAME], [None]]
    assert [one["name"] for one in told] == ["poison", "kill-9"]


def test_what_is_not_installed_is_said_with_what_wanted_it() -> None:
    """One line for each program that the machine lacks."""
    lacking = dict.fromkeys(("clock-back", "smtp-outage"), "Debian's faketime")
    said = ["Not run, for want of Debian's faketime: clock-back, smtp-outage."]
    assert not_run({"not_run": lacking}) == said
    assert not_run({"not_run": {}}) == []
