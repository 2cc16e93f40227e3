"""The phone line as it is served, with a payer and a payee who may call it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Final

import httpx
from fastapi import FastAPI

from engine.bootstrap import Application, secret_box
from engine.phone.calls import Call, Calls
from engine.phone.handset import Handset, Hearing
from engine.phone.paths import step_path
from engine.portal.app import create_app
from engine.security.sessions import Stage
from engine.security.tokens import derive_tag
from engine.serving import doors
from engine.settings import Settings
from tests import people
from tests.acting import parts
from tests.database_rows import execute
from tests.portal.portal_server import MONDAY_NOON, give_pin

PAYEE: Final = people.Person("1234567890", "Inés", "Peña", "es", email="ines@example.com")
PAYER: Final = people.Person("2345678901", "Ramón", "Ibáñez", "en", email="ramon@example.com")
NEWCOMER: Final = people.Person("3456789012", "Anneliese", "Oyelaran", email="anne@example.com")
PIN: Final = "481902"
TEMPORARY: Final = "730164"
SATURDAY: Final = datetime(2026, 11, 28, 20, tzinfo=UTC)
BASE: Final = "http://127.0.0.1:8000"


@dataclass(slots=True)
class Hour:
    """A clock that a test sets."""

    now: datetime = MONDAY_NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class PhoneLine:
    """A line that is served; `kept` holds its calls."""

    application: Application
    app: FastAPI
    client: httpx.AsyncClient
    token: str
    hour: Hour
    kept: Calls
    numbers: Iterator[int] = field(default_factory=count)

    def telephone(self, number: str = "") -> Handset:
        """Another telephone, with a number of its own unless one is given."""
        number = number or f"+1916555{next(self.numbers):04d}"
        return Handset(self.client, BASE, self.token, number)

    async def at(self, call: Call, number: str = "") -> Handset:
        """A telephone in the middle of a call that stands so."""
        handset = self.telephone(number)
        assert await self.kept.move(handset.call_id, call, None)
        handset.hearing = Hearing((), step_path(call.step), digits_most=20)
        return handset

    def caller(self, number: str) -> str:
        """What stands for a telephone in limits and in the trail."""
        tag = derive_tag(self.application.settings.tag_key_bytes(), "phone.caller", number)
        return f"phone:{tag}"

    async def session_of(self, participant: int, stage: Stage = Stage.FULL) -> str:
        """The token of a session that this participant has by telephone."""
        async with self.application.engine.begin() as connection:
            session = await self.application.sessions.open(connection, participant, stage)
        return session.token


@asynccontextmanager
async def line_over(settings: Settings) -> AsyncIterator[PhoneLine]:
    """The line over `settings`, beside the portal, as one process serves them."""
    hour = Hour()
    async with parts(settings, hour) as opened:
        await populate(opened.whole)
        app = create_app(opened.portal, doors(opened.portal))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        token = settings.phone_token()
        assert token is not None
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            kept = Calls(
                opened.whole.doorbell.redis, secret_box(settings), settings.tag_key_bytes()
            )
            yield PhoneLine(opened.whole, app, client, token, hour, kept)


async def populate(application: Application) -> None:
    """A payee and a payer of one case, who chose a PIN; a newcomer with a temporary one."""
    await people.add(application.engine, PAYEE, PAYER, NEWCOMER)
    await execute(
        application,
        "INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES ('000000000004471', 'Alameda', 'open', '2020-02-03')",
    )
    await execute(
        application,
        "INSERT INTO account (external_id, case_id, kind, monthly_cents, balance_cents, as_of)"
        " VALUES ('A1', 1, 'child_support', 52500, 104200, '2026-11-20')",
    )
    for participant, role in ((1, "payee"), (2, "payer")):
        await execute(
            application,
            "INSERT INTO case_party (case_id, participant_id, role) VALUES (1, $1, $2)",
            participant,
            role,
        )
        await give_pin(application, participant, PIN)
    await give_pin(application, 3, TEMPORARY, "temporary")
    for number, (participant, direction, cents, paid_on) in enumerate(
        (
            (1, "sent", 52_500, date(2026, 11, 2)),
            (1, "sent", 10_050, date(2026, 10, 1)),
            (1, "sent", 31_999, date(2026, 12, 1)),
            (2, "made", 52_500, date(2026, 10, 30)),
        )
    ):
        await execute(
            application,
            "INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents,"
            " method, paid_on) VALUES ($1, 1, $2, $3, $4, 'check', $5)",
            f"P{number}",
            participant,
            direction,
            cents,
            paid_on,
        )


async def walk(handset: Handset, *answers: str) -> Hearing:
    """Call, where there is no call yet, and answer so: `#123` presses keys, all else is said."""
    if not handset.hearing.action:
        await handset.call()
    for answer in answers:
        if answer.startswith("#"):
            await handset.press(answer[1:])
        else:
            await handset.say(answer)
    return handset.hearing
