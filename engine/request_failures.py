"""A request that failed for no fault of its own: what the log says of it, and whether to try again.

An error's text and values may hold what somebody typed, so neither is logged: its type and the
places it passed through are, which is what mends it.
"""

import traceback
from typing import Final

import structlog
from asyncpg import exceptions as postgres
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from engine.recovery.mark import DatabaseRestoredError

log: Final = structlog.get_logger()

SERVERS_AWAY: Final = (
    OSError,
    InterfaceError,
    OperationalError,
    PoolTimeoutError,
    postgres.PostgresConnectionError,
    postgres.CannotConnectNowError,
    postgres.AdminShutdownError,
    postgres.TooManyConnectionsError,
    postgres.InterfaceError,
    DatabaseRestoredError,
)
"""The database is restarting, full or held: 503, and it is worth trying again."""


def log_failure(error: Exception) -> bool:
    """Name `error` in the log; whether a server was away, so that it is worth trying again."""
    log.critical("request_failed", error=type(error).__name__, passed=_passed(error))
    return isinstance(error, SERVERS_AWAY)


def _passed(error: BaseException) -> list[str]:
    return [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-12:]
    ]
