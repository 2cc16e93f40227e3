"""Consent to eCommunications: on record for good, known for any past moment, and told of."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncpg.exceptions import RaiseError
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.caseload.consent_samples import LETTERS, LIVES, WRONG_MOST, Sample, Typed
from engine.caseload.consent_words import ConsentWords, Section, keep_words, words_of
from engine.caseload.consents import (
    By,
    ConsentEntry,
    NoEmailError,
    consent_history,
    consent_in_force,
    give_consent,
    withdraw_consent,
)
from engine.caseload.staff_consents import StaffConsents
from engine.communications.catalogue import CATALOGUE, Channel, LegalClass
from engine.errors import InputError
from engine.migrations.grants import OPERATOR
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.caseload.test_importing import ANA, LUIS, load, write
from tests.database_rows import delivery_ids, execute, fetch
from tests.portal.portal_server import MONDAY_NOON
from tests.smtp_server import SmtpServer

WORDS = ConsentWords("es", (Section("Qué es", ("Una cosa.", "Otra.")), Section("Cómo", ("Así.",))))
DAY = timedelta(days=1)
WEB = By("web")


class Hours:
    """A clock that a test puts forward."""

    def __init__(self) -> None:
        self.now = MONDAY_NOON

    def __call__(self) -> datetime:
        """The hour it says."""
        return self.now


@pytest.fixture
def hours() -> Hours:
    """Noon on a Monday."""
    return Hours()


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, hours: Hours
) -> AsyncIterator[Application]:
    """An application by this clock, which knows one participant."""
    await people.add(database, people.Person())
    async with opened_in_parts(settings, hours, OPERATOR) as opened:
        yield opened


async def give(application: Application, by: By = WEB, key: str = "1") -> bool:
    """The participant consents."""
    async with application.outbox.transaction() as transaction:
        version = await keep_words(transaction.connection, WORDS, application.clock())
        return await give_consent(transaction, 1, version, by, key=key, clock=application.clock)


async def withdraw(application: Application, by: By = WEB, key: str = "2") -> bool:
    """The participant wants paper again."""
    async with application.outbox.transaction() as transaction:
        return await withdraw_consent(transaction, 1, by, key=key, clock=application.clock)


async def in_force(application: Application, at: datetime) -> ConsentEntry | None:
    """The consent that counted then."""
    async with application.engine.connect() as connection:
        return await consent_in_force(connection, 1, at)


async def told(application: Application) -> list[tuple[object, object]]:
    """Notices and their channels in order."""
    rows = await fetch(
        application, "SELECT notice, route::text AS route FROM communication ORDER BY id"
    )
    return [(row["notice"], [step[0][0] for step in json.loads(str(row["route"]))]) for row in rows]


async def test_consent_is_on_record_and_told_of_once(application: Application) -> None:
    """What was shown, when, how, for which address, with which proof; the switch is turned over;
    one notice tells of it. Given again, it changes nothing."""
    assert await give(application, By("web", proof={"sample": 7}))
    assert not await give(application, key="again")
    assert await in_force(application, MONDAY_NOON) == ConsentEntry(
        action="given",
        text_version=WORDS.version,
        language="es",
        at=MONDAY_NOON,
        how="web",
        staff=None,
        proof={"sample": 7},
        contact_point_id=1,
    )
    assert await fetch(application, "SELECT paperless FROM participant") == [{"paperless": True}]
    assert await told(application) == [("ecommunications_enrolled", ["email", "mail"])]


async def test_withdrawal_counts_at_once_and_is_confirmed(
    application: Application, hours: Hours
) -> None:
    """And once: there is nothing more to withdraw."""
    await give(application)
    hours.now += DAY
    assert await withdraw(application)
    assert not await withdraw(application, key="again")
    assert await in_force(application, hours.now) is None
    assert await fetch(application, "SELECT paperless FROM participant") == [{"paperless": False}]
    assert [notice for notice, _ in await told(application)] == [
        "ecommunications_enrolled",
        "ecommunications_withdrawn",
    ]


async def test_the_consent_of_any_past_moment_is_known(
    application: Application, hours: Hours
) -> None:
    """Before the first, between, after a withdrawal and after the next one: to the microsecond."""
    for number in range(4):
        hours.now = MONDAY_NOON + number * 365 * DAY
        done = await (withdraw if number % 2 else give)(application, key=str(number))
        assert done
    tick = timedelta(microseconds=1)
    for number, given in enumerate([True, False, True, False]):
        at = MONDAY_NOON + number * 365 * DAY
        assert (await in_force(application, at) is not None) is given, number
        assert (await in_force(application, at - tick) is not None) is (not given and number > 0)
    found = await in_force(application, MONDAY_NOON + 800 * DAY)
    assert found
    assert found.at == MONDAY_NOON + 730 * DAY
    async with application.engine.connect() as connection:
        entries = await consent_history(connection, 1, MONDAY_NOON + 400 * DAY)
        with pytest.raises(ValueError, match="time zone"):
            await consent_in_force(connection, 1, datetime(2026, 11, 23))  # noqa: DTZ001  naive
    assert [entry.action for entry in entries] == ["withdrawn", "given"]


@pytest.mark.parametrize("table", ["consent", "consent_text"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {0} SET version = version", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"],
)
async def test_the_database_refuses_to_change_what_was_agreed(
    application: Application, table: str, statement: str
) -> None:
    """Whoever asks: the owner of the tables too."""
    await give(application)
    done = statement.format(table).replace(
        "version = version", "at = at" if table == "consent" else "words = ''"
    )
    before = await fetch(application, f"SELECT * FROM {table}")
    with pytest.raises(RaiseError, match="is append-only"):
        await execute(application, done)
    assert await fetch(application, f"SELECT * FROM {table}") == before


async def test_the_words_that_were_shown_are_kept_once(application: Application) -> None:
    """Under their hash, to be shown years later as they were; another word, or the same in another
    language, is another version."""
    await people.add(application.engine, people.Person("0000000002", email="dos@example.com"))
    async with application.outbox.transaction() as transaction:
        for number in (1, 2):
            version = await keep_words(transaction.connection, WORDS, MONDAY_NOON + number * DAY)
        kept = await words_of(transaction.connection, version)
        assert await words_of(transaction.connection, "0" * 64) is None
    assert kept == WORDS
    rows = await fetch(application, "SELECT language, words, first_shown_at FROM consent_text")
    assert rows == [{"language": "es", "words": WORDS.text, "first_shown_at": MONDAY_NOON + DAY}]
    others = {
        replace(WORDS, language="en").version,
        replace(WORDS, sections=WORDS.sections[:1]).version,
    }
    assert len(others | {WORDS.version}) == 3


@pytest.mark.parametrize(
    "change",
    ["safe_to_use = false", "bounced_at = now()", "superseded_at = now()"],
)
async def test_nobody_consents_without_an_address_for_alerts(
    application: Application, change: str
) -> None:
    """Unsafe, dead or replaced: nothing is recorded, and nobody is told."""
    await execute(application, f"UPDATE contact_point SET {change} WHERE kind = 'email'")
    with pytest.raises(NoEmailError):
        await give(application)
    assert await in_force(application, MONDAY_NOON) is None
    assert await fetch(application, "SELECT FROM consent_text") == []
    assert await told(application) == []


async def test_a_protected_reader_is_told_by_email_alone(application: Application) -> None:
    """No letter follows by itself."""
    await execute(application, "UPDATE participant SET confidential = true")
    await give(application)
    assert await told(application) == [("ecommunications_enrolled", ["email"])]


async def test_what_was_not_sent_when_consent_is_withdrawn_goes_by_mail(
    application: Application, smtp: SmtpServer
) -> None:
    """A notice that is owed to the inbox is posted nowhere: its letter is owed, and no email says
    that something waits."""
    await give(application)
    await execute(
        application,
        "WITH c AS (INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES ('1', 'Yolo', 'open', '2020-01-01') RETURNING id)"
        " INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents,"
        " method, paid_on) SELECT 'p', id, 1, 'sent', 100, 'check', '2026-11-23' FROM c",
    )
    await application.notices.payments_since(MONDAY_NOON.date())
    await withdraw(application)
    inbox = await fetch(application, "SELECT id FROM delivery WHERE channel = 'inbox'")
    await application.dispatcher.deliver([int(str(row["id"])) for row in inbox])
    await application.dispatcher.deliver(await delivery_ids(application))
    assert await fetch(application, "SELECT FROM document") == []
    rows = await fetch(
        application,
        "SELECT channel, delivery.state, reason FROM delivery"
        " JOIN communication ON communication.id = communication_id"
        " WHERE notice = 'payment_notice' ORDER BY delivery.id",
    )
    assert [(row["channel"], row["state"], row["reason"]) for row in rows] == [
        ("inbox", "failed", "not_enrolled"),
        ("email", "cancelled", "nothing_waits"),
        ("mail", "batched", None),
    ]
    assert len(smtp.taken) == 2  # enrolled, and withdrawn


async def test_the_import_records_the_case_systems_word(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """What it turns on or off, once; what it repeats is no new consent, and nobody is told."""
    ana, luis = (f"{ANA},Ana,Paz,es,no", f"{LUIS},Luis,Sol,en,no")
    for ana_paperless, luis_paperless in (
        ("yes", "no"), ("yes", ""), ("no", "yes"), ("no", "yes"),
    ):  # fmt: skip
        rows = (f"{ana},{ana_paperless}", f"{luis},{luis_paperless}")
        assert (await load(database, write(tmp_path / "files", participants=rows))).whole
    found = await _rows(
        database,
        "SELECT external_id, action, how, text_version, staff, proof FROM consent"
        " JOIN participant ON participant.id = participant_id ORDER BY consent.id",
    )
    assert [row[:3] for row in found[:1]] == [(ANA, "given", "case_system")]
    assert {row[:3] for row in found[1:]} == {
        (ANA, "withdrawn", "case_system"),
        (LUIS, "given", "case_system"),
    }
    assert {row[3:] for row in map(repr_proof, found)} == {(None, None, "{}")}
    assert await _rows(database, "SELECT count(*) FROM communication") == [(0,)]


def repr_proof(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The proof as text, so that rows can be compared as a set."""
    return (*row[:-1], json.dumps(row[-1]))


