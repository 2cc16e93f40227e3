"""A restored database is noticed, by whoever opens it and by whoever is at work on it."""

from datetime import timedelta

import pytest

from engine.bootstrap import Application, open_application
from engine.database import driver_connection
from engine.recovery.mark import DatabaseRestoredError
from engine.recovery.witnesses import NEVER, REDIS_KEY
from engine.settings import Settings
from jobs.worker import WorkerProcess
from tests.database_rows import execute, fetch
from tests.jobs.test_worker import record


async def restore(application: Application) -> None:
    """The database as it was an hour ago: all that a backup would say of the mark."""
    await execute(application, "UPDATE database_mark SET beat = beat - interval '1 hour'")


async def test_the_mark_moves_on_and_never_back(application: Application) -> None:
    """Each beat is later than the one before, though the database's clock steps back an hour."""
    await application.mark.beat()
    first = application.mark.seen
    await execute(application, "UPDATE database_mark SET beat = beat + interval '1 hour'")
    await application.mark.beat()
    assert application.mark.seen > first + timedelta(hours=1)


@pytest.mark.parametrize("forgotten", ["folder", "redis"])
async def test_either_witness_is_enough(
    application: Application, settings: Settings, forgotten: str
) -> None:
    """A process that starts on a restored database is refused, though one witness is lost; and
    the hold is in the database, for machines that remember nothing."""
    await application.mark.beat()
    if forgotten == "folder":
        application.mark.witnesses.path.unlink()
    else:
        await application.doorbell.redis.delete(REDIS_KEY)
    await restore(application)
    async with open_application(settings) as opened:
        with pytest.raises(DatabaseRestoredError, match="connect recover"):
            await fetch(opened, "SELECT 1")
    (row,) = await fetch(application, "SELECT held_since, held_why FROM database_mark")
    assert row["held_since"] is not None
    assert "restored from a backup" in str(row["held_why"])
    application.mark.witnesses.path.unlink(missing_ok=True)
    await application.doorbell.redis.delete(REDIS_KEY)
    async with open_application(settings) as elsewhere:
        assert elsewhere.mark.seen == NEVER
        with pytest.raises(DatabaseRestoredError, match="restored from a backup"):
            await fetch(elsewhere, "SELECT 1")


async def test_a_worker_does_not_start_on_a_restored_database(application: Application) -> None:
    """It ends with what is to be done, before it has taken any work."""
    await application.mark.beat()
    await restore(application)
    assert application.settings.redis_url
    worker = WorkerProcess(application, application.settings.redis_url.get_secret_value())
    with pytest.raises(DatabaseRestoredError, match="connect recover"):
        await worker.run()


async def test_what_is_at_work_notices_at_its_next_beat(application: Application) -> None:
    """A restore under a process's open connections is noticed too."""
    await application.mark.beat()
    await restore(application)
    with pytest.raises(DatabaseRestoredError, match="was seen at"):
        await application.mark.beat()


async def test_a_database_that_was_never_worked_on_is_no_restored_one(
    application: Application, settings: Settings
) -> None:
    """A new database beside an old data folder: it has no mark, and so has lost nothing."""
    await application.mark.beat()
    await execute(application, "DELETE FROM database_mark")
    async with open_application(settings) as opened:
        await opened.mark.beat()
        assert opened.mark.seen > application.mark.seen


async def test_a_person_holds_it(application: Application, settings: Settings) -> None:
    """What a person holds is opened by nothing but recovering, until it is let go."""
    async with application.engine.begin() as connection:
        await application.mark.hold(await driver_connection(connection), "a restore is under way")
    async with open_application(settings) as opened:
        with pytest.raises(DatabaseRestoredError, match="a restore is under way"):
            await fetch(opened, "SELECT 1")
    async with (
        open_application(settings, recovering=True) as recovering,
        recovering.engine.begin() as connection,
    ):
        await recovering.mark.let_go(await driver_connection(connection))
    async with open_application(settings) as opened:
        await opened.mark.beat()


async def test_a_backup_from_before_there_were_marks_is_a_restored_one(
    application: Application, settings: Settings
) -> None:
    """A database that has been worked on, was seen, and has no mark has lost something; the same
    is true of one in which `pg_restore` has not come to the mark yet."""
    await record(application, 1)
    await application.mark.beat()
    await execute(application, "DELETE FROM database_mark")
    async with open_application(settings) as opened:
        with pytest.raises(DatabaseRestoredError, match="nowhere"):
            await fetch(opened, "SELECT 1")
