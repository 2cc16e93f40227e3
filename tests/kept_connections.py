"""PostgreSQL connections that one test's application hands on to the next one's.

Each test opens an application over a login of each role. What they ask of PostgreSQL they ask as
ever; only that a login costs more than most tests do.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import pytest
from asyncpg.exceptions import InterfaceError, PostgresError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from engine import database

_MOST: Final = 4
"""Kept for each login."""
_Login = tuple[object, ...]


class _Kept(asyncpg.Connection):
    """A connection that is set aside as it is closed, reset as if it were new."""

    aside: "list[Any]"

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  asyncpg's own
        """Reset it and set it aside; really close what cannot be, or what there is enough of."""
        here, parent = _untyped(self), _untyped(super())
        usable = not (here.is_closed() or here.is_in_transaction()) and len(self.aside) < _MOST
        if usable and await _is_reset(here):
            self.aside.append(self)
        else:
            await parent.close(timeout=timeout)


def _untyped(what: object) -> Any:
    return what


async def _is_reset(connection: Any) -> bool:
    try:
        await connection.reset()
    except (PostgresError, InterfaceError, OSError):
        return False
    return True


@asynccontextmanager
async def connections_kept() -> AsyncIterator[None]:
    """Engines that are made meanwhile share their connections, one after the other; those of
    another event loop than this one have their own."""
    kept: dict[_Login, list[Any]] = defaultdict(list)
    here, login_at = asyncio.get_running_loop(), _untyped(asyncpg).connect

    async def connect(**login: Any) -> Any:
        if asyncio.get_running_loop() is not here:
            return await login_at(**login)
        aside = kept[tuple(sorted((name, str(value)) for name, value in login.items()))]
        while aside:
            connection = aside.pop()
            if not connection.is_closed():
                return connection
        made = await login_at(**login, connection_class=_Kept)
        made.aside = aside
        return made

    def engine(url: Any, **options: Any) -> AsyncEngine:
        return create_async_engine(url, connect_args={"async_creator_fn": connect}, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "create_async_engine", engine)
        yield
    for aside in kept.values():
        for connection in aside:
            connection.terminate()