async def _rows(engine: AsyncEngine, query: str) -> list[tuple[Any, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.exec_driver_sql(query)]


def staff(application: Application) -> StaffConsents:
    """What caseworkers do."""
    return StaffConsents(application.outbox, application.audit, application.clock)


async def test_a_caseworker_records_what_was_said(application: Application, hours: Hours) -> None:
    """On the phone and in person: by whom, what was read out and the note; each in the trail, under
    the account, without the note."""
    desk, number = staff(application), people.Person().external_id
    assert await desk.language_of(number) == "es"
    assert await desk.give(number, WORDS, "phone", "r.ortiz", " Opened a PDF\nwhile we spoke ")
    assert not await desk.give(number, WORDS, "phone", "r.ortiz", "again")
    hours.now += DAY
    assert await desk.withdraw(number, "caseworker", "l.chen", "Has no phone any more")
    assert not await desk.withdraw(number, "caseworker", "l.chen", "again")
    now = await desk.show(number, None)
    assert now.in_force is None
    assert [(entry.action, entry.how, entry.staff, entry.proof) for entry in now.entries] == [
        ("withdrawn", "caseworker", "l.chen", {"note": "Has no phone any more"}),
        ("given", "phone", "r.ortiz", {"note": "Opened a PDF while we spoke"}),
    ]
    then = await desk.show(number, MONDAY_NOON)
    assert then.in_force
    assert then.in_force.text_version == WORDS.version
    trail = await fetch(application, "SELECT actor, act, details::text FROM audit_entry")
    assert trail == [
        {"actor": "staff:r.ortiz", "act": "staff.ecommunications.enrolled",
         "details": '{"how": "phone"}'},
        {"actor": "staff:l.chen", "act": "staff.ecommunications.withdrawn",
         "details": '{"how": "caseworker"}'},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "account", "why", "said"),
    [
        ("9999999999", "r.ortiz", "said so", "no participant"),
        ("0000000001", " ", "said so", "--as"),
        ("0000000001", "r.ortiz", " \n", "--why"),
        ("0000000001", "r.ortiz", "x" * 501, "--why"),
        ("0000000001", "r.ortiz", "a\x1b[2Jb", "--why"),
    ],
)
async def test_what_a_caseworker_cannot_record(
    application: Application, number: str, account: str, why: str, said: str
) -> None:
    """Of nobody, by nobody, or without a word of how: nothing is recorded."""
    with pytest.raises(InputError, match=said):
        await staff(application).give(number, WORDS, "phone", account, why)
    assert await in_force(application, MONDAY_NOON) is None


