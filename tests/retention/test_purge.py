"""Removing what was kept for long enough, and nothing that is owed or that a court may ask for."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg.exceptions import RaiseError

from engine.bootstrap import Application
from engine.database import create_engine, driver_connection
from engine.errors import InputError
from engine.inbox.store import DocumentDamagedError
from engine.migrations.grants import PURGER
from engine.migrations.roles import login_url
from engine.models import METADATA
from engine.retention import purge
from engine.retention.classes import kinds
from engine.retention.holds import Subject
from engine.security.audit import Entry
from engine.settings import Retention
from tests import people
from tests.database_rows import execute, fetch
from tests.promises import Hand, payment, record, sent

LONG_AGO = datetime(2010, 6, 1, 12, tzinfo=UTC)
BY = "o.perator"
KEPT_ELSEWHERE = {
    # The case system's: here as long as it says them.
    *("support_case", "case_party", "account", "payment", "appointment"),
    # Removed every night by `tidy`, hours or days after they ended.
    *("portal_session", "sign_in_standing", "submission", "consent_sample"),
    # No person is in them: words that were shown, words that were approved, numbers given out, and
    # what workers say of smarthosts, which goes within the hour.
    *("consent_text", "print_proof", "imb_range", "smarthost_report"),
    # Of the version before.
    "print_alarm",
    # Kept for good: the entries of the trail tell of them by number.
    *("legal_hold", "api_key", "api_key_secret"),
    "audit_entry",
    # How far the database has come, and the feed.
    *("database_mark", "feed_head"),
    # Until they are removed: no person is in them.
    *("webhook_endpoint", "webhook_secret"),
}


async def aged(application: Application, *communications: int) -> None:
    """These were done with long ago."""
    ids = list(communications)
    await execute(
        application,
        "UPDATE communication SET recorded_at = $1, met_at = $1 WHERE id = ANY($2)",
        LONG_AGO,
        ids,
    )
    await execute(
        application,
        "UPDATE delivery SET final_at = $1 WHERE final_at IS NOT NULL"
        " AND communication_id = ANY($2)",
        LONG_AGO,
        ids,
    )


async def standing(application: Application, name: str) -> tuple[int, int, int]:
    """Of one class: to remove, owed still, under hold."""
    (found,) = [each for each in await application.purge.standing() if each.name == name]
    return found.removable, found.owed, found.held


async def numbers(application: Application, table: str) -> list[object]:
    """The ids of a table."""
    rows = await fetch(application, f"SELECT id FROM {table} ORDER BY id")
    return [row["id"] for row in rows]


async def crowd_was_paid(application: Application, number: int) -> None:
    """So many people, each with a payment notice that was sent long ago."""
    persons = await people.add(application.engine, *people.crowd(number))
    await sent(application, *(payment(person, key=f"payment:{person}") for person in persons))
    await aged(application, *persons)


async def test_what_is_done_with_goes_and_what_is_owed_stays(application: Application) -> None:
    """An old notice with its delivery, its events and its bounce; not one of today, not one that
    is owed however old, not one of a participant under hold."""
    persons = await people.add(application.engine, *people.crowd(4))
    notices = [payment(person, key=f"payment:{person}") for person in persons]
    gone, _, _ = await sent(application, *notices[:3])
    await execute(
        application,
        "INSERT INTO bounce_report (delivery_id, kind, why, digest, received_at)"
        " VALUES ($1, 'none', 'auto_reply', '', now())",
        gone,
    )
    await record(application, notices[3])
    await aged(application, 1, 3, 4)
    await execute(application, "UPDATE communication SET met_at = NULL WHERE id = 4")
    await application.holds.place(Subject("participant", "0000000003"), BY, "Docket 7")
    assert await standing(application, "communications") == (1, 1, 1)
    removed = await application.purge.run(BY)
    assert removed["communications"] == 1
    assert await numbers(application, "communication") == [2, 3, 4]
    assert gone not in await numbers(application, "delivery")
    assert not await fetch(application, "SELECT FROM delivery_event WHERE delivery_id = $1", gone)
    assert await standing(application, "communications") == (0, 1, 1)


async def test_a_lifted_hold_holds_no_longer(application: Application) -> None:
    """Of a case, both its parties are held; when it is lifted the ordinary period is over."""
    await crowd_was_paid(application, 2)
    await execute(
        application,
        "WITH made AS (INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES ('000000000000042', 'Yolo', 'open', '2001-01-01') RETURNING id)"
        " INSERT INTO case_party (case_id, participant_id, role)"
        " SELECT made.id, participant.id, 'payee' FROM made, participant",
    )
    case = Subject("case", "000000000000042")
    await application.holds.place(case, BY, "Docket 7")
    assert await standing(application, "communications") == (0, 0, 2)
    assert (await application.purge.run(BY))["communications"] == 0
    await application.holds.lift(case, BY)
    assert (await application.purge.run(BY))["communications"] == 2


async def test_what_is_cut_short_goes_on(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch commits; whoever begins again removes the rest, and the trail has both."""
    monkeypatch.setattr(purge, "BATCH", 2)
    await crowd_was_paid(application, 5)

    def cut(name: str, done: int, of: int) -> None:
        assert (name, of) == ("communications", 5)
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await application.purge.run(BY, cut)
    assert len(await numbers(application, "communication")) == 1
    assert (await application.purge.run(BY))["communications"] == 1
    acts = await fetch(
        application, "SELECT actor, act, details->>'class' AS class FROM audit_entry ORDER BY id"
    )
    assert [tuple(row.values()) for row in acts] == [
        (f"staff:{BY}", "purge.begun", None),
        (f"staff:{BY}", "purge.begun", None),
        (f"staff:{BY}", "purge.removed", "communications"),
    ]


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("DELETE FROM delivery", "delivery 1 is still owed"),
        ("DELETE FROM communication WHERE id = 1", "communication 1 is still owed"),
        ("DELETE FROM communication WHERE id = 2", "communication 2 is under legal hold"),
        ("DELETE FROM contact_point WHERE participant_id = 2", "is under legal hold"),
        ("DELETE FROM delivery_event", "delivery_event is append-only"),
        ("DELETE FROM audit_entry", "audit_entry keeps what is in it"),
    ],
)
async def test_the_database_refuses_a_wrong_removal(
    application: Application, postgres_url: str, statement: str, refused: str
) -> None:
    """Even of the one role that may remove: what is owed, what is held, what nobody named."""
    persons = await people.add(application.engine, *people.crowd(2))
    await record(application, payment(persons[0]))
    await sent(application, payment(persons[1], key="payment:2"))
    await application.holds.place(Subject("participant", "0000000002"), BY, "Docket 7")
    owner = create_engine(login_url(postgres_url, PURGER))
    try:
        async with owner.begin() as connection:
            driver = await driver_connection(connection)
            with pytest.raises(RaiseError, match=refused):
                await driver.execute(statement)
            await connection.rollback()
    finally:
        await owner.dispose()


