"""arq as its guide shows it: a job a message, aiosmtplib with a connection per message.

Fill the queue: `python arq_mail.py 10000`. Work: `arq arq_mail.WorkerSettings`.
"""

import asyncio
import os
import sys
from typing import Any

import aiosmtplib
from arq import create_pool
from arq.connections import RedisSettings
from mail import HOST, PORT, all_values, message

REDIS = RedisSettings.from_dsn(os.environ["REDIS_URL"])


async def send(_ctx: dict[str, Any], values: dict[str, str]) -> None:
    """A connection for each message, as aiosmtplib's quickstart has it."""
    await aiosmtplib.send(message(values), hostname=HOST, port=PORT)


async def fill(messages: int) -> None:
    """Enqueue a job for each."""
    redis = await create_pool(REDIS)
    for values in all_values(messages):
        await redis.enqueue_job("send", values)
    await redis.aclose()


class WorkerSettings:
    """What `arq` runs."""

    functions = (send,)
    redis_settings = REDIS


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[1])))
