"""How long to wait before the next attempt, as a value."""

import random
from dataclasses import dataclass
from datetime import timedelta

_SYSTEM_RANDOM = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, from `first` to `most` seconds, each wait drawn from its upper half.

    The jitter spreads out the many that failed together, so that a server which comes back is
    not met by all of them at once.
    """

    first: float
    most: float

    def delay(self, attempt: int) -> timedelta:
        """The wait after attempt number `attempt`, counted from 1."""
        return self._drawn(self.first * 2 ** min(attempt - 1, 30))

    def delay_while_down(self, seconds_down: float) -> timedelta:
        """The wait while nobody answers: about as long as nobody has answered."""
        return self._drawn(max(self.first, seconds_down))

    def _drawn(self, seconds: float) -> timedelta:
        whole = min(seconds, self.most)
        return timedelta(seconds=_SYSTEM_RANDOM.uniform(whole / 2, whole))
