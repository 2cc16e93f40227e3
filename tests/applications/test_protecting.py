"""Whom the portal's login may protect."""

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.database import create_engine, driver_connection
from engine.migrations.grants import PORTAL
from engine.migrations.roles import login_url
from tests import people
from tests.applicants import add_applicant

_CONFIDENTIAL = "SELECT id FROM participant WHERE confidential"


async def test_the_portal_protects_applicants_and_nobody_else(
    database: AsyncEngine, postgres_url: str
) -> None:
    """Of who is confidential its login can change nothing else: an applicant stays so, and no
    participant of the case system becomes it."""
    applicant = await add_applicant(database)
    other, parent = await people.add(
        database,
        people.Person(external_id="0000000002", confidential=True, email=None, street=None),
        people.Person(external_id="0000000003", email=None, street=None),
    )
    portal = create_engine(login_url(postgres_url, PORTAL))
    async with portal.begin() as connection:
        driver = await driver_connection(connection)
        for participant in (applicant.participant_id, applicant.participant_id, parent):
            await driver.execute("SELECT protect_applicant($1)", participant)
        protected = {row["id"] for row in await driver.fetch(_CONFIDENTIAL)}
    await portal.dispose()
    assert protected == {applicant.participant_id, other}
