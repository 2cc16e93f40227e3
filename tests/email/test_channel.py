"""The email channel over servers that fail: what is recorded, and who waits for whom."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.bootstrap import Application
from engine.caseload.overtaken import TruthfulChannel
from engine.communications.catalogue import APPOINTMENT_REMINDER, Channel
from engine.communications.claims import Claimed
from engine.communications.dispatch import Dispatcher
from engine.email.channel import EmailChannel
from engine.email.dkim import DkimKey, DkimSigner
from engine.email.extras import CalendarPart, EmailExtras
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.communications.test_outbox import payment
from tests.communications.test_races import ask
from tests.database_rows import fetch
from tests.email.faulty_server import Fault, FaultyServer, Step, faulty_server


@pytest.fixture
async def server() -> AsyncIterator[FaultyServer]:
    """A server that fails on command."""
    async with faulty_server() as serving:
        serving.dsn = True
        yield serving


@asynccontextmanager
async def application_over(
    settings: Settings, url: str, answer_seconds: float = 0.3
) -> AsyncIterator[Application]:
    """The whole application, with its mail going to `url`."""
    own = {"smtp_url": SecretStr(url), "smtp_timeout_seconds": answer_seconds}
    async with opened_in_parts(settings.model_copy(update=own)) as opened:
        yield opened


def emails(application: Application) -> EmailChannel:
    """The channel under the dispatcher."""
    truthful = application.dispatcher.channels[Channel.EMAIL]
    assert isinstance(truthful, TruthfulChannel)
    assert isinstance(truthful.channel, EmailChannel)
    return truthful.channel


async def owed(application: Application, number: int) -> list[int]:
    """Delivery ids of so many payment notices that have been recorded."""
    persons = await people.add(application.engine, *people.crowd(number))
    async with application.outbox.transaction() as transaction:
        await transaction.record_all([payment(id_, f"payment:{id_}") for id_ in persons])
    return [item.delivery_id for item in transaction.owed]


@pytest.mark.parametrize(
    ("step", "fault", "recorded"),
    [
        (Step.GREETING, "554 5.3.2 no", ("deferred", "owed", 0, "greeting_554 5.3.2")),
        (Step.EHLO, Fault.DROP, ("deferred", "owed", 0, "disconnected")),
        (Step.MAIL, "530 5.7.0 sign in", ("deferred", "owed", 0, "mail_from_530 5.7.0")),
        (Step.RCPT, "421 4.3.2 going", ("deferred", "owed", 0, "421 4.3.2")),
        (Step.RCPT, "451 4.7.1 greylisted", ("deferred", "owed", 1, "451 4.7.1")),
        (Step.RCPT, Fault.SILENCE, ("deferred", "owed", 1, "rcpt_timeout")),
        (Step.RCPT, "550 5.1.1 unknown", ("refused", "failed", 1, "550 5.1.1")),
        (Step.DATA, Fault.DROP, ("deferred", "owed", 1, "data_disconnected")),
        (Step.CONTENT, "554 5.7.1 spam", ("refused", "failed", 1, "554 5.7.1")),
        (Step.CONTENT, Fault.TRICKLE, ("unknown", "owed", 1, "timeout")),
        (Step.CONTENT, Fault.GARBAGE, ("unknown", "owed", 1, "garbage")),
    ],
)
async def test_the_record_says_what_happened(
    *,
    settings: Settings,
    database: AsyncEngine,
    redis: Redis,
    server: FaultyServer,
    step: Step,
    fault: Fault | str,
    recorded: tuple[str, str, int, str],
) -> None:
    """An attempt is counted where the message was the matter, and its reason is codes alone."""
    server.faults[step] = fault
    async with application_over(settings, server.url) as application:
        ids = await owed(application, 1)
        await application.dispatcher.deliver(ids)
        (row,) = await fetch(
            application,
            "SELECT event, delivery.state, attempts, delivery_event.reason FROM delivery"
            " JOIN delivery_event ON delivery_id = delivery.id AND event <> 'claimed'"
            " WHERE delivery.id = 1",
        )
    assert tuple(row.values()) == recorded


async def test_a_server_without_tls_holds_work_and_blames_no_message(
    settings: Settings, database: AsyncEngine, redis: Redis, server: FaultyServer
) -> None:
    """Nothing is said, nothing is counted, and the status says why."""
    url = server.url.replace("smtp://", "smtp+starttls://")
    async with application_over(settings, url) as application:
        await application.dispatcher.deliver(await owed(application, 3))
        rows = await fetch(application, "SELECT DISTINCT state, attempts, reason FROM delivery")
        (status,) = application.smtp.status()
    assert rows == [{"state": "owed", "attempts": 0, "reason": "tls_not_offered"}]
    assert status.reason == "tls_not_offered"
    assert not server.commands


async def test_a_pin_goes_in_the_midst_of_a_run_that_is_stuck(
    settings: Settings, database: AsyncEngine, redis: Redis, server: FaultyServer
) -> None:
    """Every bulk message waits for a server that does not answer; the PIN does not."""
    for number in range(1, 21):
        server.faults_for[f"person{number}@example.com"] = {Step.RCPT: Fault.SILENCE}
    async with application_over(settings, server.url, answer_seconds=60) as application:
        run = asyncio.create_task(application.dispatcher.deliver(await owed(application, 20)))
        await server.waiting.wait()
        server.faults_for["person1@example.com"].clear()
        await ask(application, 1)
        rows = await fetch(application, "SELECT id FROM delivery WHERE secret IS NOT NULL")
        assert await application.dispatcher.deliver([int(str(row["id"])) for row in rows]) == 1
        assert [recipient for recipient, _ in server.taken] == ["person1@example.com"]
        assert not run.done()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


class Appointments:
    """Extras for every delivery."""

    def __init__(self, extras: EmailExtras) -> None:
        self.extras = extras

    async def of(
        self, connection: AsyncConnection, claimed: Collection[Claimed]
    ) -> Mapping[int, EmailExtras]:
        """The same for all of `claimed`."""
        assert not connection.closed
        return {item.delivery_id: self.extras for item in claimed}


async def test_what_goes_with_an_email_is_read_as_it_is_sent(
    settings: Settings, database: AsyncEngine, redis: Redis, server: FaultyServer
) -> None:
    """A calendar, a link to stop, a signature; and on the envelope what reports will repeat."""
    extras = EmailExtras("https://connect.example/stop/token", CalendarPart(b"BEGIN:VCALENDAR\r\n"))
    signer = DkimSigner("connect.example", (DkimKey("s1", Ed25519PrivateKey.generate()),))
    async with application_over(settings, server.url) as application:
        (person,) = await people.add(application.engine, *people.crowd(1))
        reminder = replace(
            payment(person), notice=APPOINTMENT_REMINDER, facts=APPOINTMENT_REMINDER.sample
        )
        async with application.outbox.transaction() as transaction:
            await transaction.record(reminder)
        ids = [item.delivery_id for item in transaction.owed]
        channel = emails(application)
        builder = replace(channel.builder, signer=signer)
        channel = replace(channel, extras=Appointments(extras), builder=builder)
        await with_channel(application, channel).deliver(ids)
        addressing = builder.addressing
    ((_, content),) = server.taken
    message = message_from_bytes(content)
    assert message["List-Unsubscribe"] == "<https://connect.example/stop/token>"
    assert [part.get_content_type() for part in message.walk()][-1] == "text/calendar"
    assert "list-unsubscribe:list-unsubscribe-post" in "".join(message["DKIM-Signature"].split())
    assert content.startswith(b"DKIM-Signature:")
    envelope_id = addressing.envelope_id(ids[0])
    assert server.commands == [
        f"MAIL FROM:<{addressing.return_path(ids[0])}> RET=HDRS ENVID={envelope_id}",
        "RCPT TO:<person1@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;person1@example.com",
    ]


async def test_where_dsn_is_not_offered_nothing_is_asked(
    settings: Settings, database: AsyncEngine, redis: Redis, server: FaultyServer
) -> None:
    """RFC 3461, 4: its parameters are for servers that say DSN."""
    server.dsn = False
    async with application_over(settings, server.url) as application:
        await application.dispatcher.deliver(await owed(application, 1))
    assert [command.rpartition(">")[2] for command in server.commands] == [" BODY=8BITMIME", ""]


def with_channel(application: Application, channel: EmailChannel) -> Dispatcher:
    """A dispatcher whose emails go by `channel`."""
    channels = {**application.dispatcher.channels, Channel.EMAIL: channel}
    return replace(application.dispatcher, channels=channels)
