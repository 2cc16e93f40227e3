"""*Forgot PIN?* behind the page: who gets a PIN, where it goes, and what becomes of older ones."""

import email.policy
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from email.message import Message

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.caseload.pin_requests import Method
from engine.caseload.temporary_pins import expiry, last_day
from engine.clock import PACIFIC
from engine.communications.catalogue import Channel
from engine.communications.claims import Reader
from engine.security.pins import PinHasher
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.database_rows import delivery_ids, execute, fetch, states
from tests.smtp_server import SmtpServer

MONDAY = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


class TurnableClock:
    """A clock that a test sets."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The hour that was set."""
        return self.now


@pytest.fixture
def clock() -> TurnableClock:
    """Monday morning, in office hours."""
    return TurnableClock(MONDAY)


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, clock: TurnableClock
) -> AsyncIterator[Application]:
    """The application on a clock of the test's own."""
    async with opened_in_parts(settings, clock) as opened:
        yield opened


async def ask(
    application: Application,
    method: Method = "email",
    person: people.Person | None = None,
    typed: Mapping[str, str] | None = None,
) -> None:
    """Ask at the page for a new PIN, and let the worker settle it."""
    person, typed = person or people.Person(), typed or {}
    await application.pin_requests.receive(
        typed.get("first_name", person.first_name),
        typed.get("last_name", person.last_name),
        typed.get("external_id", person.external_id),
        method,
        "es",
    )
    waiting = await fetch(application, "SELECT id FROM pin_request WHERE settled_at IS NULL")
    await application.pin_requests.settle([int(str(row["id"])) for row in waiting])


async def deliver(application: Application) -> None:
    """Deliver whatever is owed."""
    await application.dispatcher.deliver(await delivery_ids(application))


def pin_in(message: Message) -> str:
    """The PIN that stands on a line of its own in the text part."""
    parsed = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    body = parsed.get_body(("plain",))
    assert body is not None
    (pin,) = re.findall(r"^\s*([0-9]{6})\s*$", body.get_content(), re.MULTILINE)
    return str(pin)


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"first_name": "INES", "last_name": "PENA IBANEZ"},
        {"first_name": " inés ", "last_name": "peña - ibáñez"},
    ],
)
async def test_a_name_matches_however_it_is_typed(
    application: Application, typed: dict[str, str]
) -> None:
    """Case, accents, hyphens and spaces do not keep a parent from their PIN."""
    await people.add(application.engine, people.Person())
    await ask(application, typed=typed)
    rows = await fetch(application, "SELECT outcome FROM pin_request")
    assert rows == [{"outcome": "recorded"}]


@pytest.mark.parametrize(
    "typed",
    [{"first_name": "Rosa"}, {"last_name": "Peña"}, {"external_id": "0000000009"}],
)
async def test_who_does_not_match_gets_nothing(
    application: Application, typed: dict[str, str]
) -> None:
    """A wrong name or number leaves one row that names nobody, and owes nothing."""
    await people.add(application.engine, people.Person())
    await ask(application, typed=typed)
    rows = await fetch(application, "SELECT participant_id, outcome FROM pin_request")
    assert rows == [{"participant_id": None, "outcome": "no_match"}]
    assert await fetch(application, "SELECT id FROM communication") == []


async def test_the_pin_that_arrives_is_the_pin_that_works(
    application: Application, smtp: SmtpServer
) -> None:
    """The emailed PIN verifies against the hash that stays; its sealed copy is shredded."""
    await people.add(application.engine, people.Person())
    await ask(application)
    await deliver(application)
    ((_, recipient, message),) = smtp.taken
    assert recipient == "ines@example.com"
    (row,) = await fetch(
        application,
        "SELECT hash, secret, secret_key_id FROM pin_credential"
        " JOIN delivery ON delivery.id = delivery_id",
    )
    hasher = PinHasher(application.settings.pin_pepper.get_secret_value().encode())
    assert hasher.verify(str(row["hash"]), pin_in(message))
    assert row["secret"] is None
    assert row["secret_key_id"] is None


async def test_a_newer_pin_voids_the_older(application: Application, smtp: SmtpServer) -> None:
    """Asked twice, the first PIN is void at once, and its message is never sent."""
    await people.add(application.engine, people.Person())
    await ask(application)
    await ask(application)
    assert await states(application) == ["cancelled", "owed"]
    await deliver(application)
    assert len(smtp.taken) == 1
    rows = await fetch(
        application, "SELECT voided_at IS NULL AS live FROM pin_credential ORDER BY id"
    )
    assert rows == [{"live": False}, {"live": True}]


async def test_a_second_letter_is_not_sent_while_one_travels(
    application: Application, clock: TurnableClock
) -> None:
    """A letter on its way still brings its PIN; after its due date it may be asked for again."""
    await people.add(application.engine, people.Person())
    await ask(application, "mail")
    await deliver(application)
    await ask(application, "mail")
    rows = await fetch(application, "SELECT outcome FROM pin_request ORDER BY id")
    assert [row["outcome"] for row in rows] == ["recorded", "letter_travels"]
    assert await states(application) == ["batched"]
    clock.now = MONDAY + timedelta(days=17)
    await ask(application, "mail")
    assert await states(application) == ["cancelled", "owed"]


