"""When a channel fails: the obligation moves on in the same transaction, the address is not written
to again, and the deadline is that of the channel that now carries it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import Message

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.caseload.notices import INBOX_AND_ALERT
from engine.communications.catalogue import (
    COURT_DATE_REMINDER,
    DOCUMENT_READY,
    TEMPORARY_PIN,
    Channel,
    CourtDateFacts,
    DocumentReadyFacts,
    TemporaryPinFacts,
)
from engine.communications.outbox import Obligation
from engine.communications.outcomes import Outcome
from engine.communications.routing import Leg, Route, in_order
from engine.communications.states import Event
from engine.settings import Settings
from engine.stack.bouncing import Fate
from tests import people
from tests.acting import opened_in_parts
from tests.database_rows import delivery_ids, execute, fetch
from tests.promises import (
    ASKED,
    EMAIL_THEN_MAIL,
    Hand,
    bounced,
    deliveries,
    events,
    notices,
    payment,
    record,
    sent,
    standing,
    suppressions,
)
from tests.smtp_server import SmtpServer

PIN_LINE = re.compile(r"^[0-9]{6}\r?$", re.MULTILINE)


def text_of(message: Message) -> str:
    """The text part of an email, decoded."""
    text = next(part for part in message.walk() if part.get_content_type() == "text/plain")
    octets = text.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets.decode()


INBOX_THEN_MAIL: Route = (INBOX_AND_ALERT, (Leg(Channel.MAIL),))


@pytest.fixture
def clock() -> Hand:
    """Ten in the morning of the day everything is asked for."""
    return Hand()


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, clock: Hand
) -> AsyncIterator[Application]:
    """The whole application, at the hour the clock shows."""
    async with opened_in_parts(settings, clock) as opened:
        yield opened


async def test_a_hard_bounce_turns_a_met_email_into_a_letter(
    application: Application, clock: Hand
) -> None:
    """Met at the 250, reopened by the bounce: the letter is due ten business days after the first
    request, the missed promise stays visible, the address is suppressed with its evidence, and its
    owner is told on paper."""
    (person,) = await people.add(application.engine, people.Person())
    (email,) = await sent(application, payment(person))
    assert await standing(application) == ("met", 0, date(2026, 11, 24))
    clock.now += timedelta(days=2)
    assert await bounced(application, email)
    assert await standing(application) == ("owed", 1, date(2026, 12, 9))
    assert await deliveries(application) == [("email", "failed"), ("mail", "owed")]
    assert await events(application) == [(1, 0, "promise_missed", "5.1.1 unknown_user")]
    assert await suppressions(application) == [(1, "hard_bounce", email, "5.1.1 unknown_user")]
    assert await notices(application) == ["payment_notice", "reverted_to_paper"]
    assert await deliveries(application, 2) == [("mail", "owed")]


async def test_nothing_is_half_done_when_what_follows_fails(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bounce, the next channel, the suppression and the letter about it are one transaction."""
    (person,) = await people.add(application.engine, people.Person())
    (email,) = await sent(application, payment(person))

    async def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(type(application.outcomes.aftermath), "of", fail)
        with pytest.raises(RuntimeError):
            await bounced(application, email)
    assert await deliveries(application) == [("email", "sent")]
    assert await fetch(application, "SELECT id FROM bounce_report") == []
    assert await bounced(application, email)
    assert await deliveries(application) == [("email", "failed"), ("mail", "owed")]


async def test_the_same_report_again_changes_nothing(application: Application) -> None:
    """Twice, in another wrapping, after a soft one, or long after: one letter, one suppression."""
    (person,) = await people.add(application.engine, people.Person())
    (email,) = await sent(application, payment(person))
    assert await bounced(application, email)
    assert not await bounced(application, email)
    await bounced(application, email, said="another-machine")
    await bounced(application, email, Fate.FULL, said="late")
    assert await deliveries(application) == [("email", "failed"), ("mail", "owed")]
    assert len(await suppressions(application)) == 1
    assert await notices(application) == ["payment_notice", "reverted_to_paper"]


