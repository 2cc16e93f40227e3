"""Frozen print batches of invented letters, written straight into the tables."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from engine.bootstrap import Application
from engine.clock import PACIFIC
from engine.communications.catalogue import (
    CATALOGUE,
    AppointmentFacts,
    Facts,
    PaymentFacts,
    TemporaryPinFacts,
)
from engine.database import driver_connection
from engine.mail.contract import BatchName
from engine.mail.printing import Frozen
from engine.security.sealing import SecretBox

CLOSED_AT: Final = datetime(2026, 11, 23, 17, 30, tzinfo=PACIFIC).astimezone(UTC)
DAY: Final = date(2026, 11, 23)

_FIRST: Final = ("María", "José", "Linda", "Nguyen", "Aaliyah", "Dmitri", "Sofía", "Wei", "Robert")
_LAST: Final = ("Peña", "Núñez-Ibáñez", "Johnson", "García", "Lee", "Okafor", "Villaseñor", "Smith")
_STREETS: Final = ("Example Street", "Sample Avenue", "Invented Way", "Placeholder Boulevard")
_CITIES: Final = (("Sacramento", "95814"), ("Fresno", "93721"), ("San José", "95113"))
_KEYS: Final = ("temporary_pin", "appointment_reminder", "payment_notice")


async def freeze(application: Application, letters: int, number: int) -> Frozen:
    """A batch of `letters`, a third of each notice and half of each language."""
    async with application.engine.begin() as connection:
        driver = await driver_connection(connection)
        first = 1 + (await driver.fetchval("SELECT max(id) FROM participant") or 0)
        ids = range(first, first + letters)
        name = BatchName("ccss", "test", "letters", DAY, number)
        frozen = Frozen(
            id=number,
            name=name,
            sequence=number,
            previous_name=None,
            closed_at=CLOSED_AT,
            mail_by=DAY + timedelta(days=2),
            purge_by=DAY + timedelta(days=40),
        )
        await _copy(driver, "participant", _PARTICIPANT, map(_participant, ids))
        await _copy(driver, "contact_point", _CONTACT_POINT, map(_contact_point, ids))
        await _copy(driver, "communication", _COMMUNICATION, map(_communication, ids))
        box = application.batches.printer.box
        await _copy(driver, "delivery", _DELIVERY, (_delivery(box, id_) for id_ in ids))
        await driver.execute(
            "INSERT INTO print_batch (id, job, state, sequence, name, closed_at, document_date)"
            " VALUES ($1, $2, 'closing', $3, $4, $5, $6)",
            number,
            f"bench{number}",
            number,
            str(name),
            CLOSED_AT,
            DAY,
        )
        await _copy(driver, "print_piece", ("batch_id", "delivery_id"), ((number, i) for i in ids))
        await driver.execute("ANALYZE")
    return frozen


_PARTICIPANT: Final = ("id", "external_id", "first_name", "last_name", "language")
_CONTACT_POINT: Final = (
    "id",
    "participant_id",
    "kind",
    "addr1",
    "addr2",
    "city",
    "state",
    "zip5",
    "zip4",
)
_COMMUNICATION: Final = (
    "id",
    "idempotency_key",
    "notice",
    "participant_id",
    "language",
    "urgency",
    "facts",
    "template_version",
    "route",
    "requested_at",
    "due_by",
)
_DELIVERY: Final = (
    *("id", "communication_id", "step", "channel", "due_by", "state", "secret", "secret_key_id"),
)


async def _copy(driver: Any, table: str, columns: tuple[str, ...], records: Any) -> None:
    await driver.copy_records_to_table(table, columns=columns, records=records)


def _participant(id_: int) -> tuple[object, ...]:
    return id_, f"{id_:010d}", _FIRST[id_ % len(_FIRST)], _LAST[id_ % len(_LAST)], _language(id_)


def _contact_point(id_: int) -> tuple[object, ...]:
    city, zip5 = _CITIES[id_ % len(_CITIES)]
    street = f"{100 + id_ % 9_000} {_STREETS[id_ % len(_STREETS)]}"
    unit = f"Apt {id_ % 90}" if id_ % 4 == 0 else None
    return id_, id_, "mail", street, unit, city, "CA", zip5, f"{id_ % 10_000:04d}"


def _communication(id_: int) -> tuple[object, ...]:
    notice = CATALOGUE[_KEYS[id_ % len(_KEYS)]]
    return (
        id_,
        f"bench:{id_}",
        notice.key,
        id_,
        _language(id_),
        notice.urgency.value,
        _facts(notice.key, id_).model_dump_json(),
        "bench",
        "[]",
        CLOSED_AT,
        DAY,
    )


def _delivery(box: SecretBox, id_: int) -> tuple[object, ...]:
    secret, key_id = None, None
    if CATALOGUE[_KEYS[id_ % len(_KEYS)]].carries_secret:
        sealed = box.seal(f"{id_ % 1_000_000:06d}", str(id_))
        secret, key_id = sealed.to_bytes(), sealed.key_id
    return id_, id_, 0, "mail", DAY, "batched", secret, key_id


def _language(id_: int) -> str:
    """Not in step with the notices, which change with every number too."""
    return "es" if id_ // len(_KEYS) % 2 else "en"


def _facts(key: str, id_: int) -> Facts:
    name = f"{_FIRST[id_ % len(_FIRST)]} {_LAST[id_ % len(_LAST)]}"
    if key == "temporary_pin":
        return TemporaryPinFacts(name=name)
    if key == "appointment_reminder":
        return AppointmentFacts(
            name=name,
            kind="court" if id_ % 2 else "office",
            starts_at=CLOSED_AT + timedelta(days=14 + id_ % 20, minutes=15 * (id_ % 7)),
            place=f"{1 + id_ % 900} Example Street, Suite {id_ % 50}, Sacramento, CA 95814",
        )
    return PaymentFacts(
        name=name,
        direction="sent" if id_ % 2 else "made",
        amount_cents=1_000 + id_ * 37 % 90_000,
        paid_on=DAY - timedelta(days=id_ % 9),
        case_number=f"{id_:015d}",
    )
