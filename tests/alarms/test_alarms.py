"""What a person must look at is raised once, told once to each who is to hear of it, and once more
when it is over."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import get_args

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.alarms.book import keep
from engine.alarms.kinds import KINDS, Alarm, AlarmKind, Finder
from engine.bootstrap import Application
from engine.security.webhook_signing import signed_headers
from engine.settings import Settings
from tests.acting import opened_in_parts
from tests.database_rows import fetch
from tests.promises import ASKED, Hand
from tests.smtp_server import SmtpServer
from tests.webhook_server import Hook, listening

KEY = bytes(range(32))
NO_ACK = Alarm("no_ack", "ccss_test_letters_20261123_001", "no ack 2 hours after .done")
QUARANTINED = Alarm("quarantined", "ines-pena.zip.pgp", "it names Inés Peña")


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    """A webhook on the loopback."""
    async with listening("/alarms?token=hush") as hook:
        yield hook


@pytest.fixture
def hand() -> Hand:
    """Monday morning, until it is moved."""
    return Hand()


@asynccontextmanager
async def told(settings: Settings, hand: Hand, **who: object) -> AsyncIterator[Application]:
    """The application with somebody to tell."""
    async with opened_in_parts(settings.model_copy(update=who), hand) as opened:
        yield opened


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, hand: Hand, hook: Hook
) -> AsyncIterator[Application]:
    """One operator and one webhook, over empty tables."""
    async with told(
        settings,
        hand,
        operator_email="operator@connect.example",
        alarm_webhook_url=SecretStr(hook.url),
        alarm_webhook_secret=SecretStr(f"whsec_{base64.b64encode(KEY).decode()}"),
    ) as opened:
        yield opened


async def found(application: Application, *alarms: Alarm, now: datetime = ASKED) -> None:
    """The print drop was looked at, and this is what stands."""
    async with application.engine.begin() as connection:
        await keep(connection, Finder.PRINT_DROP, alarms, now)


def subjects(smtp: SmtpServer) -> list[str]:
    """What the emails are about, in order."""
    return [message["Subject"] for _, _, message in smtp.taken]


def test_every_alarm_says_what_to_do() -> None:
    """Each kind has its meaning, and an act for whoever is on call."""
    assert list(KINDS) == list(get_args(AlarmKind))
    assert all(kind.means and kind.act for kind in KINDS.values())


async def test_an_alarm_is_told_once_and_once_when_it_is_over(
    application: Application, smtp: SmtpServer, hook: Hook, hand: Hand
) -> None:
    """However often is looked, to the address and to the webhook; and again when it comes again."""
    for _ in range(3):
        await found(application, NO_ACK)
        await application.teller.run()
    assert hook.said == ["alarm.raised"]
    assert len(smtp.taken) == 1
    hand.now += timedelta(minutes=1)
    await found(application, now=hand.now)
    for _ in range(2):
        await application.teller.run()
    await found(application, NO_ACK, now=hand.now)
    await application.teller.run()
    assert hook.said == ["alarm.raised", "alarm.cleared", "alarm.raised"]
    assert subjects(smtp) == [
        f"[Customer Connect] alarm 1 raised: no_ack: {NO_ACK.subject}",
        f"[Customer Connect] alarm 1 cleared: no_ack: {NO_ACK.subject}",
        f"[Customer Connect] alarm 2 raised: no_ack: {NO_ACK.subject}",
    ]
    assert {message["To"] for _, _, message in smtp.taken} == {"operator@connect.example"}


async def test_what_is_posted_is_signed(application: Application, hook: Hook, hand: Hand) -> None:
    """As Standard Webhooks says; it holds what to do, and since when."""
    await found(application, NO_ACK)
    await application.teller.run()
    ((headers, body),) = hook.posts
    expected = signed_headers(KEY, message_id=headers["webhook-id"], at=hand.now, body=body)
    assert expected.items() <= headers.items()
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "type": "alarm.raised",
        "timestamp": "2026-11-23T18:00:00+00:00",
        "data": {
            "id": 1,
            "kind": "no_ack",
            "subject": NO_ACK.subject,
            "detail": NO_ACK.detail,
            "means": KINDS["no_ack"].means,
            "act": "call the vendor",
            "raised_at": "2026-11-23T18:00:00+00:00",
            "cleared_at": None,
        },
    }


async def test_words_of_others_stay_here(
    application: Application, smtp: SmtpServer, hook: Hook
) -> None:
    """A vendor's file name and what was wrong with it may name a person: no message holds them."""
    await found(application, QUARANTINED)
    await application.teller.run()
    (_, _, email) = smtp.taken[0]
    content = str(email.get_payload())
    posted = hook.posts[0][1].decode()
    for said in (email["Subject"], content, posted):
        assert "ines" not in said.lower()
        assert "Peña" not in said
    assert "connect alarms has its text" in content


