"""What the inbox asks of the caseload, at the moment it matters: who reads there now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.i18n import Language


@dataclass(frozen=True, slots=True)
class InboxReader:
    """Somebody who is enrolled in eCommunications, and the language of their notices."""

    name: str
    language: Language


class InboxReaders(Protocol):
    """Knows who is enrolled at this moment; a consent may be withdrawn at any time."""

    async def among(
        self, connection: AsyncConnection, participant_ids: Collection[int]
    ) -> Mapping[int, InboxReader]:
        """Those of the participants who are enrolled, by their ids."""
        ...
