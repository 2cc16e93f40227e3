"""Whether this process runs, and whether it can serve."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.bootstrap import Application
from engine.recovery.mark import DatabaseRestoredError

ANSWER_WITHIN_SECONDS: Final = 1.5


@dataclass(frozen=True, slots=True)
class Health:
    """Answers a supervisor's and a load balancer's questions; nothing but server names is said."""

    application: Application

    async def live(self, _request: Request) -> Response:
        """200 while the process runs: one that answers nothing is to be restarted."""
        return JSONResponse({"status": "live"})

    async def ready(self, _request: Request) -> Response:
        """200 when PostgreSQL and Redis answer, else 503 naming which does not."""
        names = ("postgresql", "redis")
        answers = await asyncio.gather(_answers(self._postgresql()), _answers(self._redis()))
        checks = {
            name: "ready" if answer else "away" for name, answer in zip(names, answers, strict=True)
        }
        ready = all(answers)
        return JSONResponse(
            {"status": "ready" if ready else "away", **checks},
            200 if ready else 503,
        )

    async def _postgresql(self) -> None:
        async with self.application.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def _redis(self) -> None:
        await self.application.doorbell.redis.ping()


async def _answers(question: Awaitable[Any]) -> bool:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
            await question
    except (TimeoutError, OSError, SQLAlchemyError, RedisError, DatabaseRestoredError):
        return False
    return True
