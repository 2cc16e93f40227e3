"""Legal holds: placed and lifted by a person, for a reason, on record."""

import json

import pytest

from engine.bootstrap import Application
from engine.errors import InputError
from engine.retention.holds import Subject
from tests import people
from tests.database_rows import fetch

PERSON = Subject("participant", "0000000001")


async def test_a_hold_is_on_record_from_its_placing_to_its_lifting(
    application: Application,
) -> None:
    """Who, when, why; in the list while it stands, and in the audit trail without its words."""
    await people.add(application.engine, people.Person())
    await application.holds.place(PERSON, "a.lee", "Docket 7")
    (hold,) = await application.holds.listed()
    assert (hold.subject, hold.why, hold.placed_by) == (PERSON, "Docket 7", "a.lee")
    with pytest.raises(InputError, match="this participant is under hold already"):
        await application.holds.place(PERSON, "b.cho", "Docket 8")
    await application.holds.lift(PERSON, "b.cho")
    assert await application.holds.listed() == []
    (ended,) = await application.holds.listed(lifted=True)
    assert (ended.lifted_by, ended.placed_by) == ("b.cho", "a.lee")
    with pytest.raises(InputError, match="this participant is not under hold"):
        await application.holds.lift(PERSON, "b.cho")
    rows = await fetch(
        application, "SELECT actor, act, participant_id, details::text FROM audit_entry ORDER BY id"
    )
    said = [(row["actor"], row["act"], row["participant_id"]) for row in rows]
    assert said == [("staff:a.lee", "hold.placed", 1), ("staff:b.cho", "hold.lifted", 1)]
    assert {json.loads(str(row["details"]))["hold"] for row in rows} == {1}
    assert "Docket" not in str(rows)


@pytest.mark.parametrize("kind", ["participant", "case"])
async def test_a_number_that_nobody_has_is_refused(application: Application, kind: str) -> None:
    """A hold on nobody would hold nothing, and nobody would know."""
    with pytest.raises(InputError, match=f"no {kind} has this number"):
        await application.holds.place(Subject(kind, "9999999999"), "a.lee", "Docket 7")
