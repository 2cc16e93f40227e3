"""The doorbell: arq jobs that name ids, and nothing else. Losing every one of them loses nothing.

The only module outside `jobs/` that knows arq. Work is enqueued by name, so that whoever rings
never imports what runs.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

from engine.communications.owed import Owed
from engine.redis_pool import redis_pool

log: Final = structlog.get_logger()

DELIVER: Final = "deliver"
SETTLE_PIN_REQUESTS: Final = "settle_pin_requests"
POST_TO_WEBHOOK: Final = "post_to_webhook"
QUEUES: Final = {
    "urgent": "connect:urgent",
    "bulk": "connect:bulk",
    "clock": "connect:clock",
    "webhooks": "connect:webhooks",
}
"""The cron table has a queue of its own: a sweep never waits behind what it sweeps for. So have
webhooks: no PIN and no sweep waits for a slow answer of somebody else's server."""


def serialize(job: dict[str, Any]) -> bytes:
    """A job as JSON; arq's default is pickle, which runs what it reads."""
    return json.dumps(job, default=_unfit).encode()


def _unfit(value: object) -> str:
    # arq serialises what a failed job raised along with the job: its type is all that may travel.
    return type(value).__name__


@dataclass(frozen=True, slots=True)
class Doorbell:
    """Rings for ids, up to `chunk` of them a job, on the queue of their urgency."""

    redis: ArqRedis
    chunk: int = 500

    @classmethod
    def at(cls, url: str, chunk: int = 500) -> Self:
        """A doorbell on the Redis at `url`; nothing is connected until it rings."""
        pool = redis_pool(url, answer_within=5, connect_within=2, most=10)
        redis = ArqRedis(
            connection_pool=pool,
            job_serializer=serialize,
            job_deserializer=json.loads,
            default_queue_name=QUEUES["bulk"],
        )
        return cls(redis, chunk)

    async def ring(self, owed: Iterable[Owed]) -> int:
        """Ring for deliveries; the answer is how many jobs were enqueued.

        A Redis that does not answer is logged and forgotten: the sweep rings again.
        """
        grouped: dict[tuple[str, timedelta], list[int]] = defaultdict(list)
        for item in owed:
            # Waits are jittered: to the second, those that come due together share a job.
            after = timedelta(seconds=math.ceil(item.after.total_seconds()))
            grouped[item.urgency, after].append(item.delivery_id)
        rung = 0
        for (urgency, after), ids in grouped.items():
            for chunk in _chunks(ids, self.chunk):
                rung += await self._enqueue(DELIVER, urgency, chunk, after)
        return rung

    async def ring_for_pin_requests(self, request_ids: Sequence[int]) -> int:
        """Ring for PIN requests that wait to be settled; they are urgent."""
        rung = 0
        for chunk in _chunks(request_ids, self.chunk):
            rung += await self._enqueue(SETTLE_PIN_REQUESTS, "urgent", chunk)
        return rung

    async def ring_for_webhooks(self, endpoint_ids: Sequence[int]) -> int:
        """Ring for webhook endpoints: a job each, and no second one while one waits or runs."""
        rung = 0
        for id_ in endpoint_ids:
            job_id = f"connect:webhook:{id_}"
            rung += await self._enqueue(POST_TO_WEBHOOK, "webhooks", [id_], job_id=job_id)
        return rung

    async def _enqueue(
        self,
        job: str,
        urgency: str,
        ids: Sequence[int],
        after: timedelta = timedelta(),
        job_id: str | None = None,
    ) -> int:
        try:
            await self.redis.enqueue_job(
                job,
                list(ids),
                _job_id=job_id,
                _queue_name=QUEUES[urgency],
                _defer_by=after or None,
            )
        except (RedisError, OSError) as error:
            log.warning(
                "doorbell_lost", job=job, ids=len(ids), urgency=urgency, cause=type(error).__name__
            )
            return 0
        return 1

    async def close(self) -> None:
        """Let go of the connections."""
        await self.redis.aclose(close_connection_pool=True)


def _chunks(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
