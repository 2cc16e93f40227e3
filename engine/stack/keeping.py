"""The servers' process: keeps the embedded PostgreSQL, Redis and mailbox up until SIGTERM."""

import asyncio
import os
import signal
import socket
import threading
from contextlib import ExitStack
from typing import Final

import structlog

from engine.errors import SettingsError
from engine.serving import serve_until_told
from engine.settings import Settings
from engine.stack.bouncing import Postmaster
from engine.stack.embedded import EmbeddedRedis, free_port, start_postgres, start_redis
from engine.stack.mailbox import serve_mailbox
from engine.stack.mailbox_page import mailbox_page
from engine.stack.servers import Servers, alone_on, forget, process_started

log: Final = structlog.get_logger()

HOST: Final = "127.0.0.1"


def keep_servers(settings: Settings, mailbox_port: int) -> None:
    """Start the embedded servers of the data folder, say where they are, and keep them.

    Told to stop while they are still starting, it stops the ones that have.
    """
    if settings.profile == "production":
        raise SettingsError("PROFILE is production: the embedded servers are for trying out")
    told = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: told.set())
    with alone_on(settings.data_dir), ExitStack() as stack:
        postgres = start_postgres(settings.data_dir / "postgres")
        stack.callback(postgres.stop)
        redis = start_redis(settings.data_dir / "redis")
        stack.callback(redis.stop)
        stack.callback(forget, settings.data_dir)
        if not told.is_set():
            asyncio.run(_keep(settings, postgres.url, redis, mailbox_port))
    log.info("servers_stopped")


async def _keep(
    settings: Settings, database_url: str, redis: EmbeddedRedis, mailbox_port: int
) -> None:
    folder = settings.data_dir / "mailbox"
    returns_port = free_port()
    postmaster = Postmaster(HOST, returns_port)
    mailbox = await serve_mailbox(folder, HOST, 0, postmaster)
    listener = socket.create_server((HOST, mailbox_port))
    Servers(
        pid=os.getpid(),
        started=process_started(),
        redis_pid=redis.pid,
        database_url=database_url,
        redis_url=redis.url,
        smtp_url=mailbox.url,
        mailbox_url=f"http://{HOST}:{listener.getsockname()[1]}/",
        returns_port=returns_port,
    ).write(settings.data_dir)
    log.info("servers_started")
    await serve_until_told(mailbox_page(folder), listener)
    await postmaster.stop()
    await mailbox.stop()
