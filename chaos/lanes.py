"""Several lanes side by side: which scenario goes to which, and how far each is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from chaos.lane import Asked, Standing, work
from chaos.showing import Told
from chaos.together import NAME
from engine.errors import ConnectError

_STOP_SECONDS: Final = 120


class LaneLostError(ConnectError):
    """A lane ended in the middle of its work; its log says why."""


@dataclass(slots=True)
class Lane:
    """A process that runs scenarios, and its row in the display."""

    process: BaseProcess
    ask: Connection
    row: TaskID
    busy: bool = True


@dataclass(slots=True)
class Lanes:
    """Gives each lane the next scenario when it is free; the one that joins them all goes last,
    when no other is under way."""

    bar: Progress
    done: Callable[[Told], None]
    left: list[str]
    lanes: list[Lane] = field(default_factory=list)

    def start(self, number: int, asked: Asked) -> None:
        """One more lane."""
        context = get_context("spawn")
        ask, theirs = context.Pipe()
        process = context.Process(target=work, args=(number, asked, theirs), name=f"lane-{number}")
        process.start()
        theirs.close()
        row = self.bar.add_task(process.name, total=None)
        self.lanes.append(Lane(process, ask, row))

    def run(self) -> None:
        """Return when every scenario came to its end. Raises LaneLostError."""
        while self.lanes:
            self.hear_and_give()

    def hear_and_give(self) -> None:
        """Wait until a lane says something, and give scenarios to those that are free."""
        ready = wait([lane.ask for lane in self.lanes])
        for lane in [lane for lane in self.lanes if lane.ask in ready]:
            self._hear(lane)
        self._give()

    def _hear(self, lane: Lane) -> None:
        try:
            said = lane.ask.recv()
        except EOFError:
            raise LaneLostError(f"{lane.process.name} ended in the middle of its work") from None
        if isinstance(said, Standing):
            what = f"{said.name}  [dim]{said.step.removeprefix(f'{said.name}: ')}[/]"
            self.bar.update(lane.row, description=what, completed=said.done, total=said.of)
            return
        lane.busy = False
        if said is not None:
            self.done(said)

    def _give(self) -> None:
        """The next scenario to whoever is free; a lane for which there is none is let go."""
        for lane in [lane for lane in self.lanes if not lane.busy]:
            if self.left == [NAME] and any(other.busy for other in self.lanes):
                return
            name = self.left.pop(0) if self.left else None
            lane.ask.send(name)
            lane.busy = True
            self.bar.reset(lane.row, description=name or "")
            if name is None:
                self._let_go(lane)

    def _let_go(self, lane: Lane) -> None:
        self.bar.remove_task(lane.row)
        self.lanes.remove(lane)
        lane.process.join(_STOP_SECONDS)

    def stop(self) -> None:
        """End what still runs; each lane stops what it has started."""
        for lane in self.lanes:
            lane.process.terminate()
        for lane in self.lanes:
            lane.process.join(_STOP_SECONDS)


def run_side_by_side(
    names: Sequence[str], asked: Asked, lanes: int, console: Console, done: Callable[[Told], None]
) -> None:
    """Run scenarios in so many lanes at a time, and hand what came of each to `done`."""
    with _display(console) as bar:
        side_by_side = Lanes(bar, done, sorted(names, key=NAME.__eq__))
        try:
            for number in range(1, min(lanes, len(names)) + 1):
                side_by_side.start(number, asked)
            side_by_side.run()
        finally:
            side_by_side.stop()


@contextmanager
def _display(console: Console) -> Iterator[Progress]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield bar
