"""What an email may carry beyond its words: a calendar file, and a way to stop reminders."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.claims import Claimed
from engine.errors import ConnectError

_FILE_NAME: Final = re.compile(r"[a-z0-9-]{1,40}\.ics")
_LINK: Final = re.compile(r"https?://[A-Za-z0-9\[][!-;=?-~]{0,899}")


class ExtraError(ConnectError):
    """What was to go with an email cannot stand in it."""


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """An iCalendar object as a file (RFC 5545): UTF-8 in CRLF lines, and its METHOD (RFC 5546)."""

    content: bytes
    method: Literal["PUBLISH", "CANCEL"] = "PUBLISH"
    name: str = "appointment.ics"

    def __post_init__(self) -> None:
        """Refuse a name that would need quoting in a header."""
        if not _FILE_NAME.fullmatch(self.name):
            raise ExtraError("calendar: its name must be small letters, digits, hyphens and .ics")


@dataclass(frozen=True, slots=True)
class EmailExtras:
    """What goes with one email.

    `unsubscribe` is where a POST stops optional mail (RFC 8058): an https link whose opaque token
    is all that it says. Only optional notices have one. Plain http is for a machine on its own.
    """

    unsubscribe: str | None = None
    calendar: CalendarPart | None = None

    def __post_init__(self) -> None:
        """Refuse what could not stand in List-Unsubscribe (RFC 2369, 2), without showing it."""
        link = self.unsubscribe
        if link is not None and not _LINK.fullmatch(link):
            raise ExtraError("unsubscribe: it must be one link of plain ASCII")


NOTHING: Final = EmailExtras()


class Extras(Protocol):
    """Says what goes with emails, read at the moment of sending.

    The same delivery has the same extras at every attempt: a retry sends the same bytes.
    """

    async def of(
        self, connection: AsyncConnection, claimed: Collection[Claimed]
    ) -> Mapping[int, EmailExtras]:
        """Delivery id → what goes with it; a delivery that is not in it has nothing."""
        ...
