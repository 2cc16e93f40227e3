"""Synthetic appointments for tests, straight into the tables."""

from datetime import datetime

from engine.bootstrap import Application
from tests.database_rows import execute, fetch

PLACE = "1200 Example St"
CASE = "000000000000099"


async def add_appointment(
    application: Application, participant: int, starts: datetime, kind: str = "office"
) -> int:
    """An appointment of `participant`, who pays in a case of Yolo County; its id."""
    await execute(
        application,
        "INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES ($1, 'Yolo', 'open', '2020-01-01') ON CONFLICT DO NOTHING",
        CASE,
    )
    await execute(
        application,
        "INSERT INTO case_party (case_id, participant_id, role)"
        " SELECT id, $2, 'payer' FROM support_case WHERE external_id = $1 ON CONFLICT DO NOTHING",
        CASE,
        participant,
    )
    [row] = await fetch(
        application,
        "SELECT support_case.id, (SELECT count(*) FROM appointment) AS n FROM support_case"
        " WHERE external_id = $1",
        CASE,
    )
    await execute(
        application,
        "INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place,"
        " status) VALUES ($1, $2, $3, $4, $5, $6, 'scheduled')",
        f"A{row['n']}",
        row["id"],
        participant,
        kind,
        starts,
        PLACE,
    )
    [made] = await fetch(application, "SELECT max(id) AS id FROM appointment")
    return int(str(made["id"]))
