"""The peers: their queue is filled first, then their workers are started, and what counts is when
the sink had taken the first message after the warm-up, and when it had taken the last."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from redis import Redis

from bench.send.environments import PEERS, Environment
from bench.send.runs import Run, watched
from bench.send.sink import Sink, sink
from bench.stand import process

WARM_UP: Final = 500
_STUCK_SECONDS: Final = 60
_DATABASE: Final = 1
"""Of the Redis that ours uses too: peers have one of their own in it, emptied each time."""


@dataclass(frozen=True, slots=True)
class Peer:
    """How a peer's queue is filled with so many messages, and how so many workers are started."""

    title: str
    fill: Callable[[Environment, int], Sequence[str]]
    work: Callable[[Environment, int], Sequence[Sequence[str]]]


def _celery(title: str, task: str) -> Peer:
    def work(there: Environment, workers: int) -> Sequence[Sequence[str]]:
        alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        options = (f"--concurrency={workers}", "--loglevel=WARNING", *alone)
        return [(str(there.programs / "celery"), "-A", "celery_mail", "worker", *options)]

    def fill(there: Environment, messages: int) -> Sequence[str]:
        return (str(there.programs / "python"), "celery_mail.py", task, str(messages))

    return Peer(title, fill, work)


CELERY: Final = _celery("Celery, a connection per message", "send")
CELERY_KEPT: Final = _celery("Celery, a kept connection", "send_kept")
ARQ: Final = Peer(
    "arq as its guide shows it",
    lambda there, messages: (str(there.programs / "python"), "arq_mail.py", str(messages)),
    lambda there, workers: [(str(there.programs / "arq"), "arq_mail.WorkerSettings")] * workers,
)
BULLMQ: Final = Peer(
    "BullMQ, nodemailer, Handlebars",
    lambda there, messages: (
        *(str(there.programs / "node"), "bullmq_mail.mjs", "fill", str(messages)),
    ),
    lambda there, workers: [(str(there.programs / "node"), "bullmq_mail.mjs", "work")] * workers,
)


def run_peer(
    peer: Peer, there: Environment, redis_url: str, words: Path, *, workers: int, messages: int
) -> Run:
    """Send the `messages` first of those whose words and values lie in the folder `words`."""
    url = urlsplit(redis_url)._replace(path=f"/{_DATABASE}").geturl()
    with Redis.from_url(url) as redis, sink() as opened, ExitStack() as stack:
        redis.flushdb()
        told = {"REDIS_URL": url, "WORDS": str(words), "SINK_PORT": str(opened.port)}
        env = _environment(there, told)
        total = WARM_UP + messages
        subprocess.run(peer.fill(there, total), cwd=PEERS, env=env, check=True)
        logs = [words / f"worker-{turn}.log" for turn in range(workers)]
        started = [
            stack.enter_context(process(command, log, env, PEERS))
            for command, log in zip(peer.work(there, workers), logs, strict=False)
        ]
        with watched(started) as watching:
            _wait_for(opened, WARM_UP, logs[0])
            used = -watching.processor()
            _wait_for(opened, total, logs[0])
            used += watching.processor()
        seconds = opened.moment_of(total) - opened.moment_of(WARM_UP)
        redis.flushdb()
    return Run(messages, seconds, used, tuple(watching.memory))


def _environment(there: Environment, told: Mapping[str, str]) -> dict[str, str]:
    """Our own virtual environment is left out of it."""
    ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "PATH": f"{there.programs}:{os.environ['PATH']}", **told}


def _wait_for(opened: Sink, count: int, log: Path) -> None:
    standing, since = opened.taken, time.monotonic()
    while opened.taken < count:
        if opened.taken > standing:
            standing, since = opened.taken, time.monotonic()
        if time.monotonic() - since > _STUCK_SECONDS:
            raise SystemExit(f"{count - standing:,} messages did not come\n{_end_of(log)}")
        time.sleep(0.02)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2_000:]
