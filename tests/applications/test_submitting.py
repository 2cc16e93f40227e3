"""From a draft to a sealed record, its notice, and the case system's file."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from asyncpg import RaiseError

from engine.applications.cleaning_process import Clean, cleaned
from engine.applications.drafts import DRAFTS_MOST
from engine.applications.records import Export
from engine.bootstrap import Application
from engine.errors import InputError
from engine.migrations.grants import PORTAL
from tests import people
from tests.applications import files
from tests.applications.filled import AFRAID, SAFE, fill, submit
from tests.database_rows import execute, fetch

pytestmark = pytest.mark.acting(PORTAL)

APPLICANT = people.Person("applicant-1", street=None)


@pytest.fixture
async def applicant(application: Application) -> int:
    """Somebody with an email address that is theirs, and no other contact."""
    return (await people.add(application.engine, APPLICANT))[0]


async def test_what_was_answered_is_what_is_kept(application: Application, applicant: int) -> None:
    """The record holds every answer; the notice goes by email, and by mail if that fails; nothing
    readable is left in the tables, and the draft's answers are gone."""
    async with application.outbox.transaction() as transaction:
        draft = await fill(application, transaction.connection, applicant)
    found = await submit(application, applicant, draft)
    record = found.record
    assert (record.number, record.kind, record.confidential) == (found.number, "open", False)
    assert record.applicant.last_name == "Peña-Ibáñez"
    assert record.applicant.address is not None
    assert record.applicant.address.state == "CA"
    assert record.applicant.monthly_income == "1850.00"
    assert [child.born.isoformat() for child in record.children] == ["2015-02-28"]
    assert record.remarks == "She starts school in August.\nThank you."
    [owed] = await fetch(application, "SELECT notice, route, facts::text FROM communication")
    assert owed["notice"] == "application_received"
    assert owed["route"] == [[["email", True]], [["mail", True]]]
    assert await fetch(application, "SELECT FROM application_answer") == []
    [row] = await fetch(application, "SELECT row_to_json(a)::text AS row FROM application AS a")
    assert "Peña" not in str(row["row"])


async def test_whoever_is_afraid_is_protected_at_once(
    application: Application, applicant: int
) -> None:
    """A yes marks the participant confidential with the page it is saved by; email that is not
    safe is never used again, and the notice goes to the safe address alone."""
    async with application.outbox.transaction() as transaction:
        connection = transaction.connection
        draft_id = await application.drafts.start(connection, applicant, "open")
        assert draft_id
        draft = await application.drafts.find(connection, applicant, draft_id)
        assert draft
        await application.drafts.save(connection, draft, "safety", {"afraid": "yes"}, 0)
        await application.drafts.save(connection, draft, "safe-email", {"email_safe": "no"}, 0)
    [standing] = await fetch(
        application,
        "SELECT confidential, safe_to_use FROM participant"
        " JOIN contact_point ON participant_id = participant.id",
    )
    assert standing == {"confidential": True, "safe_to_use": False}
    async with application.outbox.transaction() as transaction:
        await application.drafts.discard(transaction.connection, draft)
        again = await fill(application, transaction.connection, applicant, "open", AFRAID)
    assert again.protected
    found = await submit(application, applicant, again)
    assert found.record.applicant.address is None
    assert found.record.applicant.county == "Alameda"
    [owed] = await fetch(application, "SELECT route FROM communication")
    assert owed["route"] == [[["mail", True]]]
    [mail] = await fetch(application, "SELECT substitute FROM contact_point WHERE kind = 'mail'")
    assert mail["substitute"] is True


async def test_no_form_takes_protection_back(application: Application, applicant: int) -> None:
    """A no after a yes changes the answer and not the protection: whoever typed it may be whom the
    applicant is afraid of."""
    async with application.outbox.transaction() as transaction:
        draft = await fill(application, transaction.connection, applicant, "open", AFRAID)
        saved = draft.pages["safety"].version
        assert await application.drafts.save(
            transaction.connection, draft, "safety", {"afraid": "no"}, saved
        )
        after = await application.drafts.find(transaction.connection, applicant, draft.id)
    assert after
    assert after.protected
    assert (await submit(application, applicant, after)).confidential


async def test_two_devices_never_overwrite_each_other_unseen(
    application: Application, applicant: int
) -> None:
    """A page saved from an older version than the one on file is refused, and nothing changes."""
    async with application.outbox.transaction() as transaction:
        draft = await fill(application, transaction.connection, applicant)
        drafts, connection = application.drafts, transaction.connection
        version = draft.pages["your-work"].version
        assert await drafts.save(connection, draft, "your-work", {"employer": "A"}, version)
        assert not await drafts.save(connection, draft, "your-work", {"employer": "B"}, version)
        assert not await drafts.save(connection, draft, "your-work", {"employer": "B"}, 0)
        after = await drafts.find(connection, applicant, draft.id)
    assert after
    assert after.pages["your-work"].values == {"employer": "A"}