async def test_an_email_overtakes_a_letter(application: Application) -> None:
    """Who cannot wait for the letter may ask by email; the letter's PIN is then void."""
    await people.add(application.engine, people.Person())
    await ask(application, "mail")
    await ask(application, "email")
    rows = await fetch(application, "SELECT channel, state FROM delivery ORDER BY id")
    assert rows == [
        {"channel": "mail", "state": "cancelled"},
        {"channel": "email", "state": "owed"},
    ]


async def test_without_an_email_it_goes_by_mail_with_a_new_pin(application: Application) -> None:
    """Chosen email, none on file: a letter, with another PIN, due ten days after the request."""
    await people.add(application.engine, people.Person(email=None))
    await ask(application)
    await deliver(application)
    rows = await fetch(
        application, "SELECT channel, state, due_by::text, secret FROM delivery ORDER BY id"
    )
    assert [(row["channel"], row["state"]) for row in rows] == [
        ("email", "failed"),
        ("mail", "owed"),
    ]
    assert rows[0]["secret"] is None
    assert rows[1]["secret"] is not None
    assert rows[1]["due_by"] == "2026-12-09"
    live = await fetch(
        application, "SELECT delivery_id FROM pin_credential WHERE voided_at IS NULL"
    )
    assert live == [{"delivery_id": 2}]


@pytest.mark.parametrize(
    "person",
    [
        people.Person(email=None, confidential=True, substitute=True),
        people.Person(email=None, mail_safe=False),
        people.Person(email=None, street=None),
    ],
)
async def test_where_mail_is_not_safe_it_becomes_a_task(
    application: Application, person: people.Person
) -> None:
    """A confidential participant, or one whose address is unsafe or missing, gets no letter by
    itself: it is held for a caseworker, still owed."""
    await people.add(application.engine, person)
    await ask(application, "email", person)
    await deliver(application)
    rows = await fetch(application, "SELECT state FROM communication")
    assert rows == [{"state": "held"}]
    rows = await fetch(application, "SELECT channel FROM delivery")
    assert rows == [{"channel": "email"}]


async def test_a_confidential_participant_is_written_to_at_the_substitute_address_alone(
    application: Application,
) -> None:
    """Their own address is never used, even when no other is on file."""
    person = people.Person(confidential=True, substitute=False)
    (participant,) = await people.add(application.engine, person)
    await ask(application, "mail", person)
    await deliver(application)
    rows = await fetch(application, "SELECT state, reason FROM delivery")
    assert rows == [{"state": "held", "reason": "no_substitute_address"}]
    await execute(application, "UPDATE contact_point SET substitute = true WHERE kind = 'mail'")
    async with application.engine.connect() as connection:
        found = await application.pin_requests.recipients.mail(connection, [Reader(participant)])
    assert getattr(found[Reader(participant)], "addr1", None) == "1200 EXAMPLE ST APT 4"


async def test_the_life_of_a_pin_begins_when_it_arrives(
    application: Application, clock: TurnableClock
) -> None:
    """By email until the end of the next business day, over Thanksgiving too."""
    clock.now = datetime(2026, 11, 25, 10, 0, tzinfo=PACIFIC)
    await people.add(application.engine, people.Person())
    await ask(application)
    rows = await fetch(application, "SELECT expires_at FROM pin_credential")
    assert rows == [{"expires_at": None}]
    await deliver(application)
    (row,) = await fetch(application, "SELECT expires_at FROM pin_credential")
    assert row["expires_at"] == datetime(2026, 12, 1, 0, 0, tzinfo=PACIFIC)


def test_a_mailed_pin_lives_three_weeks() -> None:
    """To the end of the twenty-first day after its handover, the day that the letter names."""
    arrived = datetime(2026, 11, 25, 17, 30, tzinfo=PACIFIC)
    assert last_day(Channel.MAIL, arrived) == date(2026, 12, 16)
    assert expiry(Channel.MAIL, arrived) == datetime(2026, 12, 17, tzinfo=PACIFIC)


async def test_a_request_of_what_is_now_the_future_is_found(
    application: Application, redis: Redis, clock: TurnableClock
) -> None:
    """The clock is put back an hour after it was asked: it does not wait for that hour."""
    await people.add(application.engine, people.Person())
    person = people.Person()
    await application.pin_requests.receive(
        person.first_name, person.last_name, person.external_id, "email", "es"
    )
    clock.now -= timedelta(hours=1)
    assert len(await application.pin_requests.unsettled()) == 1


async def test_a_request_whose_doorbell_was_lost_is_found(
    application: Application, redis: Redis, clock: TurnableClock
) -> None:
    """A minute later it is still known to wait; once settled it is not."""
    await people.add(application.engine, people.Person())
    person = people.Person()
    await application.pin_requests.receive(
        person.first_name, person.last_name, person.external_id, "email", "es"
    )
    await redis.flushall()
    clock.now += timedelta(minutes=1)
    waiting = await application.pin_requests.unsettled()
    assert len(waiting) == 1
    assert await application.pin_requests.settle(waiting) == 1
    assert await application.pin_requests.settle(waiting) == 0
    assert await application.pin_requests.unsettled() == []