async def test_a_soft_bounce_is_sent_again_and_the_third_goes_by_mail(
    application: Application, smtp: SmtpServer
) -> None:
    """A full mailbox is tried again later under the same Message-ID; three soft bounces within the
    week suppress the address, and the letter takes over."""
    (person,) = await people.add(application.engine, people.Person())
    (email,) = await sent(application, payment(person))
    for strike in ("first", "second"):
        assert await bounced(application, email, Fate.FULL, strike)
        assert await standing(application) == ("owed", 0, date(2026, 11, 24))
        assert await application.dispatcher.deliver([email]) == 0
        assert await suppressions(application) == []
        await execute(application, "UPDATE delivery SET next_attempt_at = now()")
        assert await application.dispatcher.deliver([email]) == 1
        assert await standing(application) == ("met", 0, date(2026, 11, 24))
    assert len(set(smtp.message_ids)) == 1
    assert await bounced(application, email, Fate.FULL, "third")
    assert await standing(application) == ("owed", 1, date(2026, 12, 9))
    assert await suppressions(application) == [(1, "soft_bounces", email, "5.2.2 full")]
    assert await notices(application) == ["payment_notice", "reverted_to_paper"]


async def test_old_soft_bounces_are_forgiven(application: Application) -> None:
    """Only those of the last days count together."""
    (person,) = await people.add(application.engine, people.Person())
    (email,) = await sent(application, payment(person))
    for strike in ("first", "second"):
        await bounced(application, email, Fate.FULL, strike)
        await execute(application, "UPDATE delivery SET next_attempt_at = now()")
        await application.dispatcher.deliver([email])
    # The trail of events refuses to be changed: in this test it is made eight days older.
    await execute(
        application,
        "ALTER TABLE delivery_event DISABLE TRIGGER append_only;"
        "UPDATE delivery_event SET at = at - interval '8 days';"
        "ALTER TABLE delivery_event ENABLE TRIGGER append_only",
    )
    await bounced(application, email, Fate.FULL, "third")
    assert await standing(application) == ("owed", 0, date(2026, 11, 24))
    assert await suppressions(application) == []


async def test_where_the_promise_would_slip_the_letter_takes_over_at_once(
    application: Application, clock: Hand
) -> None:
    """A soft bounce in the last hours is not waited for; the address may be used again."""
    (person,) = await people.add(application.engine, people.Person())
    (email,) = await sent(application, payment(person))
    clock.now = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
    await bounced(application, email, Fate.FULL)
    assert await standing(application) == ("owed", 1, date(2026, 12, 9))
    assert await suppressions(application) == []
    assert await notices(application) == ["payment_notice"]


async def test_a_refused_address_is_suppressed(application: Application, smtp: SmtpServer) -> None:
    """A 5xx that says that nobody is there is evidence enough."""
    (person,) = await people.add(application.engine, people.Person())
    smtp.script = lambda verb, _envelope: "550 5.1.1 no such user" if verb == "RCPT" else None
    (email,) = await sent(application, payment(person))
    assert await standing(application) == ("owed", 1, date(2026, 12, 9))
    assert await suppressions(application) == [(1, "refused", email, "550 5.1.1")]
    assert await notices(application) == ["payment_notice", "reverted_to_paper"]


async def test_a_policy_of_the_server_is_one_strike(
    application: Application, smtp: SmtpServer
) -> None:
    """Who is refused for our sake has a living address: the letter goes, and the third time within
    the week the address is given up."""
    (person,) = await people.add(application.engine, people.Person())
    smtp.script = lambda verb, _envelope: "554 5.7.1 not from you" if verb == "RCPT" else None
    for number in (1, 2):
        await sent(application, payment(person, key=f"payment:{number}"))
        assert await deliveries(application, number) == [("email", "failed"), ("mail", "owed")]
        assert await suppressions(application) == []
    ids = await sent(application, payment(person, key="payment:3"))
    assert await suppressions(application) == [(1, "soft_bounces", ids[0], "554 5.7.1")]


