"""The servers that a machine of one's own would have: Debian's PostgreSQL over TCP, Redis under
three sentinels, and a store that speaks S3. Each runs as a process of its own, unprivileged, at
ports and in folders of the run's own: the system's services are left alone."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from engine.errors import ConnectError
from engine.redis_pool import redis_pool
from engine.stack.embedded import free_port

SERVICE: Final = "connect"
DOWN_AFTER_MS: Final = 5000
"""So long a primary says nothing before a sentinel thinks that it is gone."""

_START_SECONDS: Final = 60.0
_POSTGRES: Final = Path("/usr/lib/postgresql")


class LackingError(ConnectError):
    """This machine lacks a program that the run needs."""


def program(name: str, package: str) -> str:
    """Where a program is; raises LackingError, which says what would bring it."""
    places = [str(path / "bin") for path in sorted(_POSTGRES.glob("*"), reverse=True)]
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")]))
    if found is None:
        raise LackingError(f"{name} is not here: {package}")
    return found


def start(folder: Path, *command: str, account: str | None = None) -> subprocess.Popen[bytes]:
    """A server that keeps its files and its log in `folder`, under `account` if there is one."""
    if account is not None:
        shutil.chown(folder, account)
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603  our own servers
            command, cwd=folder, stdout=log, stderr=log, user=account, extra_groups=_groups(account)
        )


def _account() -> str | None:
    """As root, an account that is not: PostgreSQL refuses root, and Redis has no need of it."""
    return "postgres" if os.geteuid() == 0 else None


def _groups(account: str | None) -> list[str] | None:
    return None if account is None else []


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Wait until a server that was started is there."""
    ends = time.monotonic() + _START_SECONDS
    while not true():
        if time.monotonic() > ends:
            raise TimeoutError(f"{what} did not start")
        time.sleep(0.05)


