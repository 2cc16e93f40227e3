"""Who may call: keys that are shown once, hashed, scoped, rotated and revoked."""

from datetime import timedelta

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.case_system.keys import Scope
from engine.errors import InputError
from engine.settings import Settings
from tests.acting import opened_in_parts
from tests.api.api_site import V1, ApiSite, api_over, payment, record
from tests.database_rows import fetch
from tests.portal.portal_server import MONDAY_NOON

CATALOGUE = f"{V1}/catalogue"
DAY = timedelta(days=1)


async def answered(api: ApiSite, token: str) -> int:
    """What a program with this token is answered."""
    client = api.stranger(Authorization=f"Bearer {token}")
    return (await client.get(CATALOGUE)).status_code


async def test_only_a_good_token_opens(api: ApiSite) -> None:
    """Without one, and with any other, 401 says what is wanted (RFC 6750); a cookie is nothing."""
    keys = api.application.api_keys
    made = await keys.create("case system", [Scope.COMMUNICATIONS_READ], DAY, "r.ortiz")
    assert made.token.startswith(made.prefix)
    assert await answered(api, made.token) == 200
    changed = made.token[:-1] + ("A" if made.token[-1] != "A" else "B")
    for header, error in (
        ({}, 'Bearer realm="connect"'),
        ({"Authorization": f"Basic {made.token}"}, 'Bearer realm="connect"'),
        ({"Cookie": f"session={made.token}"}, 'Bearer realm="connect"'),
        ({"Authorization": f"Bearer {changed}"}, 'Bearer realm="connect", error="invalid_token"'),
    ):
        answer = await api.stranger(**header).get(CATALOGUE)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, error)
        assert made.token not in answer.text
        assert "Set-Cookie" not in answer.headers


async def test_the_database_holds_no_token(api: ApiSite) -> None:
    """A hash of it, and how it begins; the trail says who made it, and not more."""
    made = await api.application.api_keys.create("one", list(Scope), DAY, "r.ortiz")
    for table in ("api_key", "api_key_secret", "audit_entry"):
        rows = await fetch(api.application, f"SELECT {table}::text AS row FROM {table}")
        assert rows
        assert all(made.token not in str(row["row"]) for row in rows)
    assert made.token not in repr(made)


async def test_a_scope_is_asked_for_at_the_door(api: ApiSite) -> None:
    """403 names the one that is needed, before anything of the body is read."""
    client = await api.client(*(scope for scope in Scope if scope != Scope.COMMUNICATIONS_WRITE))
    answer = await record(client, payment())
    assert answer.status_code == 403
    assert 'scope="communications:write"' in answer.headers["WWW-Authenticate"]


async def test_a_rotation_has_both_tokens_for_a_while(
    settings: Settings, database: AsyncEngine, redis: Redis
) -> None:
    """The older one works until the overlap is over, the newer one until its own end; what is
    revoked, at once. A name is never given to another program."""
    now = [MONDAY_NOON]
    async with api_over(settings, lambda: now[0]) as api:
        keys = api.application.api_keys
        old = await keys.create("case system", [Scope.EVENTS_READ], 10 * DAY, "r.ortiz")
        new = await keys.rotate("case system", 10 * DAY, DAY, "r.ortiz")
        for moment, works in (
            (timedelta(hours=23), (200, 200)),
            (DAY, (401, 200)),
            (10 * DAY, (401, 401)),
        ):
            now[0] = MONDAY_NOON + moment
            assert (await answered(api, old.token), await answered(api, new.token)) == works
        now[0] = MONDAY_NOON + DAY
        await keys.revoke("case system", "r.ortiz")
        assert await answered(api, new.token) == 401
        with pytest.raises(InputError, match="no API key of that name"):
            await keys.rotate("case system", DAY, DAY, "r.ortiz")
        with pytest.raises(InputError, match="there is, or was"):
            await keys.create("case system", [Scope.EVENTS_READ], DAY, "r.ortiz")
        (listed,) = await keys.listed()
        assert [token.prefix for token in listed.tokens] == [old.prefix, new.prefix]
        assert listed.tokens[0].used_at is not None


async def test_a_token_that_is_about_to_end_is_an_alarm(
    settings: Settings, database: AsyncEngine, redis: Redis
) -> None:
    """Two weeks before, until the program has a newer one or is revoked; the older of two that
    overlap is none."""
    now = [MONDAY_NOON]
    async with opened_in_parts(settings, lambda: now[0]) as application:

        async def alarms() -> list[tuple[str, str]]:
            await application.token_watch.look()
            return [(found.subject, found.detail) for found in await application.alarms.standing()]

        keys = application.api_keys
        await keys.create("case system", [Scope.EVENTS_READ], 20 * DAY, "r.ortiz")
        await keys.create("old one", [Scope.EVENTS_READ], 30 * DAY, "r.ortiz")
        assert await alarms() == []
        now[0] = MONDAY_NOON + 7 * DAY
        assert await alarms() == [("case system", "ends 2026-12-13 12:00")]
        await keys.rotate("case system", 90 * DAY, DAY, "r.ortiz")
        assert await alarms() == []
        now[0] = MONDAY_NOON + 31 * DAY
        assert await alarms() == [("old one", "ended 2026-12-23 12:00")]
        await keys.revoke("old one", "r.ortiz")
        assert await alarms() == []


async def test_each_key_has_a_rate_of_its_own_and_is_told_of_it(
    settings: Settings, database: AsyncEngine, redis: Redis
) -> None:
    """By the standard headers, on every answer; over it 429 says when to come again, and another
    program is not held up. Tokens that are none of ours are counted by network."""
    slow = settings.model_copy(update={"api_rate": "2/minute", "api_unknown_rate": "1/minute"})
    async with api_over(slow) as api:
        one, other = await api.client(), await api.client()
        answers = [await one.get(CATALOGUE) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"api-key";q=2;w=60'}
        left = [answer.headers["RateLimit"].split(";")[1] for answer in answers]
        assert left == ["r=1", "r=0", "r=0"]
        assert 0 < int(answers[2].headers["Retry-After"]) <= 60
        assert (await other.get(CATALOGUE)).status_code == 200
        unknown = [await answered(api, "ccapi_none") for _ in range(2)]
        assert unknown == [401, 429]
