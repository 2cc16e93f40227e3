"""How a class of records stands against its period."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What is older than `before` may go, but for what is owed still or held for a court."""

    name: str
    before: datetime
    removable: int
    owed: int = 0
    held: int = 0