async def test_a_draft_is_submitted_once_and_nothing_changes_it(
    application: Application, applicant: int
) -> None:
    """A second submission makes nothing; the database refuses to change, remove or add to what was
    submitted, whoever asks."""
    async with application.outbox.transaction() as transaction:
        draft = await fill(application, transaction.connection, applicant)
    await submit(application, applicant, draft)
    async with application.outbox.transaction() as transaction:
        again = await application.submitting.submit(transaction, applicant, draft, "es")
    assert again is None
    assert len(await fetch(application, "SELECT FROM communication")) == 1
    for statement in (
        "UPDATE application SET language = 'en'",
        "UPDATE application SET record_sha256 = repeat('0', 64)",
        "DELETE FROM application",
        f"INSERT INTO application_answer SELECT 9, {draft.id}, 'safety', 1, '', 'k', now()",
    ):
        with pytest.raises(RaiseError, match="submitted"):
            await execute(application, statement)


async def test_drafts_are_few_run_out_and_are_nobody_elses(
    application: Application, applicant: int
) -> None:
    """There are three at most; another applicant finds none of them, and nobody one that ran
    out."""
    async with application.outbox.transaction() as transaction:
        connection = transaction.connection
        ids = [await application.drafts.start(connection, applicant, "open") for _ in range(4)]
        assert (len(set(ids) - {None}), ids[-1]) == (DRAFTS_MOST, None)
        assert await application.drafts.find(connection, applicant + 1, ids[0] or 0) is None
    await execute(application, "UPDATE application_draft SET expires_at = now() - interval '1 s'")
    async with application.engine.connect() as connection:
        assert await application.drafts.mine(connection, applicant) == []
        assert await application.drafts.find(connection, applicant, ids[0] or 0) is None


async def test_each_application_is_handed_over_once(
    application: Application, applicant: int, tmp_path: Path
) -> None:
    """The file holds what was submitted, by its schema; a second run finds nothing, one number is
    handed over again where that is asked for, and not otherwise."""
    async with application.outbox.transaction() as transaction:
        draft = await fill(application, transaction.connection, applicant, "add_child", SAFE)
    found = await submit(application, applicant, draft)
    done = await application.exports.export(tmp_path, "tester")
    assert done.file is not None
    whole = Export.model_validate_json(done.file.read_bytes())
    assert whole.applications == (found.record,)
    assert "ssn" not in json.loads(done.file.read_text())["applications"][0]["applicant"]
    assert (await application.exports.export(tmp_path, "tester")).file is None
    with pytest.raises(InputError, match="handed over before"):
        await application.exports.export(tmp_path, "tester", number=found.number)
    again = await application.exports.export(tmp_path, "t", number=found.number, again=True)
    assert again.file not in {None, done.file}
    standing = await application.exports.standing()
    assert (standing.submitted, standing.waiting) == (1, 0)


async def test_what_is_over_is_removed_and_what_is_owed_is_not(
    application: Application, applicant: int, tmp_path: Path
) -> None:
    """A draft goes when it has run out; an application stays until it was handed over and its time
    is over, and goes with all that came with it."""
    async with application.outbox.transaction() as transaction:
        draft = await fill(application, transaction.connection, applicant)
        made = cleaned(files.png())
        assert isinstance(made, Clean)
        uploads = application.uploads
        assert await uploads.add(transaction.connection, draft.id, "other", made) is None
        await fill(application, transaction.connection, applicant, "add_child")
    await submit(application, applicant, draft)
    years = application.clock() + timedelta(days=5 * 366)
    purge = replace(application.purge, clock=lambda: years)
    removed = await purge.run("tester")
    assert (removed["application_drafts"], removed["applications"]) == (1, 0)
    await application.exports.export(tmp_path, "tester")
    assert pictures_in(tmp_path) == 1
    removed = await purge.run("tester")
    assert (removed["applications"], removed["submitted_drafts"]) == (1, 1)
    for table in ("application", "application_draft", "application_upload", "application_export"):
        assert await fetch(application, f"SELECT FROM {table}") == []


def pictures_in(folder: Path) -> int:
    """How many pictures stand beside the files of a folder."""
    return len(list(folder.glob("*/*-1.png")))
