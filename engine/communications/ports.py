"""What dispatch asks of the rooms above it, read again at the moment of sending."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.catalogue import Channel
from engine.communications.claims import Claimed, Lease, Reader
from engine.security.sealing import Sealed


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address that may be used now; the contact point it was read from, none for a sample."""

    address: str
    contact_point: int | None = None


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """A mail address that may be used now, in fields, as it was given; never rewritten or cut."""

    name: str
    addr1: str
    addr2: str
    urbanization: str
    city: str
    state: str
    zip5: str
    zip4: str
    confidential: bool
    contact_point: int | None = None
    """The contact point it was read from, for when a letter comes back; none for a sample."""
    large_print: bool = False
    """Whether the reader asked for large print."""
    county: str | None = None
    """Of the local agency that has the reader's case, where there is one."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nothing may be sent on this channel; `reason` is a word for it, never a personal fact."""

    reason: str


class Recipients(Protocol):
    """Where readers can be reached at this moment; every one asked for is answered."""

    async def email(
        self, connection: AsyncConnection, readers: Collection[Reader]
    ) -> Mapping[Reader, EmailAddress | Unreachable]:
        """The email address of each reader, or why none may be used."""
        ...

    async def mail(
        self, connection: AsyncConnection, readers: Collection[Reader]
    ) -> Mapping[Reader, PostalAddress | Unreachable]:
        """The mail address of each reader, or why none may be used."""
        ...

    async def returned(
        self, connection: AsyncConnection, contact_points: Collection[int], at: datetime
    ) -> None:
        """Letters to these came back at `at`: nothing more is posted there."""
        ...


class Desk(Protocol):
    """Who looks after a participant when a machine cannot go on."""

    async def of(
        self, connection: AsyncConnection, participants: Collection[int]
    ) -> Mapping[int, str]:
        """The desk that takes each participant's tasks; every id asked for is answered."""
        ...


class Secrets(Protocol):
    """Makes the secrets that deliveries carry, and is told when one has arrived."""

    async def issue(
        self, connection: AsyncConnection, participant_id: int, delivery_id: int
    ) -> Sealed:
        """A new secret for `delivery_id`, sealed; the participant's older unused one is void."""
        ...

    async def delivered(
        self,
        connection: AsyncConnection,
        channel: Channel,
        delivery_ids: Sequence[int],
        at: datetime,
    ) -> None:
        """The deliveries reached their readers at `at`: their secrets' lifetimes begin."""
        ...

    async def moot(
        self, connection: AsyncConnection, delivery_ids: Sequence[int]
    ) -> Collection[int]:
        """Those of the deliveries whose secret was used, or replaced by a newer one."""
        ...

    def works_until(self, channel: Channel, sent_at: datetime) -> date:
        """The last day on which a secret works that is sent on `channel` at `sent_at`."""
        ...

    async def ended(self, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
        """The deliveries failed or were cancelled: whatever they carried is void."""
        ...


class ChannelPort(Protocol):
    """One way out. It reports every delivery it was handed, one outcome each."""

    async def deliver(self, claimed: Sequence[Claimed], lease: Lease) -> None:
        """Carry out `claimed`, all of this channel, while `lease` holds."""
        ...
