"""Who is told of alarms, and the webhook among them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import httpx

from engine.alarms.messages import Message
from engine.errors import ConnectError
from engine.security.webhook_signing import signed_headers

ANSWER_WITHIN_SECONDS: Final = 10.0
_TRY_AGAIN: Final = {408, 425, 429}


class DestinationAwayError(ConnectError):
    """Nothing can be told there now; it was held against no message."""


class NotTakenError(ConnectError):
    """This message was refused there; the next one may be taken."""


class Destination(Protocol):
    """One place where alarms are told; `name` is how the database knows it."""

    @property
    def name(self) -> str:
        """`webhook`, or an address."""
        ...

    async def tell(self, message: Message, at: datetime) -> None:
        """Hand `message` over. Raises DestinationAwayError or NotTakenError."""
        ...


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL that takes JSON by POST; signed where there is a key. It follows no redirect: what
    was meant for one place goes to no other."""

    url: str = field(repr=False)
    key: bytes | None = field(default=None, repr=False)
    name: str = "webhook"

    async def tell(self, message: Message, at: datetime) -> None:
        """Post it; an answer of 2xx is taken."""
        body = message.as_json(at)
        headers = {"Content-Type": "application/json"}
        if self.key is not None:
            headers |= signed_headers(self.key, message_id=message.message_id, at=at, body=body)
        try:
            async with httpx.AsyncClient(timeout=ANSWER_WITHIN_SECONDS) as client:
                answer = await client.post(self.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # What it says may hold the URL, and the URL a token.
            raise DestinationAwayError(type(error).__name__) from None
        if answer.status_code >= 500 or answer.status_code in _TRY_AGAIN:
            raise DestinationAwayError(f"status {answer.status_code}")
        if not answer.is_success:
            raise NotTakenError(f"status {answer.status_code}")
