"""A small caseload in which everybody has something that nobody else may see."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from engine.bootstrap import Application
from engine.database import driver_connection
from tests import people
from tests.portal.portal_server import MONDAY_NOON

PAYER: Final = people.Person(
    "1000000001", "Ramón", "Ibáñez Soto", "es", email="payer.private@example.com",
    street="11 PAYERSTREET AVE",
)  # fmt: skip
PAYEE: Final = people.Person(
    "1000000002", "Wilhelmina", "Featherstone", "en", email="payee.private@example.com",
    street="22 PAYEESTREET AVE",
)  # fmt: skip
STRANGER: Final = people.Person(
    "1000000003", "Anneliese", "Oyelaran", "en", email="stranger.private@example.com",
    street="33 STRANGERSTREET AVE",
)  # fmt: skip
CONFIDENTIAL: Final = people.Person(
    "1000000004", "Guadalupe", "Zamarripa", "es", confidential=True,
    email="confidential.private@example.com", street="44 SUBSTITUTESTREET AVE", substitute=True,
)  # fmt: skip
LOCKED: Final = people.Person(
    "1000000005", "Bartholomew", "Quisenberry", "en", email="locked.private@example.com",
    street="55 LOCKEDSTREET AVE",
)  # fmt: skip
EVERYBODY: Final = {
    "payer": PAYER,
    "payee": PAYEE,
    "stranger": STRANGER,
    "confidential": CONFIDENTIAL,
    "locked": LOCKED,
}
"""The payer has a case with the payee, another with the confidential one; the stranger and the
locked one have a case with each other."""


@dataclass
class World:
    """Who is there, and the ids of what is theirs: kind of thing → owner → id."""

    participants: dict[str, int] = field(default_factory=dict)
    cases: dict[str, int] = field(default_factory=dict)
    appointments: dict[str, int] = field(default_factory=dict)
    documents: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    case_numbers: dict[str, list[str]] = field(default_factory=dict)
    """Of every case that somebody is a party of."""

    def secrets_of(self, name: str) -> list[str]:
        """What only `name` may read, or write."""
        person = EVERYBODY[name]
        return [
            person.external_id,
            person.first_name,
            person.last_name,
            str(person.email),
            str(person.street),
            f"({self.participants[name]:03d}) 555-0142",
            f"PLACE-OF-{name}",
            f"WORDS-OF-{name}",
            f"REPORT-OF-{name}",
        ]


async def populate(application: Application) -> World:
    """Write it into the tables."""
    world = World()
    ids = await people.add(application.engine, *EVERYBODY.values())
    world.participants = dict(zip(EVERYBODY, ids, strict=True))
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        pairs = (("payer", "payee"), ("payer", "confidential"), ("stranger", "locked"))
        for number, (payer, payee) in enumerate(pairs, 1):
            case = await driver.fetchval(
                "INSERT INTO support_case (external_id, county, status, opened_on)"
                " VALUES ($1, 'Alameda', 'open', '2020-02-03') RETURNING id",
                f"{number:015d}",
            )
            for name in (payer, payee):
                world.cases.setdefault(name, case)
                world.case_numbers.setdefault(name, []).append(f"{number:015d}")
            await driver.execute(
                "INSERT INTO account (external_id, case_id, kind, monthly_cents, balance_cents,"
                " as_of) VALUES ($1, $2, 'child_support', 52500, 104200, '2026-11-20')",
                f"A{number}",
                case,
            )
            for name, role in ((payer, "payer"), (payee, "payee")):
                await _belongings(driver, world, name, role, case)
    return world


async def _belongings(driver: object, world: World, name: str, role: str, case: int) -> None:
    """What one party of a case has."""
    assert hasattr(driver, "execute")
    assert hasattr(driver, "fetchval")
    participant = world.participants[name]
    await driver.execute(
        "INSERT INTO case_party (case_id, participant_id, role) VALUES ($1, $2, $3)",
        case,
        participant,
        role,
    )
    if name in world.appointments:
        return
    await driver.execute(
        "INSERT INTO contact_point (participant_id, kind, phone) VALUES ($1, 'phone', $2)",
        participant,
        f"({participant:03d}) 555-0142",
    )
    for day in range(45):
        await driver.execute(
            "INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents,"
            " method, paid_on) VALUES ($1, $2, $3, $4, $5, 'check', $6)",
            f"P{participant}-{day}",
            case,
            participant,
            "made" if role == "payer" else "sent",
            10_000 + day,
            (MONDAY_NOON - timedelta(days=20 * day)).date(),
        )
    world.appointments[name] = await driver.fetchval(
        "INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place,"
        " status) VALUES ($1, $2, $3, 'office', $4, $5, 'scheduled') RETURNING id",
        f"M{participant}",
        case,
        participant,
        MONDAY_NOON + timedelta(days=16),
        f"PLACE-OF-{name}",
    )
    world.messages[name] = await driver.fetchval(
        "INSERT INTO caseworker_message (participant_id, case_id, author, body, written_at,"
        " reply_due) VALUES ($1, $2, 'participant', $3, $4, '2026-11-27') RETURNING id",
        participant,
        case,
        f"WORDS-OF-{name}",
        MONDAY_NOON,
    )
    await driver.execute(
        "INSERT INTO other_party_report (participant_id, case_id, facts, reported_at)"
        " VALUES ($1, $2, $3, $4)",
        participant,
        case,
        f'{{"address": "REPORT-OF-{name}"}}',
        MONDAY_NOON,
    )
