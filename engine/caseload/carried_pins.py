"""Temporary PINs on their way: what carries one that a newer PIN replaces does not set out."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.temporary_pins import TemporaryPins
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.states import Event


@dataclass(frozen=True, slots=True)
class CarriedPins:
    """Stops them."""

    pins: TemporaryPins
    outcomes: Outcomes

    async def cancel(
        self,
        connection: AsyncConnection,
        participant_id: int,
        why: str,
        besides: int | None = None,
    ) -> None:
        """Cancel what still carries an older PIN, but for that of the credential `besides`:
        deliveries before credentials, as everywhere.

        A failover that was under way may have issued one more meanwhile, so it is asked again.
        """
        while carrying := await self.pins.carrying(connection, participant_id, besides):
            await self.outcomes.record(
                connection, [Outcome(id_, Event.CANCELLED, why) for id_ in carrying]
            )
            await self.pins.void(connection, carrying)
