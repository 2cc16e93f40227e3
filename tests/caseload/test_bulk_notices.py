"""A notice to those whom a file names: every bad row by its line, and whole or not at all."""

from pathlib import Path

import pytest

from engine.bootstrap import Application
from engine.caseload.bulk_notices import FaultyFileError
from engine.caseload.query_file import refusal
from engine.caseload.survey import Survey
from engine.communications.catalogue import CATALOGUE, PAYMENT_NOTICE, TEMPORARY_PIN, Notice
from engine.communications.claims import facts_from
from engine.communications.frozen_facts import FACTS
from engine.errors import InputError
from tests import people
from tests.database_rows import fetch

HEADER = "participant_id,direction,amount_cents,paid_on,case_number"


def line(number: int, rest: str = "sent,48250,2026-11-20,000000000000042") -> str:
    """A row about the participant of that number."""
    return f"{number:010d},{rest}"


def query(folder: Path, *rows: str, header: str = HEADER) -> Path:
    """A file of these rows."""
    path = folder / "query.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


async def record(
    application: Application, path: Path, notice: Notice = PAYMENT_NOTICE, **options: object
) -> int:
    """Record the file; how many were new."""
    recording = application.bulk_notices.recording(notice, path, **options)  # type: ignore[arg-type]
    async with recording as opened:
        await opened.write()
    return opened.recorded


async def survey(application: Application, path: Path) -> Survey:
    """What the file would come to."""
    async with application.bulk_notices.recording(PAYMENT_NOTICE, path, keep=False) as opened:
        await opened.write()
        return await application.surveyor.survey(opened)


async def test_a_file_is_told_once(application: Application, tmp_path: Path) -> None:
    """Each in their own language, by the facts of their row and the name on file; again, nobody."""
    await people.add(application.engine, *people.crowd(3))
    path = query(tmp_path, line(1), line(3, "made,100,2026-11-21,000000000000007"))
    assert await record(application, path) == 2
    rows = await fetch(
        application,
        f"SELECT external_id, communication.language, {FACTS} AS facts FROM communication"
        " JOIN participant ON participant.id = participant_id ORDER BY external_id",
    )
    assert [(row["external_id"], row["language"]) for row in rows] == [
        ("0000000001", "es"),
        ("0000000003", "es"),
    ]
    facts = facts_from("payment_notice", str(rows[1]["facts"]))
    assert facts.model_dump(mode="json") == {
        "name": "Inés Peña-Ibáñez", "direction": "made", "amount_cents": 100,
        "paid_on": "2026-11-21", "case_number": "000000000000007",
    }  # fmt: skip
    assert await record(application, path) == 0


async def test_a_participant_of_a_campaign_is_told_once(
    application: Application, tmp_path: Path
) -> None:
    """A longer file under the same name adds those who are new; the same content under another
    name is refused, until it is wanted again."""
    await people.add(application.engine, *people.crowd(3))
    assert await record(application, query(tmp_path, line(1), line(2)), name="november") == 2
    longer = query(tmp_path, line(2, "made,1,2026-11-01,000000000000001"), line(3))
    assert await record(application, longer, name="november") == 1
    with pytest.raises(InputError, match="recorded as the campaign november"):
        await record(application, longer, name="again")
    assert await record(application, longer, name="again", again=True) == 2


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("1,sent,1,2026-11-20,000000000000042", "participant_id", "10 digits"),
        ("0000000009,sent,1,2026-11-20,000000000000042", "participant_id", "names nobody"),
        ("0000000001,sent,1,2026-11-20,000000000000042", "participant_id", "the same"),
        ("0000000002,lost,1,2026-11-20,000000000000042", "direction", "one of: made, sent"),
        ("0000000002,sent,0,2026-11-20,000000000000042", "amount_cents", "whole number of cents"),
        ("0000000002,sent,4.50,2026-11-20,000000000000042", "amount_cents", "whole number"),
        ("0000000002,sent,1,11/20/2026,000000000000042", "paid_on", "YYYY-MM-DD"),
        ("0000000002,sent,1,2026-11-20,42", "case_number", "15 digits"),
        ("0000000002,sent,1,2026-11-20,", "case_number", "must not be empty"),
        ("0000000002,sent,1", "#4", "3 cells"),
    ],
)
async def test_a_bad_row_is_named_and_nothing_is_recorded(
    application: Application, tmp_path: Path, row: str, column: str, reason: str
) -> None:
    """By file, line, column and reason, without what the cell held; the good rows wait too."""
    await people.add(application.engine, *people.crowd(2))
    with pytest.raises(FaultyFileError) as refused:
        await record(application, query(tmp_path, line(1), row))
    (fault,) = refused.value.faults
    assert (fault.file, fault.line, fault.column) == ("query.csv", 3, column)
    assert reason in fault.reason
    assert await fetch(application, "SELECT * FROM campaign, communication") == []


async def test_a_header_names_every_fact(application: Application, tmp_path: Path) -> None:
    """A column that lacks, or that the notice does not know, is named."""
    header = HEADER.replace("paid_on", "color")
    with pytest.raises(FaultyFileError) as refused:
        await record(application, query(tmp_path, header=header))
    assert [fault.column for fault in refused.value.faults] == ["#4", "paid_on"]


def test_what_may_be_told_from_a_file() -> None:
    """Notices that stand by themselves; no secret, no hearing, nothing that only one participant's
    own act gives rise to."""
    told = {key for key, notice in CATALOGUE.items() if refusal(notice) is None}
    assert told == {"payment_notice", "document_ready"}


async def test_a_notice_that_is_not_told_says_why(application: Application, tmp_path: Path) -> None:
    """Before the file is opened."""
    with pytest.raises(InputError, match="temporary_pin is not told from a file: it carries a sec"):
        await record(application, tmp_path / "none.csv", TEMPORARY_PIN)
    with pytest.raises(InputError, match=r"none\.csv cannot be read"):
        await record(application, tmp_path / "none.csv")


async def test_a_survey_says_what_it_comes_to(application: Application, tmp_path: Path) -> None:
    """By which way and language, whom it cannot reach and why, the paper; and keeps nothing."""
    crowd = [
        people.Person("0000000001", paperless=True),
        people.Person("0000000002", paperless=True, confidential=True),
        people.Person("0000000003", language="en"),
        people.Person("0000000004", mail_safe=False),
    ]
    await people.add(application.engine, *crowd)
    found = await survey(application, query(tmp_path, *map(line, range(1, 5))))
    assert [(way.way, way.language, way.number, way.some) for way in found.ways] == [
        ("inbox + email", "es", 1, ("0000000002",)),
        ("inbox + email → mail", "es", 1, ("0000000001",)),
        ("mail", "en", 1, ("0000000003",)),
        ("mail", "es", 1, ("0000000004",)),
    ]
    (lost,) = found.not_reached
    assert (lost.reason, lost.number, lost.some) == ("not_safe_to_use", 1, ("0000000004",))
    assert found.letters == 2
    assert found.pages is not None
    assert found.pages >= 4
    assert await fetch(application, "SELECT * FROM campaign, communication") == []
