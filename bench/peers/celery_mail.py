"""Celery, a task a message, over Redis: with a connection per message, and with a kept one.

Fill the queue: `python celery_mail.py send 10000`. Work: `celery -A celery_mail worker`.
"""

import os
import smtplib
import sys
from functools import cache

from celery import Celery
from mail import HOST, PORT, all_values, message

app = Celery("celery_mail", broker=os.environ["REDIS_URL"])
# Short tasks are fetched ahead (its guide, Optimizing: 50 to 150), and nobody reads their results.
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=64,
    broker_connection_retry_on_startup=True,
)


@app.task
def send(values: dict[str, str]) -> None:
    """A connection for each message, as smtplib's own example has it."""
    with smtplib.SMTP(HOST, PORT) as server:
        server.send_message(message(values))


@cache
def kept() -> smtplib.SMTP:
    """The connection that a process of the pool keeps."""
    return smtplib.SMTP(HOST, PORT)


@app.task
def send_kept(values: dict[str, str]) -> None:
    """One connection for all messages of a process."""
    kept().send_message(message(values))


if __name__ == "__main__":
    task = {"send": send, "send_kept": send_kept}[sys.argv[1]]
    with app.producer_pool.acquire(block=True) as producer:
        for one in all_values(int(sys.argv[2])):
            task.apply_async((one,), producer=producer)
