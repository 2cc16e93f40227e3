"""Connections to Redis or Valkey; where the URL names sentinels, to whichever server is the primary
at the moment of connecting."""

from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, ConnectionPool
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool

from engine.redis_address import Watched, plain_scheme

_MANY: Final = 2**31
"""redis-py's own word for a pool without an end."""


class PrimaryPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the primary that sentinels name, at most so many; one more is waited for.

    A connection is asked of the sentinels whenever it is made. One that finds its server demoted
    fails, and is made anew to the server that took over.
    """

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """Let go of the connections; with those in use, of those to the sentinels too."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


def redis_pool(
    url: str, *, answer_within: float, connect_within: float, most: int | None = None
) -> ConnectionPool:
    """A pool for `url`, which the settings have checked; nothing is connected yet.

    With `most` connections in use, one more is waited for, for five seconds; without, there is no
    end to them. An answer, and a connection, take so many seconds at the most.
    """
    socket: dict[str, Any] = {
        "socket_timeout": answer_within,
        "socket_connect_timeout": connect_within,
    }
    watched = Watched.from_url(url)
    if watched is not None:
        return PrimaryPool(  # type: ignore[no-untyped-call]  # redis-py's base has no types
            watched.service,
            _sentinels(watched, socket),
            db=watched.database,
            username=watched.username,
            password=watched.password,
            ssl=watched.tls,
            max_connections=most or _MANY,
            timeout=5,
            **socket,
        )
    if most is None:
        return ConnectionPool.from_url(plain_scheme(url), **socket)
    return BlockingConnectionPool.from_url(
        plain_scheme(url), max_connections=most, timeout=5, **socket
    )


def _sentinels(watched: Watched, socket: dict[str, Any]) -> Sentinel:
    return Sentinel(  # type: ignore[no-untyped-call]  # likewise
        list(watched.sentinels),
        sentinel_kwargs={
            **socket,
            "ssl": watched.tls,
            "username": watched.sentinel_username,
            "password": watched.sentinel_password,
        },
    )
