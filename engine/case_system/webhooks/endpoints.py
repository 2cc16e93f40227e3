"""Webhook endpoints: added, listed, their secrets rotated, switched on again, removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.case_system.feed.reading import Feed
from engine.case_system.webhooks.destinations import Rules
from engine.clock import Clock
from engine.communications.catalogue import CATALOGUE
from engine.database import driver_connection
from engine.errors import InputError
from engine.security.audit import Audit, Detail, Entry
from engine.security.sealed_columns import box_of, key_of
from engine.security.webhook_signing import new_secret, sealed_for

ENDPOINTS_MOST: Final = 20
OVERLAP: Final = timedelta(hours=24)
"""How long a secret that was rotated away still signs, beside the new one."""

_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended('webhook endpoints', 0))"
_ADD: Final = """
INSERT INTO webhook_endpoint (url, notices, position, next_attempt_at, added_by, added_at)
VALUES ($1, $2, $3, $4, $5, $4) RETURNING id
"""
_SECRET: Final = f"""
INSERT INTO webhook_secret (endpoint_id, sealed, sealed_key_id, made_at)
VALUES ($1, {box_of("$2::json")}, {key_of("$2::json")}, $3)
"""  # noqa: S608  joined from constants of ours
_LISTED: Final = """
SELECT id, url, notices, position, failures, failing_since, next_attempt_at, last_answer, taken_at,
       disabled_at, disabled_why, added_by, added_at,
       (SELECT max(ends_at) FROM webhook_secret
        WHERE endpoint_id = webhook_endpoint.id AND ends_at > $1) AS old_secret_until
FROM webhook_endpoint WHERE $2::bigint IS NULL OR id = $2 ORDER BY id
"""
_EXPIRED: Final = "DELETE FROM webhook_secret WHERE endpoint_id = $1 AND ends_at <= $2"
_RETIRE: Final = "UPDATE webhook_secret SET ends_at = $2 WHERE endpoint_id = $1 AND ends_at IS NULL"
_ENABLE: Final = """
UPDATE webhook_endpoint SET disabled_at = NULL, disabled_why = NULL, failures = 0,
       failing_since = NULL, next_attempt_at = $2
WHERE id = $1
"""
_DISABLE: Final = """
UPDATE webhook_endpoint SET disabled_at = $2, disabled_why = 'asked'
WHERE id = $1 AND disabled_at IS NULL
"""
_REMOVE_SECRETS: Final = "DELETE FROM webhook_secret WHERE endpoint_id = $1"
_REMOVE: Final = "DELETE FROM webhook_endpoint WHERE id = $1"


class UnknownEndpointError(InputError):
    """No webhook endpoint has this number."""


class TooManyEndpointsError(InputError):
    """There are as many webhook endpoints as there may be."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint as it stands. `notices` None is all of them; `position` is the last place
    of the feed that was taken."""

    id: int
    url: str
    notices: Sequence[str] | None
    position: int
    failures: int
    failing_since: datetime | None
    next_attempt_at: datetime
    last_answer: str | None
    taken_at: datetime | None
    disabled_at: datetime | None
    disabled_why: str | None
    added_by: str
    added_at: datetime
    old_secret_until: datetime | None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Manages them; what is done is in the audit trail, and no URL or secret is."""

    engine: AsyncEngine
    feed: Feed
    rules: Rules
    audit: Audit
    clock: Clock

    async def add(
        self, url: str, actor: str, notices: Sequence[str] | None = None, after: int | None = None
    ) -> tuple[int, str]:
        """A new endpoint, told of what comes after a place of the feed, or from now on; its id, and
        its secret, which is shown this once. Raises InputError for what cannot be one."""
        self.rules.parts(url)
        if unknown := sorted(set(notices or ()) - CATALOGUE.keys()):
            raise InputError(f"no notice is called {', '.join(unknown)}")
        if after is not None:
            await self.feed.page(after, 1)
        now, secret = self.clock(), new_secret()
        start = await self.feed.end() if after is None else after
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_ALONE)
            if await driver.fetchval("SELECT count(*) FROM webhook_endpoint") >= ENDPOINTS_MOST:
                raise TooManyEndpointsError(
                    f"there are {ENDPOINTS_MOST} endpoints, and no more are taken"
                )
            wanted = sorted(set(notices)) if notices else None
            id_: int = await driver.fetchval(_ADD, url, wanted, start, now, actor)
            await driver.execute(_SECRET, id_, sealed_for(id_, secret), now)
            await self._note(connection, actor, "webhook.added", id_)
        return id_, secret

    async def listed(self) -> list[Endpoint]:
        """All of them, oldest first."""
        return await self._read(None)

    async def one(self, id_: int) -> Endpoint:
        """One of them. Raises UnknownEndpointError."""
        found = await self._read(id_)
        if not found:
            raise UnknownEndpointError("no webhook endpoint has this id")
        return found[0]

    async def rotate(self, id_: int, actor: str, overlap: timedelta = OVERLAP) -> str:
        """A new secret, shown this once; what signed until now signs besides for `overlap`."""
        now, secret = self.clock(), new_secret()
        await self.one(id_)
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_ALONE)
            await driver.execute(_EXPIRED, id_, now)
            await driver.execute(_RETIRE, id_, now + overlap)
            await driver.execute(_SECRET, id_, sealed_for(id_, secret), now)
            await self._note(connection, actor, "webhook.rotated", id_)
        return secret

    async def enable(self, id_: int, actor: str) -> None:
        """Go on where it stopped. Events that are no longer kept by then are passed over."""
        await self._change(id_, actor, "webhook.enabled", _ENABLE, self.clock())

    async def disable(self, id_: int, actor: str) -> None:
        """Post nothing more there until it is enabled."""
        await self._change(id_, actor, "webhook.disabled", _DISABLE, self.clock())

    async def remove(self, id_: int, actor: str) -> None:
        """Forget it, and its secrets."""
        await self.one(id_)
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_REMOVE_SECRETS, id_)
            await driver.execute(_REMOVE, id_)
            await self._note(connection, actor, "webhook.removed", id_)

    async def _change(self, id_: int, actor: str, act: str, statement: str, at: Any) -> None:
        await self.one(id_)
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(statement, id_, at)
            await self._note(connection, actor, act, id_)

    async def _read(self, id_: int | None) -> list[Endpoint]:
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_LISTED, self.clock(), id_)
        return [Endpoint(**dict(row)) for row in rows]

    async def _note(self, connection: AsyncConnection, actor: str, act: str, id_: int) -> None:
        details: dict[str, Detail] = {"webhook": id_}
        await self.audit.append(connection, Entry(actor, act, details=details))
