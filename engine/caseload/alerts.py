"""Telling participants that something of theirs was changed."""

from datetime import datetime
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.notices import READER
from engine.communications.catalogue import SECURITY_ALERT, Channel, SecurityAlertFacts
from engine.communications.outbox import Obligation, Transaction
from engine.communications.routing import Route, in_order
from engine.database import driver_connection

Changed = Literal["pin", "email", "address", "phone", "language"]

_READER: Final = f"SELECT {READER} FROM participant WHERE id = $1"  # noqa: S608  a constant


async def security_alert(
    transaction: Transaction, participant_id: int, what: Changed, key: str, now: datetime
) -> None:
    """Owe the participant a `security_alert`, in the transaction that changes `what`."""
    driver = await driver_connection(transaction.connection)
    reader = await driver.fetchrow(_READER, participant_id)
    await transaction.record(
        Obligation(
            key=f"security_alert:{key}",
            notice=SECURITY_ALERT,
            participant_id=participant_id,
            language=reader["language"],
            facts=SecurityAlertFacts(name=reader["name"], what=what, happened_at=now),
            route=_route(reader["has_email"], reader["confidential"]),
            requested_at=now,
        )
    )


async def alert_at(
    transaction: Transaction,
    participant_id: int,
    what: Changed,
    key: str,
    now: datetime,
    *,
    contact_point: int,
    channel: Channel,
) -> None:
    """Owe the same at one contact point, an old one too, and nowhere else."""
    driver = await driver_connection(transaction.connection)
    reader = await driver.fetchrow(_READER, participant_id)
    await transaction.record(
        Obligation(
            key=f"security_alert:{key}",
            notice=SECURITY_ALERT,
            participant_id=participant_id,
            language=reader["language"],
            facts=SecurityAlertFacts(name=reader["name"], what=what, happened_at=now),
            route=in_order(channel),
            requested_at=now,
            contact_point=contact_point,
        )
    )


async def ordinary_route(connection: AsyncConnection, participant_id: int) -> Route:
    """By email and then by mail, by what is on file now; a confidential participant's email is
    never followed by a letter."""
    driver = await driver_connection(connection)
    reader = await driver.fetchrow(_READER, participant_id)
    return _route(reader["has_email"], reader["confidential"])


def _route(has_email: bool, confidential: bool) -> Route:
    if not has_email:
        return in_order(Channel.MAIL)
    return in_order(Channel.EMAIL) if confidential else in_order(Channel.EMAIL, Channel.MAIL)
