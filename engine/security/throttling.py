"""How often something may be asked for: moving windows, counted in Redis for all processes alike.

Redis is told no person: what is counted is named by a keyed tag of its identifiers.
"""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final, TypeVar

import structlog
from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from engine.clock import Clock, system_clock
from engine.errors import SettingsError
from engine.redis_pool import redis_pool
from engine.security.tokens import derive_tag

PREFIX: Final = "connect:throttle"
ANSWER_WITHIN_SECONDS: Final = 1.0
"""A page waits no longer than this for Redis to say whether it may be asked for."""
LEAVE_ALONE: Final = timedelta(seconds=5)
"""How long a Redis that did not answer is not asked again."""

T = TypeVar("T")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may go on; if not, in how many whole seconds it is worth asking again.
    One that could not be `counted` is refused for our own fault."""

    allowed: bool
    retry_after_seconds: int = 0
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Taken:
    """What a request that was counted leaves of its rate: how many more in a window of so many
    seconds, and in how many seconds there are more again."""

    decision: Decision
    most: int
    window_seconds: int
    left: int
    more_in_seconds: int


class Throttle:
    """Counts requests against their rates.

    When Redis cannot be reached, requests are counted in this process alone instead, under the
    same rates: a parent must be able to ask for a PIN while Redis restarts, and a flood is still
    held to the rate times the number of processes. Refusing all would make Redis a thing that
    work depends on; allowing all would make its failure worth causing.
    """

    def __init__(self, redis_url: str, key: bytes, clock: Clock = system_clock) -> None:
        """Nothing is connected yet. `key` is the one that tags are derived under."""
        self._key = key
        self._clock = clock
        self._pool = redis_pool(
            redis_url, answer_within=ANSWER_WITHIN_SECONDS, connect_within=ANSWER_WITHIN_SECONDS
        )
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=self._pool,  # type: ignore[arg-type]  # documented, yet not typed
        )
        self._shared = MovingWindowRateLimiter(storage)
        self._alone = MovingWindowRateLimiter(MemoryStorage())
        self._leave_until: datetime | None = None

    async def allow(self, scope: str, *parts: str, rate: str, or_refuse: bool = False) -> Decision:
        """Count one request for `scope` by the one whom `parts` identify, if `rate` allows it.

        `rate` reads like `10/minute`; a refused request is not counted. With `or_refuse` nobody is
        let through while Redis cannot be reached: guesses are counted for all processes together,
        or not taken. Raises SettingsError for a rate that cannot be read.
        """
        limit = parse_rate(rate)
        name = self._name(scope, parts)
        decision = await self._with_redis(_decide, limit, name)
        if decision is None and or_refuse:
            seconds = int(LEAVE_ALONE.total_seconds())
            return Decision(allowed=False, retry_after_seconds=seconds, counted=False)
        return decision or await _decide(self._alone, limit, name)

    async def take(self, scope: str, *parts: str, rate: str) -> Taken:
        """Count one request as `allow` does, and say what is left, for those who are told of it."""
        limit = parse_rate(rate)
        name = self._name(scope, parts)
        taken = await self._with_redis(_take, limit, name)
        return taken or await _take(self._alone, limit, name)

    async def _with_redis(
        self,
        count: Callable[[MovingWindowRateLimiter, RateLimitItem, str], Awaitable[T]],
        limit: RateLimitItem,
        name: str,
    ) -> T | None:
        """What Redis says, or None where it does not."""
        if self._leave_until is not None and self._clock() < self._leave_until:
            return None
        try:
            counted = await count(self._shared, limit, name)
        except (RedisError, OSError) as error:
            self._redis_failed(error)
            return None
        self._leave_until = None
        return counted

    async def close(self) -> None:
        """Let go of the connections."""
        await self._pool.disconnect()

    def _name(self, scope: str, parts: tuple[str, ...]) -> str:
        framed = "".join(f"{len(part)}:{part}" for part in parts)
        return f"{scope}/{derive_tag(self._key, f'throttle.{scope}', framed, 32)}"

    def _redis_failed(self, error: Exception) -> None:
        if self._leave_until is None:
            _log.warning("throttle.redis_unreachable", error=type(error).__name__)
        self._leave_until = self._clock() + LEAVE_ALONE


@cache
def parse_rate(rate: str) -> RateLimitItem:
    """A rate like `10/minute`; raises SettingsError when it does not read so."""
    try:
        (limit,) = parse_many(rate)
    except ValueError:
        raise SettingsError(f"the rate {rate!r} must read like 10/minute") from None
    return limit


async def _decide(limiter: MovingWindowRateLimiter, limit: RateLimitItem, name: str) -> Decision:
    if await limiter.hit(limit, name):
        return Decision(allowed=True)
    _, seconds = await _window(limiter, limit, name)
    return Decision(allowed=False, retry_after_seconds=seconds)


async def _take(limiter: MovingWindowRateLimiter, limit: RateLimitItem, name: str) -> Taken:
    allowed = await limiter.hit(limit, name)
    left, seconds = await _window(limiter, limit, name)
    decision = Decision(allowed, 0 if allowed else seconds)
    return Taken(decision, limit.amount, limit.get_expiry(), left, seconds)


async def _window(
    limiter: MovingWindowRateLimiter, limit: RateLimitItem, name: str
) -> tuple[int, int]:
    """How many more are allowed now, and in how many seconds the oldest that was counted ends."""
    window = await limiter.get_window_stats(limit, name)
    # limits dates its windows by the machine's clock, in seconds since 1970, and by no other.
    return window.remaining, max(1, math.ceil(window.reset_time - time.time()))