async def test_a_dead_smarthost_is_told_by_the_webhook_and_by_email_when_it_is_back(
    settings: Settings, application: Application, hand: Hand, smtp: SmtpServer, hook: Hook
) -> None:
    """While it is down nothing is lost and nothing counted; the first run after has the email."""
    nowhere = SecretStr("smtp://127.0.0.1:9")
    async with told(
        settings,
        hand,
        smtp_url=nowhere,
        operator_email="operator@connect.example",
        alarm_webhook_url=SecretStr(hook.url),
    ) as without:
        await found(without, Alarm("smarthost", "127.0.0.1:9", "connect"))
        for _ in range(3):
            await without.teller.run()
    assert hook.said == ["alarm.raised"]
    assert smtp.taken == []
    assert await application.teller.run() == 1
    assert subjects(smtp) == ["[Customer Connect] alarm 1 raised: smarthost: 127.0.0.1:9"]


async def test_a_webhook_that_is_away_keeps_no_email_waiting(
    application: Application, hook: Hook, smtp: SmtpServer
) -> None:
    """It is asked again at the next run, under the same id."""
    hook.status = 503
    await found(application, NO_ACK)
    await application.teller.run()
    assert len(smtp.taken) == 1
    hook.status = 200
    await application.teller.run()
    await application.teller.run()
    first, second = (headers["webhook-id"] for headers, _ in hook.posts)
    assert first == second
    assert len(smtp.taken) == 1


@pytest.mark.parametrize("status", [301, 400, 410])
async def test_what_is_refused_waits_and_the_next_goes_on(
    application: Application, hook: Hook, hand: Hand, status: int
) -> None:
    """Half an hour later it is tried again; no redirect is followed."""
    hook.status = status
    await found(application, NO_ACK)
    await application.teller.run()
    hook.status = 200
    await found(application, NO_ACK, QUARANTINED)
    await application.teller.run()
    kinds = [json.loads(body)["data"]["kind"] for _, body in hook.posts]
    assert kinds == ["no_ack", "quarantined"]
    hand.now += timedelta(minutes=31)
    await application.teller.run()
    assert [json.loads(body)["data"]["id"] for _, body in hook.posts] == [1, 2, 1]


async def test_what_came_and_went_between_two_runs_is_told(
    application: Application, hook: Hook
) -> None:
    """Both that it was and that it is over."""
    await found(application, NO_ACK)
    await found(application)
    await application.teller.run()
    assert hook.said == ["alarm.raised", "alarm.cleared"]


async def test_who_comes_later_hears_of_what_stands_and_not_of_what_is_over(
    settings: Settings, application: Application, hand: Hand, smtp: SmtpServer
) -> None:
    """A new address is told of the alarm that stands; the one of yesterday is over."""
    await found(application, NO_ACK)
    await found(application, QUARANTINED)
    await application.teller.run()
    hand.now += timedelta(days=1)
    async with told(settings, hand, operator_email="new@connect.example") as later:
        await later.teller.run()
    new = [message["Subject"] for _, to, message in smtp.taken if to == "new@connect.example"]
    assert new == ["[Customer Connect] alarm 2 raised: quarantined"]


async def test_each_finder_clears_its_own(application: Application, hand: Hand) -> None:
    """Looking at deadlines does not end what was found at the print drop; what nobody can judge
    stands as it stood."""
    await found(application, NO_ACK)
    async with application.engine.begin() as connection:
        await keep(connection, Finder.DEADLINES, [], hand.now)
        await keep(connection, Finder.PRINT_DROP, [], hand.now, undecided={NO_ACK.subject})
    assert [alarm.kind for alarm in await application.alarms.standing()] == ["no_ack"]
    await found(application)
    assert await application.alarms.standing() == []


async def test_nobody_to_tell_is_no_fault(
    settings: Settings, database: AsyncEngine, redis: Redis, hand: Hand
) -> None:
    """Alarms stand all the same; nothing waits for whoever may come."""
    async with told(settings, hand) as alone:
        await found(alone, NO_ACK)
        assert await alone.teller.run() == 0
        assert await fetch(alone, "SELECT id FROM alarm_message") == []