async def test_the_address_that_was_written_to_is_suppressed_not_the_new_one(
    application: Application,
) -> None:
    """Who has given a new address meanwhile keeps it, and is sent no letter about it."""
    (person,) = await people.add(application.engine, people.Person())
    (email,) = await sent(application, payment(person))
    await execute(
        application, "UPDATE contact_point SET superseded_at = now() WHERE kind = 'email'"
    )
    await execute(
        application,
        "INSERT INTO contact_point (participant_id, kind, email) VALUES ($1, 'email', $2)",
        person,
        "nueva@example.com",
    )
    await bounced(application, email)
    rows = await fetch(
        application,
        "SELECT bounced_at IS NOT NULL AS bounced FROM contact_point"
        " WHERE kind = 'email' ORDER BY id",
    )
    assert [row["bounced"] for row in rows] == [True, False]
    assert await standing(application) == ("owed", 1, date(2026, 12, 9))
    assert await notices(application) == ["payment_notice"]


async def test_what_else_was_to_go_there_goes_by_mail(application: Application) -> None:
    """An email that waits to be sent to a suppressed address becomes a letter when its turn comes;
    its owner is told once."""
    (person,) = await people.add(application.engine, people.Person())
    first, second = await record(application, payment(person), payment(person, key="payment:2"))
    await application.dispatcher.deliver([first])
    await bounced(application, first)
    await application.dispatcher.deliver([second])
    assert await deliveries(application, 2) == [("email", "failed"), ("mail", "owed")]
    assert (await notices(application)).count("reverted_to_paper") == 1


@pytest.mark.parametrize(
    ("person", "told"),
    [
        pytest.param(people.Person(mail_safe=False), False, id="mail is not safe"),
        pytest.param(people.Person(street=None), False, id="no mail address"),
        pytest.param(
            people.Person(confidential=True, substitute=False),
            False,
            id="confidential, no substitute",
        ),
    ],
)
async def test_nothing_falls_back_to_a_contact_that_is_not_safe(
    application: Application, person: people.Person, told: bool
) -> None:
    """Where the mail must not be used the obligation is a caseworker's task, and no letter tells of
    the bounce: the portal does."""
    (participant,) = await people.add(application.engine, person)
    route = in_order(Channel.EMAIL) if person.confidential else EMAIL_THEN_MAIL
    (email,) = await sent(application, payment(participant, route))
    await bounced(application, email)
    await application.dispatcher.deliver(await delivery_ids(application))
    state, _, _ = await standing(application)
    assert state == "held"
    assert ("reverted_to_paper" in await notices(application)) is told
    (row,) = await fetch(application, "SELECT bounced_at FROM contact_point WHERE kind = 'email'")
    assert row["bounced_at"] is not None


async def test_a_protected_reader_is_told_at_the_substitute_address(
    application: Application,
) -> None:
    """The letter about a bounce may go where every letter of theirs goes; the notice itself does
    not become a letter."""
    protected = people.Person(confidential=True, substitute=True)
    (participant,) = await people.add(application.engine, protected)
    (email,) = await sent(application, payment(participant, in_order(Channel.EMAIL)))
    await bounced(application, email)
    state, _, _ = await standing(application)
    assert state == "held"
    assert await notices(application) == ["payment_notice", "reverted_to_paper"]


async def test_a_complaint_ends_email_and_owes_nothing_anew(application: Application) -> None:
    """What was reported as unwanted has arrived: it stays met; the next notices go by mail."""
    (person,) = await people.add(application.engine, people.Person())
    (email,) = await sent(application, payment(person))
    async with application.engine.begin() as connection:
        await application.outcomes.record(
            connection, [Outcome(email, Event.COMPLAINED, "complaint")]
        )
    assert await standing(application) == ("met", 0, date(2026, 11, 24))
    assert await suppressions(application) == [(1, "complaint", email, "complaint")]
    rows = await fetch(
        application,
        "SELECT facts->>'why' AS why FROM communication WHERE notice = $1",
        "reverted_to_paper",
    )
    assert rows == [{"why": "unwanted"}]