async def sampled(application: Application) -> Sample:
    """A new sample."""
    async with application.engine.begin() as connection:
        version = await keep_words(connection, WORDS, application.clock())
        return await application.consent_samples.make(connection, 1, version, "es")


async def typed(application: Application, code: str) -> Typed:
    """What comes of a code."""
    async with application.engine.begin() as connection:
        return await application.consent_samples.typed(connection, 1, code)


async def test_a_code_is_right_however_it_is_written(application: Application) -> None:
    """In small letters, in groups; six letters and digits that nobody takes for others. It is
    nowhere in the database, and each sample has its own."""
    sample = await sampled(application)
    code = application.consent_samples.code(sample)
    assert len(code) == 6
    assert set(code) <= set(LETTERS)
    assert not set(LETTERS) & set("AEIOU015S28B6GVLZQ")
    for written in (code, code.lower(), f" {code[:3]}-{code[3:]} ", " ".join(code)):
        assert await typed(application, written) is Typed.RIGHT
    assert await typed(application, " - ") is Typed.MISSING
    kept = await fetch(application, "SELECT consent_sample::text AS row FROM consent_sample")
    assert code not in str(kept)
    codes = {application.consent_samples.code(await sampled(application)) for _ in range(20)}
    assert len(codes) == 20


async def test_the_fifth_wrong_code_makes_a_new_sample(application: Application) -> None:
    """Four may be corrected; after the fifth the old code works no more, and the new one does."""
    sample = await sampled(application)
    code = application.consent_samples.code(sample)
    for _ in range(WRONG_MOST - 1):
        assert await typed(application, "CCCCCC") is Typed.WRONG
    assert await typed(application, code) is Typed.RIGHT
    assert await typed(application, "CCCCCC") is Typed.RENEWED
    assert await typed(application, code) is Typed.WRONG
    async with application.engine.connect() as connection:
        renewed = await application.consent_samples.current(connection, 1)
    assert renewed
    assert (renewed.id, renewed.text_version) == (sample.id + 1, sample.text_version)
    assert await typed(application, application.consent_samples.code(renewed)) is Typed.RIGHT


