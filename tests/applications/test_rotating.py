"""Rotation of the sealing keys reaches what applicants wrote, sent, and are called."""

import base64
from collections.abc import Sequence
from typing import Final

from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.applications.personal import EVERY, USERNAME
from engine.bootstrap import Application, open_engine
from engine.database import driver_connection
from engine.migrations.grants import OPERATOR, PORTAL
from engine.security.resealing import held, reseal
from engine.settings import Settings
from tests.acting import as_role, opened_in_parts
from tests.applicants import add_applicant
from tests.applications.filled import leave_everything

OF_APPLICANTS: Final = tuple(column for column in EVERY if column.table.startswith("applica"))
_IDS: Final = "SELECT draft_id, id FROM application_upload"
_NAME: Final = f"SELECT {USERNAME.read()} FROM applicant"


def holding(settings: Settings, *ids: str) -> Settings:
    """With these keys, of which the last seals."""
    keys = {id_: SecretStr(base64.b64encode(id_.encode() * 8).decode()) for id_ in ids}
    return settings.model_copy(update={"sealing_keys": keys, "sealing_key_id": ids[-1]})


async def read_everything(application: Application, participant: int) -> Sequence[object]:
    """What they wrote, sent and are called, as the application reads it."""
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_IDS)
        return (
            [one.record for one in await application.submitting.mine(connection, participant)],
            await application.drafts.find(connection, participant, row["draft_id"]),
            await application.uploads.content(connection, participant, *row),
            str(await driver.fetchval(_NAME)),
        )


async def test_a_new_key_opens_all_that_the_old_one_did(
    settings: Settings, database: AsyncEngine, redis: Redis
) -> None:
    """An operator's rotation seals every row of theirs anew; with the old key gone, each reads as
    it did before, under the portal's own login."""
    async with opened_in_parts(holding(settings, "old!"), acting=PORTAL) as application:
        participant = (await add_applicant(application.engine)).participant_id
        await leave_everything(application, participant)
        before = await read_everything(application, participant)
    both = holding(settings, "old!", "new!")
    async with open_engine(as_role(both, OPERATOR)) as engine:
        sealed = {column.box: 0 for column in OF_APPLICANTS}
        async for batch in reseal(engine, OF_APPLICANTS, "new!"):
            assert batch.unreadable == ()
            sealed[batch.column.box] += batch.sealed
        assert all(sealed.values()), sealed
        async with engine.connect() as connection:
            driver = await driver_connection(connection)
            for column in OF_APPLICANTS:
                assert (await held(driver, column)).keys() == {"new!"}, column.table
    async with opened_in_parts(holding(settings, "new!"), acting=PORTAL) as application:
        assert await read_everything(application, participant) == before
