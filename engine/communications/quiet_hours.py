"""Quiet hours: what can wait does not make a phone buzz at night."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Self

from engine.clock import PACIFIC


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `evening` to `morning` by the clock on the wall, in Pacific time. From 21:00 to 8:00
    are those of the Telephone Consumer Protection Act (47 CFR 64.1200(c)(1)), kept for email too.
    """

    evening: time = time(21)
    morning: time = time(8)

    @classmethod
    def written(cls, text: str) -> Self:
        """Read `21:00-08:00`, as the settings have checked it."""
        evening, _, morning = text.partition("-")
        return cls(time.fromisoformat(evening), time.fromisoformat(morning))

    def left(self, now: datetime) -> timedelta:
        """How long from `now`, an aware moment, until they are over; nothing in the daytime."""
        local = now.astimezone(PACIFIC)
        if self.morning <= local.time() < self.evening:
            return timedelta()
        day = local.date() + timedelta(days=local.time() >= self.evening)
        # By the seconds that pass: a night in which the clocks change is an hour longer or shorter.
        morning = datetime.combine(day, self.morning, tzinfo=PACIFIC)
        return timedelta(seconds=morning.timestamp() - now.timestamp())