async def test_a_document_leaves_the_store_with_its_last_row(application: Application) -> None:
    """What another row shows too stays, and what is not old."""
    await crowd_was_paid(application, 3)
    shared, alone = [await application.documents.store.put(word) for word in (b"one", b"two")]
    for delivery, sha256, posted in (
        (1, shared, LONG_AGO),
        (2, alone, LONG_AGO),
        (3, shared, datetime.now(UTC)),
    ):
        await execute(
            application,
            "INSERT INTO document (participant_id, delivery_id, notice, language,"
            " template_version, sha256, bytes, pages, posted_at)"
            " VALUES ($1, $1, 'payment_notice', 'es', '', $2, 3, 1, $3)",
            delivery,
            sha256,
            posted,
        )
    removed = await application.purge.run(BY)
    assert (removed["documents"], removed["communications"]) == (2, 2)
    assert await numbers(application, "document") == [3]
    assert await application.documents.store.get(shared) == b"one"
    with pytest.raises(DocumentDamagedError):
        await application.documents.store.get(alone)


async def test_the_consent_that_stands_is_never_old(application: Application) -> None:
    """Only what a later one took the place of goes, and only its period after that."""
    await people.add(application.engine, people.Person())
    recently = datetime.now(UTC) - timedelta(days=300)
    for at, action in (
        (LONG_AGO - timedelta(days=9), "given"),
        (LONG_AGO, "withdrawn"),
        (recently, "given"),
    ):
        await execute(
            application,
            "INSERT INTO consent (participant_id, action, at, how, proof)"
            " VALUES (1, $2, $1, 'case_system', '{}')",
            at,
            action,
        )
    assert (await application.purge.run(BY))["consents"] == 1
    assert await numbers(application, "consent") == [2, 3]