async def test_a_code_is_used_once_and_for_a_day(application: Application, hours: Hours) -> None:
    """What it proves says which sample, when it was opened and typed, and what was wrong before."""
    first = await sampled(application)
    sample = await sampled(application)
    old, code = map(application.consent_samples.code, (first, sample))
    assert await typed(application, old) is Typed.WRONG
    hours.now += LIVES - timedelta(seconds=1)
    async with application.engine.begin() as connection:
        await application.consent_samples.opened(connection, sample)
        assert await application.consent_samples.use(connection, 1, old) is None
        used = await application.consent_samples.use(connection, 1, code)
        assert await application.consent_samples.use(connection, 1, code) is None
    assert used
    assert used.proof == {
        "sample": sample.id,
        "made_at": "2026-11-23T20:00:00+00:00",
        "opened_at": "2026-11-24T19:59:59+00:00",
        "code_typed_at": "2026-11-24T19:59:59+00:00",
        "wrong_before": 1,
    }
    assert await typed(application, code) is Typed.GONE
    late = application.consent_samples.code(await sampled(application))
    hours.now += LIVES
    assert await typed(application, late) is Typed.GONE
    hours.now += timedelta(days=31)
    async with application.engine.begin() as connection:
        await application.consent_samples.forget(connection)
    assert await fetch(application, "SELECT FROM consent_sample") == []


def test_what_concerns_the_court_is_never_paperless_only() -> None:
    """Whatever its reader chose: a notice of court class goes by mail, and never into the inbox in
    its place."""
    court = [notice for notice in CATALOGUE.values() if notice.legal is LegalClass.COURT]
    assert court
    for notice in court:
        assert Channel.MAIL in notice.days, notice.key
        assert Channel.INBOX not in notice.days, notice.key
