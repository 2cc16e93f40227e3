"""Who may call the machine API: programs by their names, each with a token that is shown once.

A token is replaced without a moment at which neither works: the older one lasts a while beside the
newer. What a program is remembered by (its limits, its Idempotency-Keys) outlives its token.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.clock import Clock
from engine.database import driver_connection
from engine.errors import InputError
from engine.security.audit import Audit, Entry

TOKEN_BYTES: Final = 32
_MARK: Final = "ccapi_"
"""What every token begins with, so that a secret scanner knows one that was committed."""
_SHOWN: Final = len(_MARK) + 6
_NAME_MOST: Final = 60
_USED_EVERY: Final = timedelta(minutes=1)
"""A token is marked as used no oftener: a request is not to cost a write each time."""

_CREATE: Final = """
INSERT INTO api_key (name, scopes, created_at, created_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO NOTHING RETURNING id
"""
_ADD: Final = """
INSERT INTO api_key_secret (api_key_id, prefix, hash, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5)
"""
_CALLER: Final = """
SELECT api_key.id, name, scopes, secret.id AS secret_id, secret.used_at
FROM api_key_secret AS secret JOIN api_key ON api_key.id = api_key_id
WHERE hash = $1 AND expires_at > $2 AND revoked_at IS NULL
"""
_USED: Final = "UPDATE api_key_secret SET used_at = $2 WHERE id = $1"
_LIST: Final = """
SELECT api_key.id, name, scopes, api_key.created_at, created_by, revoked_at,
       prefix, secret.created_at AS made_at, expires_at, used_at
FROM api_key JOIN api_key_secret AS secret ON api_key_id = api_key.id
ORDER BY name, secret.id
"""
_ONE: Final = "SELECT id FROM api_key WHERE name = $1 AND revoked_at IS NULL FOR UPDATE"
_END_OLDER: Final = """
UPDATE api_key_secret SET expires_at = $2 WHERE api_key_id = $1 AND expires_at > $2
"""
_REVOKE: Final = "UPDATE api_key SET revoked_at = $2 WHERE id = $1"


class Scope(StrEnum):
    """What a token is good for."""

    COMMUNICATIONS_WRITE = "communications:write"
    COMMUNICATIONS_READ = "communications:read"
    EVENTS_READ = "events:read"
    WEBHOOKS_MANAGE = "webhooks:manage"


@dataclass(frozen=True, slots=True)
class Caller:
    """The program whose token was shown."""

    key_id: int
    name: str
    scopes: frozenset[Scope]

    @property
    def actor(self) -> str:
        """How the audit trail names it."""
        return f"api:{self.key_id}"


@dataclass(frozen=True, slots=True)
class Made:
    """A token, this once; it lasts until `expires_at`."""

    token: str = field(repr=False)
    prefix: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token as it is known here: how it begins, and when it ends and was last used."""

    prefix: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(slots=True)
class ListedKey:
    """A program, with its tokens, oldest first."""

    name: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    tokens: list[ListedToken] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Makes tokens, finds who shows one, replaces and revokes them; all of it in the trail."""

    engine: AsyncEngine
    audit: Audit
    clock: Clock

    async def create(
        self, name: str, scopes: Collection[Scope], lasts: timedelta, who: str
    ) -> Made:
        """A new program and its token. Raises InputError for a name that is taken or does not
        print, no scope, no life, and nobody who does it."""
        _check(name, who, lasts)
        if not scopes:
            raise InputError("say what it may do: --scope, once for each")
        async with self.engine.begin() as connection:
            driver, now = await driver_connection(connection), self.clock()
            asked = sorted(scope.value for scope in scopes)
            key_id = await driver.fetchval(_CREATE, name, asked, now, who)
            if key_id is None:
                raise InputError(f"there is, or was, an API key {name!r}: choose another name")
            made = await self._add(driver, key_id, now + lasts)
            details = {"name": name, "scopes": " ".join(asked), "token": made.prefix}
            await self._tell(connection, who, "created", details)
        return made

    async def listed(self) -> list[ListedKey]:
        """Every program there was, by name."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_LIST)
        found: dict[int, ListedKey] = {}
        for row in rows:
            told = ("name", "scopes", "created_at", "created_by", "revoked_at")
            key = found.setdefault(row["id"], ListedKey(*(row[name] for name in told)))
            key.tokens.append(
                ListedToken(row["prefix"], row["made_at"], row["expires_at"], row["used_at"])
            )
        return list(found.values())

    async def rotate(self, name: str, lasts: timedelta, overlap: timedelta, who: str) -> Made:
        """A new token of the program; older ones work for `overlap` still. Raises InputError where
        there is none of that name, or it was revoked."""
        _check(name, who, lasts)
        if overlap < timedelta():
            raise InputError("the overlap must not be negative")
        async with self.engine.begin() as connection:
            driver, now = await driver_connection(connection), self.clock()
            key_id = await _held(driver, name)
            await driver.execute(_END_OLDER, key_id, now + overlap)
            made = await self._add(driver, key_id, now + lasts)
            await self._tell(connection, who, "rotated", {"name": name, "token": made.prefix})
        return made

    async def revoke(self, name: str, who: str) -> None:
        """None of its tokens works from now on. Raises InputError as `rotate` does."""
        _check(name, who)
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_REVOKE, await _held(driver, name), self.clock())
            await self._tell(connection, who, "revoked", {"name": name})

    async def caller(self, connection: AsyncConnection, token: str) -> Caller | None:
        """Whose token it is; None for one that is unknown, has ended or was revoked."""
        driver, now = await driver_connection(connection), self.clock()
        row = await driver.fetchrow(_CALLER, _hashed(token), now)
        if row is None:
            return None
        if row["used_at"] is None or now - row["used_at"] >= _USED_EVERY:
            await driver.execute(_USED, row["secret_id"], now)
        # A scope that a newer version knows is none of this one's.
        scopes = frozenset(scope for scope in Scope if scope in row["scopes"])
        return Caller(row["id"], row["name"], scopes)

    async def _add(self, driver: Any, key_id: int, until: datetime) -> Made:
        token = _MARK + secrets.token_urlsafe(TOKEN_BYTES)
        made = Made(token, token[:_SHOWN], until)
        await driver.execute(_ADD, key_id, made.prefix, _hashed(token), self.clock(), until)
        return made

    async def _tell(
        self, connection: AsyncConnection, who: str, act: str, details: dict[str, str]
    ) -> None:
        await self.audit.append(connection, Entry(f"staff:{who}", f"api_key.{act}", None, details))


async def _held(driver: Any, name: str) -> int:
    key_id = await driver.fetchval(_ONE, name)
    if key_id is None:
        raise InputError(
            f"no API key of that name: {name[:_NAME_MOST]!r}; see: connect api-key list"
        )
    return int(key_id)


def _check(name: str, who: str, lasts: timedelta = timedelta(days=1)) -> None:
    if not name.strip() or len(name) > _NAME_MOST or not name.isprintable():
        raise InputError(f"an API key's name has 1 to {_NAME_MOST} characters that print")
    if not who.strip():
        raise InputError("say who you are: --by NAME")
    if lasts <= timedelta():
        raise InputError("it must last a day at least")


def _hashed(token: str) -> bytes:
    """A token is 256 random bits: one plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
