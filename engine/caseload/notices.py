"""What the caseload tells its participants without being asked: payments; and by which way."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from engine.caseload.personal import NAME
from engine.clock import Clock
from engine.communications.catalogue import PAYMENT_NOTICE, Channel, PaymentFacts
from engine.communications.outbox import Obligation, Outbox
from engine.communications.routing import Leg, Route, in_order
from engine.database import driver_connection

INBOX_AND_ALERT: Final = (Leg(Channel.INBOX), Leg(Channel.EMAIL))
_AT_ONCE: Final = 2_000

HAS_EMAIL: Final = """EXISTS (
    SELECT FROM contact_point WHERE contact_point.participant_id = participant.id
        AND kind = 'email' AND superseded_at IS NULL AND safe_to_use AND bounced_at IS NULL)"""
# A confidential participant's route never falls back from email to post by itself.
READER: Final = f"""
       participant.language, participant.confidential, participant.paperless,
       {NAME} AS name,
       {HAS_EMAIL} AS has_email
"""
_PAYMENTS = f"""
SELECT payment.id, participant.id AS participant_id, direction, amount_cents, paid_on,
       support_case.external_id AS case_number, {READER}
FROM payment
JOIN participant ON participant.id = payment.participant_id
JOIN support_case ON support_case.id = payment.case_id
WHERE paid_on >= $1 AND payment.id > $2 ORDER BY payment.id LIMIT $3
"""  # noqa: S608  joined from constants of this module


@dataclass(frozen=True, slots=True)
class CaseloadNotices:
    """Records the notices that the caseload's facts give rise to; recording twice tells once."""

    outbox: Outbox
    clock: Clock

    async def payments_since(self, day: date) -> int:
        """A `payment_notice` for every payment on or after `day`; how many were new."""
        recorded, last = 0, 0
        while True:
            async with self.outbox.transaction() as transaction:
                driver = await driver_connection(transaction.connection)
                rows = await driver.fetch(_PAYMENTS, day, last, _AT_ONCE)
                now = self.clock()
                recorded += len(
                    await transaction.record_all([_payment_notice(row, now) for row in rows])
                )
            if len(rows) < _AT_ONCE:
                return recorded
            last = rows[-1]["id"]


def _payment_notice(row: Any, now: datetime) -> Obligation:
    return Obligation(
        key=f"payment_notice:{row['id']}",
        notice=PAYMENT_NOTICE,
        participant_id=row["participant_id"],
        language=row["language"],
        facts=PaymentFacts(
            name=row["name"],
            direction=row["direction"],
            amount_cents=row["amount_cents"],
            paid_on=row["paid_on"],
            case_number=row["case_number"],
        ),
        route=route_chosen_by(row),
        requested_at=now,
    )


def route_chosen_by(row: Any) -> Route:
    """How a reader, a row of `READER`, is told of what is of no hurry: by email who chose to be
    without paper, and by mail the others."""
    return route_of(
        enrolled=row["paperless"],
        by_email=row["paperless"] and row["has_email"],
        confidential=row["confidential"],
    )


def route_of(*, enrolled: bool, by_email: bool, confidential: bool) -> Route:
    """How a notice goes that may be read in the portal: an enrolled reader's into the inbox, and
    an email says that it waits there; others' by email or mail."""
    if not by_email:
        return in_order(Channel.MAIL)
    first = INBOX_AND_ALERT if enrolled else (Leg(Channel.EMAIL),)
    return (first,) if confidential else (first, (Leg(Channel.MAIL),))