async def test_the_audit_trail_is_cut_before_who_is_held(application: Application) -> None:
    """It is a chain: from the first entry about somebody under hold on, all of it stays, and what
    is left can be proved."""
    await people.add(application.engine, *people.crowd(3))
    for participant in (1, 2, 3):
        then = LONG_AGO + timedelta(days=participant)
        early = replace(application.audit, clock=Hand(then))
        async with application.engine.begin() as connection:
            await early.append(connection, Entry("system", "test", participant))
    await application.holds.place(Subject("participant", "0000000002"), BY, "Docket 7")
    assert await standing(application, "audit_trail") == (1, 0, 2)
    assert (await application.purge.run(BY))["audit_trail"] == 1
    async with application.engine.connect() as connection:
        proved = await application.audit.verify(connection)
    assert proved.first_id == 2


@pytest.mark.parametrize(
    ("final", "state", "counted"),
    [(True, "mailed", (1, 0, 0)), (False, "mailed", (0, 1, 0)), (True, "handed_over", (0, 1, 0))],
)
async def test_copies_of_a_batch_go_when_the_vendor_has_told_of_every_piece(
    application: Application, final: bool, state: str, counted: tuple[int, int, int]
) -> None:
    """Until then a letter may have to be asked after, or made again."""
    await crowd_was_paid(application, 1)
    name = "ccss_test_letters_20100601_001"
    await execute(
        application,
        "INSERT INTO print_batch (id, job, state, sequence, name, env, bytes, sha256,"
        " handed_over_at, purge_by) VALUES (1, 'letters', 'handed_over', 1, $1, 'test', 1,"
        " '', '2010-06-01T12:00Z', '2010-07-20')",
        name,
    )
    await execute(application, "INSERT INTO print_piece (batch_id, delivery_id) VALUES (1, 1)")
    await execute(application, "UPDATE delivery SET channel = 'mail', state = $1", state)
    if final:
        await execute(
            application,
            "INSERT INTO print_answer (batch_id, kind, content, received_at)"
            " VALUES (1, 'final', '{}', now())",
        )
    folder = application.settings.data_dir / "print"
    ours = [
        folder / "outgoing" / f"{name}.zip.pgp",
        folder / "outgoing" / f"{name}.done",
        folder / "incoming" / f"{name}.final.json.pgp",
        folder / "incoming" / f"0a1b2c3d_{name}.final.json.pgp",
    ]
    other = folder / "outgoing" / f"{name[:-1]}2.zip.pgp"
    for path in (*ours, other):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert await standing(application, "print_files") == counted
    assert (await application.purge.run(BY))["print_files"] == counted[0]
    assert [path.exists() for path in ours] == [not counted[0]] * 4
    assert other.exists()


def test_every_table_has_a_period_or_a_reason_for_none() -> None:
    """A table that is made later is not forgotten."""
    statements = " ".join(
        statement for kind in kinds(Retention(), 7) for statement in kind.removals
    )
    removed = set(re.findall(r"DELETE FROM (\w+)", statements))
    assert removed | KEPT_ELSEWHERE == set(METADATA.tables)
    assert not removed & KEPT_ELSEWHERE


async def test_a_worker_removes_nothing(application: Application) -> None:
    """Its login may not become the role that removes."""
    by_a_worker = replace(application.purge, engine=application.dispatcher.engine)
    with pytest.raises(InputError, match="this login may not become connect_purger"):
        await by_a_worker.run(BY)