async def test_inbox_and_alert_meet_the_obligation_together(application: Application) -> None:
    """The document alone does not meet it: nobody knows yet that it waits."""
    (person,) = await people.add(application.engine, people.Person(paperless=True))
    inbox, alert = await record(application, payment(person, INBOX_THEN_MAIL))
    await application.dispatcher.deliver([inbox])
    assert await standing(application) == ("owed", 0, date(2026, 11, 24))
    await application.dispatcher.deliver([alert])
    assert await standing(application) == ("met", 0, date(2026, 11, 24))


async def test_an_alert_that_bounces_sends_the_letter_and_leaves_the_document(
    application: Application,
) -> None:
    """Whoever cannot be told that something waits gets it by mail; it stays in the inbox too."""
    (person,) = await people.add(application.engine, people.Person(paperless=True))
    _, alert = await sent(application, payment(person, INBOX_THEN_MAIL))
    await bounced(application, alert)
    assert await deliveries(application) == [
        ("inbox", "sent"), ("email", "failed"), ("mail", "owed"),
    ]  # fmt: skip
    assert await standing(application) == ("owed", 1, date(2026, 12, 9))
    assert len(await fetch(application, "SELECT id FROM document")) == 1


async def test_an_alert_of_nothing_is_not_sent(application: Application, smtp: SmtpServer) -> None:
    """Where the document could not be drawn, no email says that it waits."""
    (person,) = await people.add(application.engine, people.Person(paperless=True))
    obligation = payment(person, INBOX_THEN_MAIL)
    inbox, alert = await record(application, obligation)
    async with application.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE delivery SET state = 'sending' WHERE channel = 'inbox'"
        )
        await application.outcomes.record(
            connection, [Outcome(inbox, Event.REFUSED, "RenderError")]
        )
    assert await application.dispatcher.deliver([alert]) == 0
    assert smtp.taken == []
    assert await deliveries(application) == [
        ("inbox", "failed"), ("email", "cancelled"), ("mail", "owed"),
    ]  # fmt: skip
    assert await standing(application) == ("owed", 1, date(2026, 12, 9))


async def test_what_nobody_opened_goes_by_mail_and_missed_no_promise(
    application: Application,
) -> None:
    """The next channel takes over from an unopened document, counted from the first request."""
    (person,) = await people.add(application.engine, people.Person(paperless=True))
    facts = DocumentReadyFacts(
        name="Inés Peña-Ibáñez", document="case_letter", ready_on=date(2026, 11, 23),
        case_number="000000000000042",
    )  # fmt: skip
    obligation = replace(payment(person, INBOX_THEN_MAIL), notice=DOCUMENT_READY, facts=facts)
    inbox, _ = await sent(application, obligation)
    async with application.engine.begin() as connection:
        await application.outcomes.record(connection, [Outcome(inbox, Event.UNOPENED, "unopened")])
    assert await standing(application) == ("owed", 1, date(2026, 12, 9))
    assert await events(application) == []
    assert await suppressions(application) == []


async def test_what_went_on_or_was_cancelled_is_not_sent_again(
    application: Application, smtp: SmtpServer
) -> None:
    """A late soft bounce of an alert whose document has become a letter sends no second alert, and
    a bounce of what was cancelled meanwhile owes nothing anew."""
    (person,) = await people.add(application.engine, people.Person(paperless=True))
    inbox, alert = await sent(application, payment(person, INBOX_THEN_MAIL))
    async with application.engine.begin() as connection:
        await application.outcomes.record(connection, [Outcome(inbox, Event.UNOPENED, "unopened")])
    await bounced(application, alert, Fate.FULL)
    assert (await deliveries(application))[1] == ("email", "sent")
    (email,) = await sent(application, payment(person, key="payment:2"))
    await execute(application, "UPDATE communication SET state = 'cancelled' WHERE id = 2")
    await bounced(application, email)
    assert await deliveries(application, 2) == [("email", "failed")]
    state, _, _ = await standing(application, 2)
    assert state == "cancelled"


