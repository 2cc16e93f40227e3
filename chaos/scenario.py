"""What a scenario is: something that breaks and is mended while the work goes on."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chaos.world import World

Strike = Callable[["World"], Coroutine[Any, Any, None]]
"""Breaks things and mends them, each inside `world.broken(...)`; returns when all is mended."""


async def nothing(_world: "World") -> None:
    """Nothing breaks in this part of the work."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to break things.

    `delivering` strikes while the workers send, `printing` while the batch is closed and the vendor
    works. `before` arranges the world before anything is owed. `environment` goes to the
    processes. One that cannot be joined with others in one run stands `alone`. `also` looks at what
    is true of this scenario only, and says what is wrong.
    """

    name: str
    item: int
    """The number of the clause that it proves."""
    title: str
    delivering: Strike = nothing
    printing: Strike = nothing
    before: Strike = nothing
    environment: Mapping[str, str] = field(default_factory=dict)
    pace: float = 0.0
    """Seconds that a message takes the mail server, so that there is work to break into."""
    alone: bool = False
    lacks: str | None = None
    """What is not installed here, without which it cannot be run."""
    moves_clock: bool = False
    """Whether its processes go by a clock that can be moved."""
    also: Callable[["World"], Awaitable[list[str]]] | None = None
