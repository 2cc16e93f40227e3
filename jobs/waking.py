"""A worker that looks at its queue the moment it is rung for, and not at its next poll.

Redis says by itself when a key has changed (client-side caching, broadcasting), so whoever rings
need not know who listens. Only an accelerator: what is not heard is found by the poll.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker
from redis.exceptions import RedisError, ResponseError

log: Final = structlog.get_logger()

_CHANGED: Final = "__redis__:invalidate"
_LISTEN_SECONDS: Final = 2.0
"""Shorter than the connection's own patience, which would take silence for a lost server."""
_AGAIN_SECONDS: Final = 5.0


class PromptWorker(Worker):
    """An arq worker that waits for its queue to change, for `poll_seconds` at the most."""

    def __init__(self, *, poll_seconds: float, **options: Any) -> None:
        # arq sleeps for its own delay after each look; the waiting is done here instead.
        super().__init__(poll_delay=0, **options)
        self._poll_seconds = poll_seconds
        self._changed = asyncio.Event()

    async def main(self) -> None:
        """Work, with an ear at the queue."""
        listening = asyncio.create_task(self._listen())
        try:
            await super().main()
        finally:
            await end(listening)

    async def _poll_iteration(self) -> None:
        self._changed.clear()
        await super()._poll_iteration()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), self._poll_seconds)

    async def _listen(self) -> None:
        """Hear of every change, until cancelled; a server that tells of none is only polled."""
        while True:
            try:
                await self._hear()
            except ResponseError as error:
                log.warning("queue_only_polled", queue=self.queue_name, cause=str(error))
                return
            except (RedisError, OSError) as error:
                log.info("queue_not_heard", queue=self.queue_name, cause=type(error).__name__)
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _hear(self) -> None:
        redis: ArqRedis = self.pool
        async with redis.pubsub(ignore_subscribe_messages=True) as heard:
            await heard.connect()
            connection = heard.connection
            await connection.send_command("CLIENT", "ID")
            own = await connection.read_response()
            # In RESP2 the news of changes come as messages, to a connection that is named: itself.
            await connection.send_command(
                *("CLIENT", "TRACKING", "ON", "REDIRECT", own),
                *("BCAST", "PREFIX", self.queue_name),
            )
            await connection.read_response()
            await heard.subscribe(_CHANGED)
            while True:
                if await heard.get_message(timeout=_LISTEN_SECONDS) is not None:
                    self._changed.set()


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel until it has ended: redis-py, in the middle of a WATCH or of a lost connection, may
    swallow one."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.2)
