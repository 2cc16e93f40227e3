"""What supervisors and load balancers are told."""

from pathlib import Path

from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.settings import Settings
from engine.stack.embedded import start_redis
from tests.portal.portal_server import Portal, portal_over, send_form

CLOSED_PORT = 9
"""The discard port of the loopback, where nothing listens."""


async def test_ready_when_both_servers_answer(portal: Portal) -> None:
    """200, naming what was asked."""
    answered = await portal.browser().get("/health/ready")
    assert answered.status_code == 200
    assert answered.json() == {"status": "ready", "postgresql": "ready", "redis": "ready"}


async def test_unready_portal_names_the_server_and_lives_on(
    settings: Settings, tmp_path: Path, database: AsyncEngine
) -> None:
    """503 names the server that is away and says nothing else; the process is live all along, and
    is ready again when the server is back."""
    server = start_redis(tmp_path / "redis")
    own = settings.model_copy(update={"redis_url": SecretStr(server.url)})
    async with portal_over(own) as portal:
        browser = portal.browser()
        assert (await browser.get("/health/ready")).status_code == 200
        server.stop()
        answered = await browser.get("/health/ready")
        assert answered.status_code == 503
        assert answered.json() == {"status": "away", "postgresql": "ready", "redis": "away"}
        assert (await browser.get("/health/live")).json() == {"status": "live"}


async def test_requests_are_taken_down_without_redis(
    settings: Settings, tmp_path: Path, database: AsyncEngine
) -> None:
    """A parent can ask for a PIN while Redis is away: nothing of it was kept there."""
    server = start_redis(tmp_path / "redis")
    own = settings.model_copy(update={"redis_url": SecretStr(server.url)})
    async with portal_over(own) as portal:
        server.stop()
        assert (await send_form(portal.browser())).status_code == 303
        assert await portal.recorded() == 1


async def test_unready_without_postgresql(settings: Settings, redis: Redis) -> None:
    """A database that does not answer is named too."""
    nowhere = SecretStr(f"postgresql://nobody@127.0.0.1:{CLOSED_PORT}/nothing")
    async with portal_over(settings.model_copy(update={"database_url": nowhere})) as portal:
        answered = await portal.browser().get("/health/ready")
    assert answered.status_code == 503
    assert answered.json()["postgresql"] == "away"
