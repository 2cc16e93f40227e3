"""Who serves parents signs in to the database as a member of its role, and as nobody else."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.cli.returns import _serve as serve_returns
from engine.database import create_engine
from engine.errors import SettingsError
from engine.migrations.grants import OPERATOR, PORTAL, WORKER
from engine.migrations.logins import require_own_login
from engine.migrations.roles import MIGRATOR, login_of, login_url
from engine.serving import serve_portal
from engine.settings import Settings
from jobs.worker import run_worker
from tests.acting import as_role

Serve = Callable[[Settings], Awaitable[None]]
SERVE: Final[dict[str, tuple[Serve, str]]] = {
    "portal": (lambda its: serve_portal(its, "127.0.0.1", 0, shared=False), PORTAL),
    "worker": (run_worker, WORKER),
    "bounces": (lambda its: serve_returns(its, "127.0.0.1", 0, lmtp=False), WORKER),
}


def in_production(settings: Settings) -> Settings:
    """The test's servers, as if they were of a production."""
    return settings.model_copy(update={"profile": "production"})


@pytest.mark.parametrize("process", SERVE)
async def test_who_serves_parents_has_no_login_that_owns_the_tables(
    settings: Settings, database: AsyncEngine, process: str
) -> None:
    """In production it does not start on one, and says whose login it is and which it needs."""
    serve, role = SERVE[process]
    owner = login_of(MIGRATOR)
    with pytest.raises(SettingsError, match=rf"DATABASE_URL: .*'{owner}' owns.* IN ROLE {role} "):
        await serve(in_production(as_role(settings, MIGRATOR)))


@pytest.mark.parametrize("role", [WORKER, PORTAL, OPERATOR, None])
async def test_only_who_may_change_the_schema_is_refused(
    settings: Settings, postgres_url: str, role: str | None
) -> None:
    """A superuser is; who has a role of its own is not."""
    engine = create_engine(login_url(postgres_url, role) if role else postgres_url)
    if role is None:
        with pytest.raises(SettingsError, match=re.escape("owns the tables")):
            await require_own_login(in_production(settings), engine, PORTAL)
    else:
        await require_own_login(in_production(settings), engine, role)
    await engine.dispose()


async def test_on_a_machine_for_trying_out_any_login_serves(
    settings: Settings, engine: AsyncEngine
) -> None:
    """Outside production one login does everything."""
    await require_own_login(settings, engine, PORTAL)