def listens(port: int) -> bool:
    """Whether anybody takes a connection at a port of the loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end(process: subprocess.Popen[bytes], signum: signal.Signals = signal.SIGTERM) -> None:
    """Stop one of ours."""
    with suppress(ProcessLookupError):
        process.send_signal(signum)
    process.wait(60)


@dataclass(slots=True)
class TcpPostgres:
    """Debian's PostgreSQL, reached over TCP with a password, as from another machine."""

    folder: Path
    url: str = ""
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make a cluster of this run's own and serve it."""
        self.folder.mkdir(parents=True)
        password, port = secrets.token_urlsafe(16), free_port()
        kept = self.folder / "password"
        kept.write_text(password)
        if (account := _account()) is not None:
            shutil.chown(self.folder, account)
            shutil.chown(kept, account)
        data = str(self.folder / "data")
        made = (
            "-D",
            data,
            "-U",
            "connect",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        )
        subprocess.run(  # noqa: S603  our own server
            [program("initdb", "apt-get install postgresql"), *made, f"--pwfile={kept}"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.folder,
            user=account, extra_groups=_groups(account),
        )  # fmt: skip
        self._process = start(
            self.folder,
            *(program("postgres", "apt-get install postgresql"), "-D", data, "-p", str(port)),
            *("-h", "127.0.0.1", "-k", str(self.folder), "-c", "max_connections=200"),
            account=account,
        )
        wait_until(lambda: listens(port), "PostgreSQL")
        self.url = f"postgresql://connect:{password}@127.0.0.1:{port}/postgres"

    def stop(self) -> None:
        """Stop it, its clients' transactions rolled back."""
        if self._process is not None:
            end(self._process, signal.SIGINT)


@dataclass(slots=True)
class SentinelRedis:
    """A primary and a replica, with a password, and three sentinels that watch them."""

    folder: Path
    servers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    """Port → the server."""
    sentinels: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)

    @property
    def url(self) -> str:
        """As an operator would write it."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return (
            f"redis+sentinel://:{self.password}@{hosts}/{SERVICE}/0"
            f"?sentinel_password={self.password}"
        )

    def start(self) -> None:
        """Start all five; the first server is the primary."""
        first, second = free_port(), free_port()
        self.serve(first, None)
        self.serve(second, first)
        for _ in range(3):
            self._watch(free_port(), first)

    def serve(self, port: int, primary: int | None) -> None:
        """A server at `port`, following the one at `primary` if there is one."""
        lines = [
            f"requirepass {self.password}",
            f"masterauth {self.password}",
            'save ""',
            "maxmemory-policy noeviction",
        ]
        if primary is not None:
            lines.append(f"replicaof 127.0.0.1 {primary}")
        self.servers[port] = self._start("redis-server", f"server-{port}", port, lines)

    def _watch(self, port: int, primary: int) -> None:
        lines = [
            f"requirepass {self.password}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {primary} 2",
            f"sentinel auth-pass {SERVICE} {self.password}",
            f"sentinel sentinel-pass {self.password}",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {SERVICE} 20000",
        ]
        self.sentinels[port] = self._start("redis-sentinel", f"sentinel-{port}", port, lines)

    def _start(
        self, name: str, folder: str, port: int, lines: Sequence[str]
    ) -> subprocess.Popen[bytes]:
        place = self.folder / folder
        place.mkdir(parents=True, exist_ok=True)
        config = place / "server.conf"
        text = [f"bind 127.0.0.1\nport {port}\ndir {place}", *lines, ""]
        config.write_text("\n".join(text))
        config.chmod(0o600)
        account = _account()
        if account is not None:
            shutil.chown(config, account)
        process = start(
            place, program(name, f"apt-get install {name}"), str(config), account=account
        )
        wait_until(lambda: listens(port), name)
        return process

    async def primary(self) -> int | None:
        """The port of the server that the sentinels name; None while they name none."""
        async with self._sentinel() as sentinel:
            try:
                found = await sentinel.sentinel_get_master_addr_by_name(SERVICE)  # type: ignore[no-untyped-call]
            except (RedisError, OSError):
                return None
        return int(found[1]) if found else None

    async def primary_after(self, dead: int) -> int:
        """The port of the server that took over."""
        while (alive := await self.primary()) is None or alive == dead:  # noqa: ASYNC110  nobody tells us
            await asyncio.sleep(0.05)
        return alive

    def _sentinel(self) -> Redis:
        port = next(iter(self.sentinels))
        return Redis(port=port, password=self.password, socket_timeout=2)

    async def until_followed(self) -> None:
        """Return when all sentinels know each other, and a replica that may take over."""
        async with asyncio.timeout(60), self._sentinel() as sentinel:
            while True:
                masters: dict[str, Any] = await sentinel.sentinel_masters()  # type: ignore[no-untyped-call]
                replicas = await sentinel.sentinel_slaves(SERVICE)  # type: ignore[no-untyped-call]
                known = masters[SERVICE]["num-other-sentinels"] == len(self.sentinels) - 1
                alive = (
                    not one["is_sdown"] and one["master-link-status"] == "ok" for one in replicas
                )
                if known and any(alive):
                    return
                await asyncio.sleep(0.1)

    async def flush(self) -> None:
        """Everything that it holds is gone."""
        async with Redis(
            connection_pool=redis_pool(self.url, answer_within=5, connect_within=2)
        ) as client:
            await client.flushall()

    def kill(self, port: int) -> None:
        """SIGKILL: what was not copied yet is gone."""
        end(self.servers.pop(port), signal.SIGKILL)

    def stop(self) -> None:
        """Stop all that run."""
        for process in (*self.sentinels.values(), *self.servers.values()):
            end(process)


@dataclass(slots=True)
class Bucket:
    """A store that speaks S3, with one bucket in it."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve; the bucket is `documents`."""
        self.folder.mkdir(parents=True)
        server = os.environ.get("S3_SERVER") or program(
            "moto_server", 'pip install "moto[s3,server]" in an environment of its own, and set '
            "S3_SERVER to its moto_server",
        )  # fmt: skip
        self._process = start(self.folder, server, "-H", "127.0.0.1", "-p", str(self.port))
        wait_until(lambda: listens(self.port), "the S3 server")
        request = "PUT /documents HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(request.encode())
            client.recv(1000)

    @property
    def environment(self) -> dict[str, str]:
        """How a process is told of it."""
        return {
            "DOCUMENTS_URL": "s3://documents/inbox",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "connect",
            "AWS_SECRET_ACCESS_KEY": "of-no-worth",
            "AWS_REGION": "us-west-1",
        }

    def stop(self) -> None:
        """Stop it; what it held is gone."""
        if self._process is not None:
            end(self._process)
