"""What follows for an address when email to it comes to nothing: it is not written to again, with
the evidence kept, and its owner is told on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.personal import NAME
from engine.clock import pacific_date
from engine.communications.catalogue import REVERTED_TO_PAPER, Channel, RevertedToPaperFacts
from engine.communications.claims import Reader
from engine.communications.outbox import Obligation, Transaction
from engine.communications.outcomes import Setback
from engine.communications.owed import Owed
from engine.communications.ports import PostalAddress, Recipients, Secrets
from engine.communications.rendering import Renderer
from engine.communications.routing import in_order
from engine.communications.states import Event
from engine.communications.strikes import SOFT_EVENTS, SoftBounces, strikes_against
from engine.database import driver_connection

Cause = Literal["hard_bounce", "soft_bounces", "refused", "complaint"]

_WHY: Final[dict[Cause, Literal["undeliverable", "unwanted"]]] = {
    "hard_bounce": "undeliverable",
    "soft_bounces": "undeliverable",
    "refused": "undeliverable",
    "complaint": "unwanted",
}
_SUPPRESS: Final = f"""
WITH suppressed AS (
    UPDATE contact_point SET bounced_at = $2 WHERE id = $1 AND bounced_at IS NULL
    RETURNING id, participant_id, superseded_at
), kept AS (
    INSERT INTO contact_suppression (contact_point_id, at, cause, delivery_id, reason)
    SELECT id, $2, $3, $4, $5 FROM suppressed RETURNING id
)
SELECT kept.id AS evidence, language, {NAME} AS name
FROM kept CROSS JOIN suppressed JOIN participant ON participant.id = participant_id
WHERE superseded_at IS NULL
"""  # noqa: S608  joined from constants of ours


@dataclass(frozen=True, slots=True)
class Suppression:
    """Judges setbacks of email; those of mail are dealt with where letters come back."""

    recipients: Recipients
    secrets: Secrets
    renderer: Renderer
    soft_bounces: SoftBounces

    async def of(
        self, connection: AsyncConnection, setbacks: Sequence[Setback], now: datetime
    ) -> Sequence[Owed]:
        """Suppress the addresses that the setbacks show to be dead, unwilling, or out of order for
        too long, and owe each owner a `reverted_to_paper`; what that made owed."""
        owed: list[Owed] = []
        for setback in setbacks:
            if setback.channel is not Channel.EMAIL or setback.contact_point is None:
                continue
            cause = await self._cause(connection, setback, setback.contact_point)
            if cause is not None:
                owed += await self._suppress(connection, setback, cause, now)
        return owed

    async def _cause(
        self, connection: AsyncConnection, setback: Setback, contact_point: int
    ) -> Cause | None:
        if setback.event is Event.BOUNCED:
            return "hard_bounce"
        if setback.event is Event.COMPLAINED:
            return "complaint"
        if setback.event is Event.REFUSED and setback.dead:
            return "refused"
        if setback.event in SOFT_EVENTS:
            strikes = await strikes_against(connection, contact_point, self.soft_bounces.within)
            return "soft_bounces" if strikes >= self.soft_bounces.most else None
        return None

    async def _suppress(
        self, connection: AsyncConnection, setback: Setback, cause: Cause, now: datetime
    ) -> Sequence[Owed]:
        driver = await driver_connection(connection)
        row = await driver.fetchrow(
            _SUPPRESS, setback.contact_point, now, cause, setback.delivery_id, setback.reason
        )
        if row is None:
            return ()
        reader = Reader(setback.participant_id)
        mail = (await self.recipients.mail(connection, [reader]))[reader]
        if not isinstance(mail, PostalAddress):
            # A letter that may not be sent is not owed: the portal tells at the next sign-in.
            return ()
        transaction = Transaction(connection, self.secrets, self.renderer)
        await transaction.record(
            Obligation(
                key=f"reverted_to_paper:{row['evidence']}",
                notice=REVERTED_TO_PAPER,
                participant_id=setback.participant_id,
                language=row["language"],
                facts=RevertedToPaperFacts(
                    name=row["name"], why=_WHY[cause], since=pacific_date(now)
                ),
                route=in_order(Channel.MAIL),
                requested_at=now,
            )
        )
        return transaction.owed
