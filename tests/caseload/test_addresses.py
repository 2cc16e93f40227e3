"""Mail addresses of the caseload: looked at when they are read in, and when they are written to."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.caseload.columns import Rules, caseload_files
from engine.caseload.importing import FlaggedAddress, ImportReport, import_caseload
from engine.caseload.recipients import CaseloadRecipients
from engine.communications.claims import Reader
from engine.communications.ports import PostalAddress, Unreachable

RULES = Rules()
ANA, LUIS, EVA = "0000000001", "0000000002", "0000000003"
PEOPLE = (
    f"{ANA},María José,Núñez O'Brien,es,no,no",
    f"{LUIS},Luis,Smith-Jones,en,yes,no",
    f"{EVA},Eva,Ruiz,en,no,no",
)
HOMES = (
    f'{ANA},mail,,,"10 Example Street, Apt 4",,,Sacramento,CA,95814,,no,yes,',
    f"{LUIS},mail,,,12 Example Street,,,Sacramento,CA,95814,,no,yes,",
    f"{LUIS},mail,,,PO BOX 1199,,,SACRAMENTO,CA,95812,,yes,yes,",
    f"{EVA},phone,,(916) 555-0142,,,,,,,,no,,",
    f"{EVA},mail,,,14 Example Street,Apt,,Sacramento,NV,95814,,no,yes,",
)


def write(folder: Path, **files: tuple[str, ...]) -> Path:
    """The files named, with the rows given."""
    folder.mkdir()
    for file in caseload_files(RULES):
        if (rows := files.get(file.name.removesuffix(".csv"))) is not None:
            lines = (",".join(c.name for c in file.columns if not c.may_lack), *rows)
            (folder / file.name).write_text("".join(f"{line}\n" for line in lines))
    return folder


async def load(
    engine: AsyncEngine, folder: Path, /, *, rules: Rules = RULES, **files: tuple[str, ...]
) -> ImportReport:
    """Import the files given."""
    return await import_caseload(engine, write(folder, **files), rules)


async def kept(engine: AsyncEngine) -> list[tuple[str, str | None]]:
    """The flags on file, for the current contact points in the order they came."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT kind, address_flags FROM contact_point"
                " WHERE superseded_at IS NULL ORDER BY participant_id, kind, substitute"
            )
        )
        return [(row.kind, row.address_flags) for row in rows]


async def reached(
    engine: AsyncEngine, recipients: CaseloadRecipients
) -> list[PostalAddress | Unreachable]:
    """What Ana, Luis and Eva can be reached at by mail."""
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT id FROM participant ORDER BY external_id"))
        ids = [row.id for row in found]
        answers = await recipients.mail(connection, [Reader(id_) for id_ in ids])
    return [answers[Reader(id_)] for id_ in ids]


async def test_a_flagged_address_is_loaded_and_reported(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """Nothing is refused for it: the report names its line and its flags, and they are kept."""
    report = await load(database, tmp_path / "files", participants=PEOPLE, contact_points=HOMES)

    assert report.whole
    assert report.flagged == (
        FlaggedAddress("contact_points.csv", 3, ("CONFIDENTIAL",)),
        FlaggedAddress("contact_points.csv", 6, ("STATE_ZIP_MISMATCH", "MISSING_UNIT")),
    )
    assert await kept(database) == [
        ("mail", ""),
        ("mail", "CONFIDENTIAL"),
        ("mail", ""),
        ("mail", "STATE_ZIP_MISMATCH MISSING_UNIT"),
        ("phone", None),
    ]


async def test_an_unchanged_file_reports_the_same(database: AsyncEngine, tmp_path: Path) -> None:
    """What is wrong stays in every night's report until it is mended."""
    first = await load(database, tmp_path / "first", participants=PEOPLE, contact_points=HOMES)
    second = await load(database, tmp_path / "second", participants=PEOPLE, contact_points=HOMES)
    assert second.flagged == first.flagged

    mended = HOMES[-1].replace("Apt,,Sacramento,NV", "Apt 4,,Sacramento,CA")
    third = await load(database, tmp_path / "third", contact_points=(mended,))
    assert third.flagged == ()
    assert (await kept(database))[3] == ("mail", "")


async def test_a_changed_participant_s_address_is_looked_at_again(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """A longer name may need a line more; one who has become confidential is not written to."""
    await load(database, tmp_path / "files", participants=PEOPLE, contact_points=HOMES)
    long = " ".join(["Maximiliana"] * 10)
    changed = (
        PEOPLE[0].replace("María José", long),
        PEOPLE[2].replace(",no,no", ",yes,no"),
    )

    report = await load(database, tmp_path / "changed", participants=changed)

    assert report.flagged == ()
    flags = await kept(database)
    assert flags[0] == ("mail", "TOO_MANY_LINES")
    assert flags[3] == ("mail", "STATE_ZIP_MISMATCH MISSING_UNIT CONFIDENTIAL")


async def test_a_letter_to_a_flagged_address_is_held_with_its_flag(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """The first flag is the reason; a good address is answered as it stands on file."""
    await load(database, tmp_path / "files", participants=PEOPLE, contact_points=HOMES)

    ana, luis, eva = await reached(database, CaseloadRecipients())

    assert isinstance(ana, PostalAddress)
    assert (ana.name, ana.addr1) == ("María José Núñez O'Brien", "10 Example Street, Apt 4")
    assert isinstance(luis, PostalAddress)
    assert (luis.addr1, luis.confidential) == ("PO BOX 1199", True)
    assert eva == Unreachable("STATE_ZIP_MISMATCH")


async def test_an_address_is_checked_anew_when_it_is_written_to(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """By the rules of the day, whatever was kept at intake; and as the window then is."""
    await load(database, tmp_path / "files", participants=PEOPLE, contact_points=HOMES)
    async with database.begin() as connection:
        await connection.execute(text("UPDATE contact_point SET address_flags = ''"))

    answers = await reached(database, CaseloadRecipients(window_lines=2))

    assert answers == [
        Unreachable("TOO_MANY_LINES"),
        Unreachable("TOO_MANY_LINES"),
        Unreachable("STATE_ZIP_MISMATCH"),
    ]


async def test_a_returned_address_stays_returned(database: AsyncEngine, tmp_path: Path) -> None:
    """An import that says the same address again does not make it good."""
    await load(database, tmp_path / "files", participants=PEOPLE, contact_points=HOMES)
    async with database.begin() as connection:
        await connection.execute(text("UPDATE contact_point SET returned_at = now()"))
    unsafe = tuple(row.replace(",no,yes,", ",no,no,") for row in HOMES)

    await load(database, tmp_path / "unsafe", contact_points=unsafe)
    await load(database, tmp_path / "again", contact_points=HOMES)

    assert await reached(database, CaseloadRecipients()) == [Unreachable("RETURNED_BEFORE")] * 3
    moved = HOMES[0].replace("10 Example", "20 Example")
    await load(database, tmp_path / "moved", contact_points=(moved,))
    ana, *_ = await reached(database, CaseloadRecipients())
    assert isinstance(ana, PostalAddress)


@pytest.mark.parametrize("lines", [2, 4])
async def test_the_window_is_the_agency_s(
    database: AsyncEngine, tmp_path: Path, lines: int
) -> None:
    """How many lines it holds is a rule of the import, as it is of the printing."""
    rules = replace(RULES, window_lines=lines)
    report = await load(
        database,
        tmp_path / "files",
        rules=rules,
        participants=PEOPLE[:1],
        contact_points=HOMES[:1],
    )
    assert bool(report.flagged) == (lines == 2)
