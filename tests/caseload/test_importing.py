"""Loading a folder of caseload files into a real PostgreSQL."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.caseload import importing, personal
from engine.caseload.columns import Rules, caseload_files
from engine.caseload.importing import FileReport, ImportReport, import_caseload
from engine.caseload.personal import FIELDS, NAMES
from engine.caseload.reading import Fault
from engine.caseload.sample import write_sample
from engine.database import driver_connection
from engine.errors import InputError
from engine.security.sealed_columns import box_of, fingerprint_of, key_of

RULES = Rules(participant_id_digits=10, case_number_digits=15)
ANA, LUIS, CASE = "0000000001", "0000000002", "000000000000001"
GOOD: Mapping[str, tuple[str, ...]] = {
    "participants.csv": (
        f"{ANA},María José,Núñez O'Brien,es,no,no",
        f"{LUIS},Luis,Smith-Jones,en,yes,",
    ),
    "contact_points.csv": (
        f"{ANA},email,ana@example.com,,,,,,,,,no,yes,",
        f'{ANA},mail,,,"10 Example Street, Apt 4",,,Sacramento,CA,95814,,no,yes,',
        f"{LUIS},phone,,(916) 555-0142,,,,,,,,no,,",
        f"{LUIS},mail,,,PO BOX 1199,,,SACRAMENTO,CA,95812,,yes,yes,",
    ),
    "cases.csv": (f"{CASE},Contra Costa,open,2020-02-29",),
    "case_parties.csv": (f"{CASE},{LUIS},payer", f"{CASE},{ANA},payee"),
    "accounts.csv": (f"B-1,{CASE},child_support,525,0,2026-11-20",),
    "payments.csv": (
        f"P-1,{CASE},{LUIS},made,482.50,card,2026-10-01",
        f"P-2,{CASE},{ANA},sent,482.50,check,2026-10-03",
    ),
    "appointments.csv": (
        f'A-1,{CASE},{ANA},office,2026-12-09T09:30-08:00,"100 Example Street, Room 2",scheduled',
    ),
}


def write(folder: Path, **changed: tuple[str, ...]) -> Path:
    """The good files, with the rows of some replaced; `participants=...` names participants.csv."""
    folder.mkdir(exist_ok=True)
    for file in caseload_files(RULES):
        rows = changed.get(file.name.removesuffix(".csv"), GOOD[file.name])
        lines = (",".join(c.name for c in file.columns if not c.may_lack), *rows)
        (folder / file.name).write_bytes("".join(f"{line}\r\n" for line in lines).encode())
    return folder


async def load(engine: AsyncEngine, folder: Path, *, dry_run: bool = False) -> ImportReport:
    """Import `folder` under the usual rules."""
    return await import_caseload(engine, folder, RULES, dry_run=dry_run)


async def rows(engine: AsyncEngine, query: str) -> list[tuple[Any, ...]]:
    """What a query answers."""
    async with engine.connect() as connection:
        driver = await driver_connection(connection)
        return [tuple(row) for row in await driver.fetch(query)]


async def versions(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    """Where PostgreSQL keeps each row of the caseload: a written row has moved."""
    return await rows(
        engine,
        "SELECT tableoid::regclass::text, ctid::text, xmin::text FROM participant"
        " UNION ALL SELECT tableoid::regclass::text, ctid::text, xmin::text FROM contact_point"
        " UNION ALL SELECT tableoid::regclass::text, ctid::text, xmin::text FROM support_case"
        " UNION ALL SELECT tableoid::regclass::text, ctid::text, xmin::text FROM case_party"
        " UNION ALL SELECT tableoid::regclass::text, ctid::text, xmin::text FROM account"
        " UNION ALL SELECT tableoid::regclass::text, ctid::text, xmin::text FROM payment"
        " UNION ALL SELECT tableoid::regclass::text, ctid::text, xmin::text FROM appointment"
        " ORDER BY 1, 2",
    )


def at(fault: Fault) -> tuple[str, int, str]:
    """Where a fault is."""
    return fault.file, fault.line, fault.column


async def test_every_file_is_loaded_and_linked_by_external_id(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """Seven good files become rows that belong together, in the database's own types."""
    report = await load(database, write(tmp_path / "files"))

    assert report.whole
    assert [(file.rows, file.added) for file in report.files] == [
        (2, 2), (4, 4), (1, 1), (2, 2), (1, 1), (2, 2), (1, 1),
    ]  # fmt: skip
    assert await rows(
        database,
        f"SELECT p.external_id, {NAMES.read('p')}, language, confidential, paperless, role,"
        " c.external_id, direction, amount_cents, paid_on::text FROM payment"
        " JOIN participant p ON p.id = participant_id JOIN support_case c ON c.id = case_id"
        " JOIN case_party cp ON cp.case_id = c.id AND cp.participant_id = p.id ORDER BY 1",
    ) == [
        (ANA, "María José\nNúñez O'Brien", "es", False, False, "payee", CASE, "sent", 48_250,
         "2026-10-03"),
        (LUIS, "Luis\nSmith-Jones", "en", True, False, "payer", CASE, "made", 48_250,
         "2026-10-01"),
    ]  # fmt: skip
    assert await rows(
        database, f"SELECT {FIELDS}, safe_to_use FROM contact_point WHERE kind = 'phone'"
    ) == [({"phone": "+19165550142"}, True)]
    assert await rows(
        database, "SELECT starts_at = '2026-12-09 17:30+00', place FROM appointment"
    ) == [(True, "100 Example Street, Room 2")]
    assert await rows(
        database, "SELECT kind, monthly_cents, balance_cents, as_of::text FROM account"
    ) == [("child_support", 52_500, 0, "2026-11-20")]