async def test_the_email_beside_a_court_letter_carries_nothing(application: Application) -> None:
    """A court date is told by the letter: that its email bounces moves nothing, and the letter
    alone meets it."""
    (person,) = await people.add(application.engine, people.Person(paperless=True))
    facts = CourtDateFacts(
        name="Inés Peña-Ibáñez", starts_at=ASKED + timedelta(days=30), place="Superior Court",
        case_number="000000000000042",
    )  # fmt: skip
    route: Route = ((Leg(Channel.MAIL), Leg(Channel.EMAIL, meets=False)),)
    obligation = replace(payment(person, route), notice=COURT_DATE_REMINDER, facts=facts)
    letter, email = await sent(application, obligation)
    assert await standing(application) == ("owed", 0, date(2026, 12, 9))
    await bounced(application, email)
    assert await standing(application) == ("owed", 0, date(2026, 12, 9))
    assert await deliveries(application) == [("mail", "batched"), ("email", "failed")]
    for event in (Event.HANDED_OVER, Event.MAILED):
        async with application.engine.begin() as connection:
            await application.outcomes.record(connection, [Outcome(letter, event)])
    assert await standing(application) == ("met", 0, date(2026, 12, 9))


def temporary_pin(participant: int, key: str = "pin:1") -> Obligation:
    """A temporary PIN by email, then by mail."""
    return Obligation(
        key=key,
        notice=TEMPORARY_PIN,
        participant_id=participant,
        language="es",
        facts=TemporaryPinFacts(name="Inés Peña-Ibáñez"),
        route=EMAIL_THEN_MAIL,
        requested_at=ASKED,
    )


async def test_a_pin_that_bounced_is_replaced_not_repeated(
    application: Application, smtp: SmtpServer
) -> None:
    """The PIN of a bounced email is void: what is sent again, and the letter, carry new ones."""
    (person,) = await people.add(application.engine, people.Person())
    (email,) = await sent(application, temporary_pin(person))
    await bounced(application, email, Fate.FULL)
    await execute(application, "UPDATE delivery SET next_attempt_at = now()")
    await application.dispatcher.deliver([email])
    first, second = (PIN_LINE.findall(text_of(message)) for _, _, message in smtp.taken)
    assert len(first) == len(second) == 1
    assert first != second
    await bounced(application, email, said="later")
    rows = await fetch(
        application,
        "SELECT delivery_id, voided_at IS NULL AS live FROM pin_credential ORDER BY id",
    )
    assert [row["live"] for row in rows] == [False, False, True]
    assert rows[-1]["delivery_id"] != email


@pytest.mark.parametrize("fate", [Fate.GONE, Fate.FULL])
async def test_a_late_bounce_does_not_void_a_newer_pin(
    application: Application, fate: Fate
) -> None:
    """Who asked again, or has used the PIN, is owed nothing more for the first request."""
    (person,) = await people.add(application.engine, people.Person())
    (older,) = await sent(application, temporary_pin(person))
    await sent(application, temporary_pin(person, "pin:2"))
    await bounced(application, older, fate)
    rows = await fetch(
        application, "SELECT voided_at IS NULL AS live FROM pin_credential ORDER BY id"
    )
    assert [row["live"] for row in rows] == [False, True]
    assert [channel for channel, _ in await deliveries(application)] == ["email"]


async def test_a_returned_letter_is_evidence_too(application: Application) -> None:
    """A mail address is suppressed once, at the first letter that came back."""
    await people.add(application.engine, people.Person())
    async with application.engine.begin() as connection:
        for _ in range(2):
            await application.returned_mail.recipients.returned(connection, [2], ASKED)
    assert await suppressions(application) == [(2, "returned", None, None)]


async def test_the_evidence_cannot_be_changed(application: Application) -> None:
    """Reports, suppressions and what became of promises are append-only in the database itself."""
    (person,) = await people.add(application.engine, people.Person())
    (email,) = await sent(application, payment(person))
    await bounced(application, email)
    for table in ("bounce_report", "contact_suppression", "communication_event"):
        for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
            with pytest.raises(Exception, match="append-only"):
                await execute(application, statement)
