"""4: a mail server that refuses, dawdles, hangs up at the worst moment, and is away for hours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from chaos.clock import LACKS
from chaos.scenario import Scenario, Strike
from chaos.world import World
from tests.email.faulty_server import Fault, Step

_PACE: Final = 0.02
_SECONDS: Final = 10.0
OUTAGE_HOURS: Final = 2.0
_STEPS: Final = 8
_STEP_SECONDS: Final = 3.0
_HELD_AGAINST: Final = """
SELECT delivery_id FROM delivery_event WHERE event = 'exhausted'
"""

SHORT: Final = {"SMTP_TIMEOUT_SECONDS": "3"}
"""A server that says nothing is not waited for as long as in earnest."""


@asynccontextmanager
async def _ill(world: World, what: str) -> AsyncIterator[None]:
    """The mail server fails inside the context, and is well again after it."""
    async with world.broken(what):
        yield
        world.mail.mend()


def _faults(what: str, faults: dict[Step, Fault | str], seconds: float = _SECONDS) -> Strike:
    """The server fails at these steps for so long, in the middle of the work."""

    async def strike(world: World) -> None:
        await world.until_more()
        async with _ill(world, what):
            world.mail.faults.update(faults)
            await asyncio.sleep(seconds)

    return strike


async def cut(world: World) -> None:
    """It closes the connection while the content is on its way."""
    await world.until_more()
    async with _ill(world, "closed in the middle of DATA"):
        world.mail.cuts = True
        await asyncio.sleep(_SECONDS)


async def greylist(world: World) -> None:
    """It asks everyone to come back, and takes them then."""
    await world.until_more()
    async with _ill(world, "greylisting"):
        world.mail.greylists = True
        await asyncio.sleep(_SECONDS)


async def refuse(world: World) -> None:
    """Nobody listens."""
    await world.until_more()
    async with world.broken("connections refused"):
        world.mail.stop()
        await asyncio.sleep(_SECONDS)
        await world.mail.start()


UNANSWERED: Final = _faults("closed after the final dot", {Step.CONTENT: Fault.DROP}, 3.0)
STRIKES: Final[dict[str, tuple[str, Strike]]] = {
    "smtp-refuses": ("the SMTP server refuses connections", refuse),
    "smtp-tarpit": (
        "the SMTP server answers MAIL byte by byte, without an end",
        _faults("tarpit", {Step.MAIL: Fault.TRICKLE}),
    ),
    "smtp-cuts": ("the SMTP server closes in the middle of DATA", cut),
    "smtp-unanswered": ("the SMTP server closes after the final dot, without a reply", UNANSWERED),
    "smtp-421": (
        "the SMTP server answers 421 to MAIL",
        _faults("421", {Step.MAIL: "421 4.3.2 shutting down"}),
    ),
    "smtp-451": (
        "the SMTP server answers 451 after the content",
        _faults("451", {Step.CONTENT: "451 4.3.0 try again later"}),
    ),
    "smtp-552": (
        "the SMTP server answers 552 after the content: it has no room",
        _faults("552", {Step.CONTENT: "552 5.3.4 no room for so much"}, 1.0),
    ),
    "smtp-greylists": ("the SMTP server greylists", greylist),
}


async def outage(world: World) -> None:
    """Nobody listens for two hours of the clock."""
    await world.until_more()
    async with world.broken(f"no mail server for {OUTAGE_HOURS:.0f} hours"):
        world.mail.stop()
        for _ in range(_STEPS):
            await asyncio.sleep(_STEP_SECONDS)
            world.clock.move(OUTAGE_HOURS * 3600 / _STEPS)
        await world.mail.start()


async def by_email_all_the_same(world: World) -> list[str]:
    """Whether the outage was held against any message: given up, or sent by mail instead."""
    rows = await world.fetch(_HELD_AGAINST)
    return [f"the outage was held against {len(rows)} messages"] if rows else []


SCENARIOS: Final = (
    *(
        Scenario(name, 4, title, strike, environment=SHORT, pace=_PACE)
        for name, (title, strike) in STRIKES.items()
    ),
    Scenario(
        "smtp-outage",
        4,
        f"no SMTP server for {OUTAGE_HOURS:.0f} hours, by a clock that is moved",
        outage,
        pace=_PACE,
        alone=True,
        moves_clock=True,
        lacks=LACKS,
        also=by_email_all_the_same,
    ),
)