async def test_the_same_files_again_write_nothing(database: AsyncEngine, tmp_path: Path) -> None:
    """A second import of the same files leaves every row where PostgreSQL put it."""
    folder = write(tmp_path / "files")
    await load(database, folder)
    before = await versions(database)

    report = await load(database, folder)

    assert [(file.added, file.updated) for file in report.files] == [(0, 0)] * 7
    assert [file.unchanged for file in report.files] == [2, 4, 1, 2, 1, 2, 1]
    assert await versions(database) == before


async def test_an_import_tells_nobody(database: AsyncEngine, tmp_path: Path) -> None:
    """The case system's changes are not the parent's acts: no notice comes of them."""
    await load(database, write(tmp_path / "files"))
    assert await rows(database, "SELECT id FROM communication") == []


async def test_a_changed_contact_point_supersedes_the_old_one(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """History is kept, and only the contact point that differs gains a row."""
    await load(database, write(tmp_path / "files"))
    email, *others = GOOD["contact_points.csv"]
    changed = (email.replace("ana@example.com", "ana.nueva@example.com"), *others)

    report = await load(database, write(tmp_path / "files", contact_points=changed))

    assert report.files[1] == FileReport("contact_points.csv", 4, added=0, updated=1, unchanged=3)
    assert await rows(
        database,
        f"SELECT {FIELDS}, superseded_at IS NULL FROM contact_point WHERE kind = 'email'"
        " ORDER BY id",
    ) == [({"email": "ana@example.com"}, False), ({"email": "ana.nueva@example.com"}, True)]
    assert await rows(database, "SELECT count(*) FROM contact_point") == [(5,)]


async def test_a_bounce_is_not_forgotten(database: AsyncEngine, tmp_path: Path) -> None:
    """The same address stays bounced and proved, also where only its safety changes."""
    await load(database, write(tmp_path / "files"))
    async with database.begin() as connection:
        await connection.execute(
            text("UPDATE contact_point SET bounced_at = now(), verified_at = now()")
        )
    email, *others = GOOD["contact_points.csv"]

    await load(database, write(tmp_path / "files"))
    unsafe = (email.replace("no,yes,", "no,no,"), *others)
    await load(database, write(tmp_path / "files", contact_points=unsafe))

    assert await rows(
        database,
        "SELECT safe_to_use, superseded_at IS NULL, bounced_at IS NULL, verified_at IS NULL"
        " FROM contact_point WHERE kind = 'email' ORDER BY id",
    ) == [(True, False, False, False), (False, True, False, False)]


async def test_a_new_address_has_not_bounced(database: AsyncEngine, tmp_path: Path) -> None:
    """What was found out about one address says nothing of the next."""
    await load(database, write(tmp_path / "files"))
    async with database.begin() as connection:
        await connection.execute(
            text("UPDATE contact_point SET bounced_at = now(), verified_at = now()")
        )
    email, *others = GOOD["contact_points.csv"]
    changed = (email.replace("ana@", "ana.nueva@"), *others)

    await load(database, write(tmp_path / "files", contact_points=changed))

    assert await rows(
        database,
        f"SELECT {FIELDS}, bounced_at, verified_at FROM contact_point"
        " WHERE kind = 'email' AND superseded_at IS NULL",
    ) == [({"email": "ana.nueva@example.com"}, None, None)]


async def test_a_newer_proof_is_noted_and_an_older_one_is_not(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """A proof alone supersedes nothing; an empty cell or an older proof takes none away."""
    email, *others = GOOD["contact_points.csv"]
    for proof in ("2026-05-01T10:00-07:00", "2026-04-01T10:00-07:00", ""):
        points = (email + proof, *others)
        await load(database, write(tmp_path / "files", contact_points=points))

    assert await rows(
        database,
        "SELECT verified_at = '2026-05-01 17:00+00', superseded_at FROM contact_point"
        " WHERE kind = 'email'",
    ) == [(True, None)]


async def test_an_empty_answer_leaves_the_parents_own(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """An empty `paperless` or `safe_to_use` overrules nothing a parent chose, nor does one that
    only repeats what the case system said before."""
    await load(database, write(tmp_path / "files"))
    async with database.begin() as connection:
        await connection.execute(text("UPDATE participant SET paperless = true"))
        await connection.execute(text("UPDATE contact_point SET safe_to_use = false"))

    report = await load(database, write(tmp_path / "files"))

    assert await rows(
        database, "SELECT external_id, paperless FROM participant ORDER BY 1"
    ) == [(ANA, True), (LUIS, True)]  # fmt: skip
    assert report.files[0].updated == 0
    assert await rows(
        database,
        "SELECT safe_to_use FROM contact_point WHERE kind = 'phone' AND superseded_at IS NULL",
    ) == [(False,)]


async def chosen(engine: AsyncEngine, *statements: str) -> None:
    """What a parent does in the portal between two imports."""
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


REMOVED = "UPDATE contact_point SET superseded_at = now() WHERE kind = 'email'"
ON_FILE = (
    f"SELECT {FIELDS}, safe_to_use, changed_by FROM contact_point"
    " WHERE kind = 'email' AND superseded_at IS NULL"
)


async def moved(engine: AsyncEngine) -> None:
    """The parent enters another email."""
    await chosen(engine, REMOVED)
    async with engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(
            f"""INSERT INTO contact_point
                (participant_id, kind, sealed, sealed_key_id, fingerprint, changed_by, own_answer)
                SELECT participant_id, 'email', {box_of("$1::json")}, {key_of("$1::json")},
                       {fingerprint_of("$1::json")}, 'participant', true
                FROM contact_point WHERE kind = 'email'""",
            personal.contact(ANA, "email", {"email": "mine@example.com"}),
        )


async def test_what_the_case_system_repeats_undoes_nothing(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """A parent's own email, language and answer about safety outlive the nightly import."""
    await load(database, write(tmp_path / "files"))
    await moved(database)
    await chosen(
        database,
        "UPDATE participant SET language = 'en'",
        "UPDATE contact_point SET safe_to_use = false, own_answer = true WHERE kind = 'mail'",
    )
    before = await versions(database)
    await load(database, write(tmp_path / "files"))
    assert await versions(database) == before
    assert await rows(database, ON_FILE) == [({"email": "mine@example.com"}, True, "participant")]


async def test_a_contact_that_was_removed_stays_removed(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """Until the case system says another."""
    await load(database, write(tmp_path / "files"))
    await chosen(database, REMOVED)
    await load(database, write(tmp_path / "files"))
    assert await rows(database, ON_FILE) == []
    another = GOOD["contact_points.csv"][0].replace("ana@", "another@")
    await load(database, write(tmp_path / "files", contact_points=(another,)))
    assert await rows(database, ON_FILE) == [
        ({"email": "another@example.com"}, True, "case_system")
    ]


async def test_what_the_case_system_says_anew_holds(database: AsyncEngine, tmp_path: Path) -> None:
    """A caseworker who enters another email, or another language, is heard."""
    await load(database, write(tmp_path / "files"))
    await moved(database)
    await chosen(database, "UPDATE participant SET language = 'en'")
    another = GOOD["contact_points.csv"][0].replace("ana@", "another@")
    reader = GOOD["participants.csv"][1].replace(",en,", ",es,")
    await load(
        database,
        write(tmp_path / "files", contact_points=(another,), participants=(reader,)),
    )
    assert await rows(database, ON_FILE) == [
        ({"email": "another@example.com"}, True, "case_system")
    ]
    assert await rows(
        database, "SELECT external_id, language FROM participant ORDER BY external_id"
    ) == [(ANA, "en"), (LUIS, "es")]


async def test_cases_payments_and_appointments_are_updated(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """A row known by its external id takes on what the file now says."""
    await load(database, write(tmp_path / "files"))
    made, sent = GOOD["payments.csv"]
    (case,) = GOOD["cases.csv"]
    (appointment,) = GOOD["appointments.csv"]
    (account,) = GOOD["accounts.csv"]

    report = await load(
        database,
        write(
            tmp_path / "files",
            cases=(case.replace("open", "closed"),),
            accounts=(account.replace(",0,", ",1042,"),),
            payments=(made.replace("482.50", "500"), sent),
            appointments=(appointment.replace("scheduled", "cancelled"),),
        ),
    )

    assert [file.updated for file in report.files] == [0, 0, 1, 0, 1, 1, 1]
    assert await rows(
        database,
        "SELECT support_case.status, amount_cents, appointment.status, balance_cents"
        " FROM support_case, payment, appointment, account WHERE payment.external_id = 'P-1'",
    ) == [("closed", 50_000, "cancelled", 104_200)]


async def test_a_dry_run_reports_the_same_and_keeps_nothing(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """The counts of a dry run are those of the run that follows it."""
    folder = write(tmp_path / "files", cases=(f"{CASE},Contra Costa,ajar,2020-02-29",))

    rehearsed = await load(database, folder, dry_run=True)
    assert await versions(database) == []
    loaded = await load(database, folder)

    assert rehearsed.dry_run
    assert (rehearsed.files, rehearsed.faults) == (loaded.files, loaded.faults)


async def test_a_file_alone_refers_to_what_the_database_holds(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """A nightly delivery may hold payments alone."""
    await load(database, write(tmp_path / "all"))
    alone = tmp_path / "alone"
    alone.mkdir()
    header = "payment_id,case_number,participant_id,direction,amount,method,paid_on"
    row = f"P-3,{CASE},{ANA},sent,1,check,2026-10-03"
    (alone / "payments.csv").write_text(f"{header}\n{row}\n")

    report = await load(database, alone)

    assert report.files == (FileReport("payments.csv", 1, added=1),)


async def test_nothing_of_a_file_with_a_bad_row_is_loaded(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """One bad payment refuses the payments, and nothing but the payments."""
    made, _ = GOOD["payments.csv"]
    bad = (made, f"P-2,{CASE},{ANA},sent,-1,check,2026-10-03")

    report = await load(database, write(tmp_path / "files", payments=bad))

    assert [file.file for file in report.files if file.refused] == ["payments.csv"]
    assert await rows(database, "SELECT id FROM payment") == []
    assert await rows(database, "SELECT count(*) FROM appointment") == [(1,)]


async def test_a_file_waits_for_the_refused_one_it_needs(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """One line says that a file needs a refused one; its rows are not each called unknown."""
    ana, luis = GOOD["participants.csv"]
    folder = write(tmp_path / "files", participants=(ana, luis.replace(",en,", ",fr,")))

    report = await load(database, folder)

    assert {at(fault) for fault in report.faults} == {
        ("participants.csv", 3, "language"),
        ("contact_points.csv", 2, "participant_id"),
        ("case_parties.csv", 2, "participant_id"),
        ("payments.csv", 2, "participant_id"),
        ("appointments.csv", 2, "participant_id"),
    }
    assert [file.file for file in report.files if not file.refused] == ["cases.csv", "accounts.csv"]
    assert await rows(database, "SELECT id FROM participant") == []


async def test_what_cannot_be_read_makes_nothing_else_unknown(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """A row of too few cells may hold any id: those who refer to it wait, and are not blamed."""
    ana, luis = GOOD["participants.csv"]
    email, *others = GOOD["contact_points.csv"]
    folder = write(
        tmp_path / "files",
        participants=(ana, luis.rpartition(",")[0]),
        contact_points=(email.replace(ANA, "1"), *others),
    )

    report = await load(database, folder, dry_run=True)

    assert [at(fault) for fault in report.faults][:3] == [
        ("participants.csv", 3, "#6"),
        ("contact_points.csv", 2, "participant_id"),
        ("contact_points.csv", 3, "participant_id"),
    ]
    assert report.faults[2].reason.startswith("3 row(s) from this line on need participants.csv")
    assert not [fault for fault in report.faults if "neither" in fault.reason]


async def test_a_file_does_not_wait_for_rows_the_database_holds(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """Known participants' payments are loaded although today's participants.csv is refused."""
    ana, luis = GOOD["participants.csv"]
    await load(database, write(tmp_path / "files"))

    folder = write(tmp_path / "files", participants=(ana, luis.replace(",en,", ",fr,")))
    report = await load(database, folder)

    assert [file.file for file in report.files if file.refused] == ["participants.csv"]


BAD_ROWS = [
    # file, the row that stands on line 2, the column at fault, a part of the reason
    ("participants", f"{ANA[:-1]},Ana,Paz,es,no,no", "participant_id", "10 digits"),
    ("participants", "００００００００01,Ana,Paz,es,no,no", "participant_id", "10 digits"),
    ("participants", f"{ANA},,Paz,es,no,no", "first_name", "empty"),
    ("participants", f"{ANA},   ,Paz,es,no,no", "first_name", "empty"),
    ("participants", f"{ANA},---,Paz,es,no,no", "first_name", "letter"),
    ("participants", f"{ANA},12,Paz,es,no,no", "first_name", "letter"),
    ("participants", f"{ANA},=Ana(),Paz,es,no,no", "first_name", "= + - @"),
    ("participants", f"{ANA},@Ana,Paz,es,no,no", "first_name", "= + - @"),
    ("participants", f"{ANA},{'A' * 121},Paz,es,no,no", "first_name", "120"),
    ("participants", f"{ANA},Ana\x00,Paz,es,no,no", "first_name", "does not print"),
    ("participants", f"{ANA},Ana,Paz\u202e,es,no,no", "last_name", "does not print"),
    ("participants", f"{ANA},Ana,Paz\u2066,es,no,no", "last_name", "does not print"),
    ("participants", f"{ANA},Ana,N\ufffd\ufffdez,es,no,no", "last_name", "lost"),
    ("participants", f"{ANA},Ana,P\u200baz,es,no,no", "last_name", "does not print"),
    ("participants", f"{ANA},Ana\tMaría,Paz,es,no,no", "first_name", "does not print"),
    ("participants", f'{ANA},"Ana\r\nMaría",Paz,es,no,no', "first_name", "does not print"),
    ("participants", f"{ANA},Ana,Paz,ES,no,no", "language", "one of: en, es"),
    ("participants", f"{ANA},Ana,Paz,fr,no,no", "language", "one of: en, es"),
    ("participants", f"{ANA},Ana,Paz,es,N,no", "confidential", "yes or no"),
    ("participants", f"{ANA},Ana,Paz,es,,no", "confidential", "empty"),
    ("participants", f"{ANA},Ana,Paz,es,no,1", "paperless", "yes or no"),
    ("participants", f"{ANA},Ana,Paz,es,no", "#6", "5 cells"),
    ("participants", f"{ANA},Ana,Paz,es,no,no,x", "#7", "7 cells"),
    ("contact_points", f"{ANA},fax,,,,,,,,,,no,yes,", "kind", "one of"),
    ("contact_points", f"{ANA},email,ana@example,,,,,,,,,no,yes,", "email", "email address"),
    ("contact_points", f"{ANA},email,ana@@example.com,,,,,,,,,no,yes,", "email", "email address"),
    ("contact_points", f"{ANA},email,ana paz@example.com,,,,,,,,,no,yes,", "email", "email"),
    ("contact_points", f"{ANA},email,a..b@example.com,,,,,,,,,no,yes,", "email", "email"),
    ("contact_points", f"{ANA},email,.a@example.com,,,,,,,,,no,yes,", "email", "email"),
    ("contact_points", f"{ANA},email,añ@example.com,,,,,,,,,no,yes,", "email", "ASCII"),
    ("contact_points", f"{ANA},email,a@añil.example,,,,,,,,,no,yes,", "email", "ASCII"),
    ("contact_points", f"{ANA},email,Ana <a@example.com>,,,,,,,,,no,yes,", "email", "email"),
    ("contact_points", f"{ANA},email,{'a' * 65}@example.com,,,,,,,,,no,yes,", "email", "email"),
    ("contact_points", f"{ANA},email,a@{'b' * 64}.com,,,,,,,,,no,yes,", "email", "email"),
    ("contact_points", f"{ANA},email,,,,,,,,,,no,yes,", "email", "kind is email"),
    ("contact_points", f"{ANA},email,a@example.com,,1 A St,,,,,,,no,yes,", "addr1", "be empty"),
    ("contact_points", f"{ANA},email,a@example.com,,,,,,,,,yes,yes,", "substitute", "must be no"),
    ("contact_points", f"{ANA},phone,,555-0142,,,,,,,,no,yes,", "phone", "telephone"),
    ("contact_points", f"{ANA},phone,,(116) 555-0142,,,,,,,,no,yes,", "phone", "telephone"),
    ("contact_points", f"{ANA},phone,,+1 916 555,,,,,,,,no,yes,", "phone", "telephone"),
    ("contact_points", f"{ANA},mail,,,1 A St,,,,CA,95814,,no,yes,", "city", "kind is mail"),
    ("contact_points", f"{ANA},mail,,,1 A St,,,Davis,Ca,95616,,no,yes,", "state", "USPS"),
    ("contact_points", f"{ANA},mail,,,1 A St,,,Davis,XX,95616,,no,yes,", "state", "USPS"),
    ("contact_points", f"{ANA},mail,,,1 A St,,,Davis,CA,9561,,no,yes,", "zip5", "5 digits"),
    ("contact_points", f"{ANA},mail,,,1 A St,,,Davis,CA,95616,12,no,yes,", "zip4", "4 digits"),
    ("contact_points", f"{ANA},mail,,,1 A St,,X,Davis,CA,95616,,no,yes,", "urbanization", "PR"),
    ("contact_points", f"{ANA},mail,,,1 A St,,,Davis,CA,95616,,no,yes,now", "verified_at", "UTC"),
    ("contact_points", "0000000009,email,a@example.com,,,,,,,,,no,,", "participant_id", "neither"),
    ("cases", f"{CASE},Gotham,open,2020-02-29", "county", "58 counties"),
    ("cases", f"{CASE},Contra Costa,ajar,2020-02-29", "status", "one of"),
    ("cases", f"{CASE},Contra Costa,open,2021-02-29", "opened_on", "YYYY-MM-DD"),
    ("cases", f"{CASE},Contra Costa,open,20200229", "opened_on", "YYYY-MM-DD"),
    ("cases", f"{CASE},Contra Costa,open,02/29/2020", "opened_on", "YYYY-MM-DD"),
    ("cases", f"{CASE},Contra Costa,open,0202-02-20", "opened_on", "from 1950"),
    ("cases", f"{CASE[:-1]},Contra Costa,open,2020-02-29", "case_number", "15 digits"),
    ("case_parties", f"{CASE},{ANA},child", "role", "payer, payee"),
    ("case_parties", f"{CASE},0000000009,payee", "participant_id", "neither"),
    ("case_parties", f"{CASE[:-1]}9,{ANA},payee", "case_number", "neither"),
    ("payments", f"P-1,{CASE},{ANA},lost,1,card,2026-10-01", "direction", "made, sent"),
    ("payments", f"P-1,{CASE},{ANA},sent,0,card,2026-10-01", "amount", "above zero"),
    ("payments", f"P-1,{CASE},{ANA},sent,0.00,card,2026-10-01", "amount", "above zero"),
    ("payments", f"P-1,{CASE},{ANA},sent,-5,card,2026-10-01", "amount", "no sign"),
    ("payments", f"P-1,{CASE},{ANA},sent,1.5,card,2026-10-01", "amount", "two decimals"),
    ("payments", f'P-1,{CASE},{ANA},sent,"1,500.00",card,2026-10-01', "amount", "thousands"),
    ("payments", f"P-1,{CASE},{ANA},sent,1e3,card,2026-10-01", "amount", "dollars"),
    ("payments", f"P-1,{CASE},{ANA},sent,٣,card,2026-10-01", "amount", "dollars"),
    ("payments", f"P-1,{CASE},{ANA},sent,1,barter,2026-10-01", "method", "one of"),
    ("payments", f"P 1,{CASE},{ANA},sent,1,card,2026-10-01", "payment_id", "1 to 40"),
    ("payments", f"P-1,{CASE},0000000009,sent,1,card,2026-10-01", "participant_id", "neither"),
    ("appointments", f"A,{CASE},{ANA},tea,2026-12-09T09:30-08:00,X,scheduled", "kind", "one of"),
    ("appointments", f"A,{CASE},{ANA},court,2026-12-09T09:30,X,scheduled", "starts_at", "offset"),
    ("appointments", f"A,{CASE},{ANA},court,2026-12-09T25:30Z,X,scheduled", "starts_at", "offset"),
    ("appointments", f"A,{CASE},{ANA},court,2026-12-09T09:30Z,,scheduled", "place", "empty"),
    ("appointments", f"A,{CASE},{ANA},court,2026-12-09T09:30Z,X,maybe", "status", "one of"),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD_ROWS)
async def test_a_bad_cell_is_named_by_file_line_and_column(
    database: AsyncEngine, tmp_path: Path, bad: tuple[str, str, str, str]
) -> None:
    """Each kind of bad cell is found where it stands, alone, and the file is refused."""
    file, row, column, reason = bad
    report = await load(database, write(tmp_path / "files", **{file: (row,)}), dry_run=True)

    here = [fault for fault in report.faults if fault.file == f"{file}.csv"]
    assert [at(fault) for fault in here] == [(f"{file}.csv", 2, column)]
    assert reason in here[0].reason
    assert [each.refused for each in report.files if each.file == f"{file}.csv"] == [True]


async def test_reasons_do_not_repeat_what_a_cell_held(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """A report can be shown to anyone: no marked value of a row, or of a header, is in it."""
    folder = write(
        tmp_path / "files",
        participants=("7777777777,=SECRET,\u202eSECRET,SECRET,SECRET,SECRET",),
        contact_points=("7777777777,email,SECRET@,,,,,,,,,SECRET,SECRET,SECRET",),
        case_parties=("7777777777,7777777777,SECRET",),
    )
    (folder / "cases.csv").write_text("SECRET,7777777777\n")

    report = await load(database, folder, dry_run=True)

    told = "".join(fault.reason + fault.column for fault in report.faults)
    assert report.faults
    assert "SECRET" not in told
    assert "7777777777" not in told


async def test_a_row_twice_in_a_file_is_reported_at_the_later_line(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """Rows known by the same cells are found however far apart they stand."""
    ana, luis = GOOD["participants.csv"]
    made, sent = GOOD["payments.csv"]
    points = GOOD["contact_points.csv"]
    folder = write(
        tmp_path / "files",
        participants=(ana, luis, ana),
        payments=(made, sent, made, made),
        contact_points=(*points, points[0].replace("ana@", "ana2@")),
    )

    report = await load(database, folder, dry_run=True)

    found = [(*at(fault), fault.reason) for fault in report.faults if "the same" in fault.reason]
    assert found == [
        ("participants.csv", 4, "participant_id", "the same participant_id as line 2"),
        ("contact_points.csv", 6, "participant_id",
         "the same participant_id and kind and substitute as line 2"),
        ("payments.csv", 4, "payment_id", "the same payment_id as line 2"),
        ("payments.csv", 5, "payment_id", "the same payment_id as line 2"),
    ]  # fmt: skip


async def test_a_payment_or_appointment_belongs_to_a_party_of_its_case(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """Nobody is told of a case they are not a party of, whatever a file says."""
    payer, _ = GOOD["case_parties.csv"]

    report = await load(database, write(tmp_path / "files", case_parties=(payer,)))

    assert [at(fault) for fault in report.faults] == [
        ("payments.csv", 3, "participant_id"),
        ("appointments.csv", 2, "participant_id"),
    ]
    assert all("not a party" in fault.reason for fault in report.faults)


async def test_every_fault_of_a_row_and_of_a_file_is_reported(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """Faults come by file, line and column; lines are physical ones, blank and quoted included."""
    folder = write(tmp_path / "files")
    header = "participant_id,first_name,last_name,language,confidential,paperless"
    (folder / "participants.csv").write_text(
        f"{header}\n"  # 1
        f"{ANA},Ana,Paz,es,no,no\n"  # 2
        "\n"  # 3
        f'{LUIS},"Luis\n'  # 4
        '\nMiguel",Paz,xx,no,maybe\n'  # 5, 6
        "3,Eva,Sol,xx,no,no\n"  # 7
    )

    report = await load(database, folder, dry_run=True)

    assert [at(fault)[1:] for fault in report.faults if fault.file == "participants.csv"] == [
        (4, "first_name"),
        (4, "language"),
        (4, "paperless"),
        (7, "participant_id"),
        (7, "language"),
    ]


HEADERS = [
    # the header of cases.csv, then (line, column) of each fault
    ("", [(1, "")]),
    ("case_number,county,status", [(1, "opened_on")]),
    ("case_number,county,status,opened_on,note", [(1, "#5")]),
    ("case_number,county,county,status,opened_on", [(1, "county")]),
    ("Case_Number,county,status,opened_on", [(1, "#1"), (1, "case_number")]),
    ("case_number;county;status;opened_on",
     [(1, "#1"), (1, "case_number"), (1, "county"), (1, "status"), (1, "opened_on")]),
]  # fmt: skip


@pytest.mark.parametrize(("header", "where"), HEADERS)
async def test_a_wrong_header_is_told_column_by_column(
    database: AsyncEngine, tmp_path: Path, header: str, where: list[tuple[int, str]]
) -> None:
    """A header that lacks, repeats or adds a column refuses the file, and names the place."""
    folder = write(tmp_path / "files")
    (folder / "cases.csv").write_text(f"{header}\n{GOOD['cases.csv'][0]}\n" if header else "")

    report = await load(database, folder, dry_run=True)

    here = [fault for fault in report.faults if fault.file == "cases.csv"]
    assert sorted(at(fault)[1:] for fault in here) == sorted(where)


BROKEN = [
    # the bytes of cases.csv after its header, and the line the fault is on
    (f'{CASE},"Contra Costa,open,2020-02-29\n'.encode(), 2),
    (f'{CASE},Kern,open,2020-02-29\n{CASE},"Kern"x,open,2020-02-29\n'.encode(), 3),
    (f"{CASE},Kern,open,2020-02-29\r{CASE},Kern,open,2020-02-29\r".encode(), 2),
    (b"x" * 200_000, 2),
    (b'"x\n",' * 500, 2),
]


@pytest.mark.parametrize(
    ("content", "line"), BROKEN, ids=["open", "stray", "return", "line", "row"]
)
async def test_what_is_no_csv_is_refused_from_the_line_on(
    database: AsyncEngine, tmp_path: Path, content: bytes, line: int
) -> None:
    """A file that cannot be told into rows is one fault, and takes no unknown rows with it."""
    folder = write(tmp_path / "files")
    (folder / "cases.csv").write_bytes(b"case_number,county,status,opened_on\n" + content)

    report = await load(database, folder, dry_run=True)

    assert [at(fault) for fault in report.faults if fault.file == "cases.csv"] == [
        ("cases.csv", line, "")
    ]
    assert not [fault for fault in report.faults if "neither" in fault.reason]


async def test_bytes_that_are_not_utf_8_are_found_by_cell(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """A name saved as Latin-1 is named by its line and column, not guessed at."""
    folder = write(tmp_path / "files")
    path = folder / "participants.csv"
    path.write_bytes(path.read_bytes().replace("Núñez".encode(), "Núñez".encode("latin-1")))

    report = await load(database, folder, dry_run=True)

    assert at(report.faults[0]) == ("participants.csv", 2, "last_name")
    assert "UTF-8" in report.faults[0].reason


async def test_a_byte_order_mark_line_feeds_and_any_column_order_are_read(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """What spreadsheets and Unix tools write is the same file."""
    folder = write(tmp_path / "files")
    (folder / "cases.csv").write_bytes(
        b"\xef\xbb\xbfopened_on,status,county,case_number\n"
        + f'2020-02-29, open ,"Contra Costa",{CASE}'.encode()
    )

    report = await load(database, folder)

    assert report.whole
    assert await rows(database, "SELECT county, status FROM support_case") == [
        ("Contra Costa", "open")
    ]


async def test_decomposed_accents_are_the_same_name(database: AsyncEngine, tmp_path: Path) -> None:
    """n + combining tilde is ñ: neither a new name nor a change."""
    await load(database, write(tmp_path / "files"))
    ana, luis = GOOD["participants.csv"]
    decomposed = ana.replace("ñ", "n\u0303").replace("ú", "u\u0301")

    report = await load(database, write(tmp_path / "files", participants=(decomposed, luis)))

    assert report.files[0].unchanged == 2


async def test_a_misspelt_file_is_not_passed_over(database: AsyncEngine, tmp_path: Path) -> None:
    """A CSV file nobody would read is reported; the others are loaded."""
    folder = write(tmp_path / "files")
    (folder / "payment.csv").write_text("")

    report = await load(database, folder)

    assert [at(fault) for fault in report.faults] == [("payment.csv", 0, "")]
    assert not any(file.refused for file in report.files)


@pytest.mark.parametrize("made", [True, False])
async def test_a_folder_without_caseload_files_is_an_input_error(
    database: AsyncEngine, tmp_path: Path, made: bool
) -> None:
    """The wrong folder is said to be wrong, rather than loaded as nothing."""
    folder = tmp_path / "files"
    if made:
        folder.mkdir()
    with pytest.raises(InputError):
        await load(database, folder)


async def test_a_failure_on_the_way_leaves_nothing(database: AsyncEngine, tmp_path: Path) -> None:
    """A folder is one transaction: what interrupts the last file undoes the first."""

    def interrupt(doing: str, _done: float) -> None:
        if doing == "loading appointments.csv":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await import_caseload(database, write(tmp_path / "files"), RULES, progress=interrupt)

    assert await versions(database) == []


async def test_progress_only_grows_and_ends_at_one(
    database: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches sees a bar that never runs backwards, in the middle of long files too."""
    monkeypatch.setattr(importing, "_ROWS_BETWEEN_WORDS", 100)
    write_sample(tmp_path, participants=200, seed=3)
    seen: list[float] = []

    await import_caseload(
        database, tmp_path, RULES, progress=lambda _doing, done: seen.append(done)
    )

    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 20


async def test_a_file_of_before_may_lack_a_later_column(
    database: AsyncEngine, tmp_path: Path
) -> None:
    """`large_print` came later: a file without it leaves everybody's answer as it is, and one
    with it says so by row."""
    folder = write(tmp_path / "files")
    await load(database, folder)
    lines = (folder / "participants.csv").read_text().splitlines()
    asked = [f"{lines[0]},large_print", *(f"{line},yes" for line in lines[1:])]
    (folder / "participants.csv").write_text("\n".join(asked) + "\n")
    await load(database, folder)
    await load(database, write(tmp_path / "again"))
    assert await rows(database, "SELECT DISTINCT large_print FROM participant") == [(True,)]
