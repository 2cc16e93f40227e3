"""The API over real HTTP: by a client that was generated from its document, and by schemathesis."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import uvicorn
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.send.environments import MissingError, programs_of
from engine.api.about import WRITTEN
from engine.case_system.keys import Scope
from engine.settings import Settings
from tests.api.api_site import CASE, READER, V1, ApiSite, api_over, populate
from tests.database_rows import fetch

ROOT: Final = Path(__file__).parents[2]
CLIENT: Final = Path(__file__).parent / "client"
pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]


@pytest.fixture
async def api(settings: Settings, database: AsyncEngine, redis: Redis) -> AsyncIterator[ApiSite]:
    """The doors, for as many requests as anybody likes."""
    rates = {"api_rate": "1000000/minute", "api_unknown_rate": "1000000/minute"}
    async with api_over(settings.model_copy(update=rates)) as site:
        await populate(site.application)
        yield site


@pytest.fixture
async def address(api: ApiSite) -> AsyncIterator[str]:
    """Where a real web server serves them."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(api.site, access_log=False, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}{V1}"
    server.should_exit = True
    await serving


async def run(command: Sequence[str | Path], folder: Path, **variables: str) -> str:
    """What a program prints that ends well."""
    done = await asyncio.to_thread(
        subprocess.run,
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6_000:]
    return done.stdout


async def token_of(api: ApiSite) -> str:
    """A token that is good for everything."""
    made = await api.application.api_keys.create("case system", [*Scope], timedelta(1), "tests")
    return made.token


async def test_a_generated_client_does_all_of_it(
    api: ApiSite, address: str, tmp_path: Path
) -> None:
    """What openapi-python-client makes of the document records, looks, cancels and reads the
    catalogue, by its own models; tests/api/client/journey.py has the calls."""
    try:
        programs = await asyncio.to_thread(
            programs_of, ROOT / "requirements-client.lock", ROOT / "var" / "api-client"
        )
    except MissingError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"the generator of clients cannot be installed here: {error}")
    await run(
        [
            *(programs / "openapi-python-client", "generate", "--path", WRITTEN),
            *("--meta", "none", "--output-path", tmp_path / "generated", "--overwrite"),
            *("--config", CLIENT / "generating.yaml"),
        ],
        tmp_path,
        PATH=f"{programs}:{os.environ['PATH']}",
    )
    told = {"READER": READER.external_id, "CASE": CASE, "TOKEN": await token_of(api)}
    said = await run(
        [programs / "python", CLIENT / "journey.py", address],
        tmp_path,
        PYTHONPATH=str(tmp_path),
        **told,
    )
    assert said.splitlines()[-1] == "done"
    rows = await fetch(
        api.application, "SELECT state, count(*) AS number FROM communication GROUP BY state"
    )
    assert {str(row["state"]): row["number"] for row in rows} == {"cancelled": 1, "owed": 2}


async def test_schemathesis_finds_nothing(api: ApiSite, address: str, tmp_path: Path) -> None:
    """All its checks and phases, over every operation that the served document has."""
    await run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file"),
            *(CLIENT / "schemathesis.toml", "run", f"{address}/openapi.json"),
            *("--header", f"Authorization: Bearer {await token_of(api)}"),
            *("--seed", "7", "--generation-database", "none", "--no-color"),
        ],
        tmp_path,
    )
