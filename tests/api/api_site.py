"""The machine API inside the test's process, and programs that call it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, Final
from uuid import uuid4

import httpx
from starlette.types import ASGIApp

from engine.bootstrap import Application
from engine.case_system.keys import Scope
from engine.clock import Clock
from engine.portal.app import create_app
from engine.serving import doors
from engine.settings import Settings
from tests import people
from tests.acting import parts
from tests.database_rows import execute
from tests.portal.portal_server import MONDAY_NOON

BASE: Final = "http://portal.example"
V1: Final = "/api/v1"
CASE: Final = "000000000000042"
READER: Final = people.Person(external_id="0000000042", language="en", email="reader@example.com")
LECTORA: Final = people.Person(
    external_id="0000000043", email="lectora@example.com", paperless=True
)
OTHERS: Final = people.Person(external_id="0000000044", email=None)
"""No party of the case."""


def payment(participant: str = READER.external_id, **facts: Any) -> dict[str, Any]:
    """An ask for a payment notice."""
    told = {"direction": "sent", "amount_cents": 48_250, "paid_on": "2026-11-20"}
    return {
        "notice": "payment_notice",
        "participant_id": participant,
        "facts": told | {"case_number": CASE} | facts,
    }


def appointment(participant: str = LECTORA.external_id, **facts: Any) -> dict[str, Any]:
    """An ask to tell of an appointment."""
    told = {"kind": "office", "starts_at": "2026-12-15T09:30:00-08:00", "place": "1200 Example St"}
    return {
        "notice": "appointment_scheduled",
        "participant_id": participant,
        "facts": told | facts,
    }


@dataclass
class ApiSite:
    """All doors, and who calls. `application` is what a test looks with."""

    application: Application
    site: ASGIApp
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)

    async def client(self, *scopes: Scope, **headers: str) -> httpx.AsyncClient:
        """A program with a key of its own, good for `scopes`, or for everything."""
        made = await self.application.api_keys.create(
            f"program {next(self._numbers)}", scopes or tuple(Scope), timedelta(days=1), "tests"
        )
        return self.stranger(Authorization=f"Bearer {made.token}", **headers)

    def stranger(self, **headers: str) -> httpx.AsyncClient:
        """A program without a key."""
        transport = httpx.ASGITransport(self.site, client=("192.0.2.8", 50_000))
        client = httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)
        self.clients.append(client)
        return client


@asynccontextmanager
async def api_over(
    settings: Settings, clock: Clock = lambda: MONDAY_NOON
) -> AsyncIterator[ApiSite]:
    """The doors over `settings`, at noon on a Monday unless the `clock` says another hour."""
    async with parts(settings, clock) as opened:
        site = ApiSite(opened.whole, create_app(opened.portal, doors(opened.portal)))
        yield site
        for client in site.clients:
            await client.aclose()


async def populate(application: Application) -> None:
    """Two readers who are the parties of a case, and a third who is none."""
    await people.add(application.engine, READER, LECTORA, OTHERS)
    await execute(
        application,
        "INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES ($1, 'Yolo', 'open', '2026-01-05')",
        CASE,
    )
    await execute(
        application,
        "INSERT INTO case_party (case_id, participant_id, role)"
        " SELECT 1, id, 'payer' FROM participant WHERE external_id = ANY($1::text[])",
        [READER.external_id, LECTORA.external_id],
    )


async def record(
    client: httpx.AsyncClient,
    body: Any,
    *,
    key: str | None = None,
    path: str = "/communications",
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """POST something to be recorded, under a key that nobody used."""
    sent = {"Idempotency-Key": key or str(uuid4())} | dict(headers or {})
    return await client.post(f"{V1}{path}", json=body, headers=sent)
