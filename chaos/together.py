"""Everything that can be joined, in one run and in a random order."""

from collections.abc import Sequence
from typing import Final

from chaos.scenario import Scenario, nothing
from chaos.world import World

NAME: Final = "together"
_SECONDS: Final = 400.0
"""About so long is there work for the faults to break into."""
_CONNECTIONS: Final = 8
_SLOWEST: Final = 2.0
_SETTINGS: Final = {"CHUNK": "20", "LEASE_SECONDS": "10"}
"""So that many deaths in a row do not lay hold of everything there is."""


def together(scenarios: Sequence[Scenario]) -> Scenario:
    """One scenario of all `scenarios` that do not stand alone; the world's chance has the order."""
    joined = [one for one in scenarios if not one.alone and not one.lacks]

    async def before(world: World) -> None:
        for one in joined:
            await one.before(world)

    async def delivering(world: World) -> None:
        world.mail.pace = min(_SLOWEST, _SECONDS * _CONNECTIONS / max(1, world.emails))
        order = [one for one in joined if one.delivering is not nothing]
        world.random.shuffle(order)
        world.notes.append("order: " + ", ".join(one.name for one in order))
        for one in order:
            await one.delivering(world)

    async def printing(world: World) -> None:
        order = [one for one in joined if one.printing is not nothing]
        world.random.shuffle(order)
        for one in order:
            await one.printing(world)

    async def also(world: World) -> list[str]:
        return [said for one in joined if one.also for said in await one.also(world)]

    environment = {name: value for one in joined for name, value in one.environment.items()}
    return Scenario(
        NAME,
        max((one.item for one in joined), default=0),
        f"{len(joined)} of them in one run, in a random order",
        delivering,
        printing,
        before,
        environment={**environment, **_SETTINGS},
        also=also,
    )
