"""Telling an operator of an alarm by email, over the smarthosts that all mail goes by."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.alarms.destinations import DestinationAwayError, NotTakenError
from engine.alarms.messages import Message
from engine.email.answers import (
    HandOffUnknownError,
    MessageDeferredError,
    MessageRefusedError,
    ServerUnavailableError,
)
from engine.email.dkim import DkimSigner
from engine.email.mail_object import MailObject
from engine.email.transport import SmtpPool

_WITHIN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class OperatorAddress:
    """One address that alarms are emailed to. It waits behind no bulk mail."""

    name: str
    pool: SmtpPool
    sender: str
    signer: DkimSigner | None = None

    async def tell(self, message: Message, at: datetime) -> None:
        """Hand the email over. Raises DestinationAwayError while no smarthost takes mail, or the
        hand-over is unknown (it goes again under the same Message-ID), and NotTakenError."""
        content = message.as_email(self.sender, self.name, at)
        if self.signer is not None:
            content = self.signer.sign(content, at)
        mail = MailObject(sender=self.sender, recipient=self.name, message=content)
        try:
            async with (
                asyncio.timeout(_WITHIN_SECONDS),
                self.pool.connection(urgent=True) as connection,
            ):
                await connection.send(mail)
        except MessageRefusedError as error:
            raise NotTakenError(str(error)) from None
        except MessageDeferredError as error:
            raise NotTakenError(str(error)) from None
        except (ServerUnavailableError, HandOffUnknownError) as error:
            raise DestinationAwayError(str(error)) from None
        except TimeoutError:
            raise DestinationAwayError("timeout") from None
