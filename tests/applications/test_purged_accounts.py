"""How long an account is kept that nobody confirmed, or that nobody uses."""

from datetime import timedelta

import pytest
from asyncpg.exceptions import RaiseError

from engine.applications.accounts import Registration
from engine.bootstrap import Application
from engine.database import create_engine, driver_connection
from engine.migrations.grants import PURGER
from engine.migrations.roles import login_url
from tests import people
from tests.applicants import PASSWORD, add_applicant
from tests.database_rows import delivery_ids, execute, fetch

BY = "o.perator"
OLD = timedelta(days=31)
TABLES = ("applicant", "applicant_link", "communication", "contact_point", "participant")


async def test_an_account_that_nobody_confirmed_goes_without_a_trace(
    application: Application,
) -> None:
    """With the participant made for it, its address and the mail with its link, once that mail is
    no longer owed; a confirmed one stays, and so do the participants of the case system."""
    await people.add(application.engine, people.Person())
    await add_applicant(application.engine, at=application.clock())
    before = {table: await fetch(application, f"SELECT id FROM {table}") for table in TABLES}
    form = Registration("Rosa", "Peña", "tulip.field", "rosa@example.com", PASSWORD)
    await application.accounts.register(form, "en", "192.0.2.7")
    await execute(
        application,
        "UPDATE applicant SET registered_at = $1 WHERE confirmed_at IS NULL",
        application.clock() - OLD,
    )
    await application.purge.run(BY)
    assert len(await fetch(application, "SELECT id FROM applicant")) == 2, "its mail is owed"
    await application.dispatcher.deliver(await delivery_ids(application))
    await application.purge.run(BY)
    after = {table: await fetch(application, f"SELECT id FROM {table}") for table in TABLES}
    assert after == before


async def test_no_participant_of_the_case_system_is_removed(
    application: Application, postgres_url: str
) -> None:
    """The database refuses it even to the one role that may remove an applicant's row."""
    await people.add(application.engine, people.Person(email=None, street=None))
    purger = create_engine(login_url(postgres_url, PURGER))
    try:
        async with purger.begin() as connection:
            driver = await driver_connection(connection)
            with pytest.raises(RaiseError, match="is of the case system"):
                await driver.execute("DELETE FROM participant")
    finally:
        await purger.dispose()
