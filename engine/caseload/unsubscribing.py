"""One click stops reminders by email (RFC 8058), whoever holds the link, and nothing else.

A link is made of the participant's number alone, sealed so that the same number makes the same
link: a retry of an email sends the same bytes, and no table has to remember what was sent.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.caseload.reminder_choices import choose_reminders
from engine.clock import Clock
from engine.database import driver_connection
from engine.security.audit import Audit, Entry

_PURPOSE: Final = b"unsubscribe from reminders"
_NUMBER_OCTETS: Final = 8
_TOKEN_LETTERS: Final = 32
"""Sixteen octets of AES-SIV's tag and eight of the number, in base64."""
_EXISTS: Final = "SELECT EXISTS (SELECT FROM participant WHERE id = $1)"


@dataclass(frozen=True, slots=True)
class UnsubscribeTokens:
    """Seals participants' numbers by AES-SIV (RFC 5297), the same one always alike."""

    key: bytes

    def token(self, participant_id: int) -> str:
        """The opaque token of a participant: letters of base64url (RFC 4648, 5)."""
        number = participant_id.to_bytes(_NUMBER_OCTETS)
        return base64.urlsafe_b64encode(self._cipher().encrypt(number, [_PURPOSE])).decode()

    def participant(self, token: str) -> int | None:
        """Whose token it is; None for what we never made."""
        if len(token) != _TOKEN_LETTERS:
            return None
        try:
            sealed = base64.b64decode(token, altchars=b"-_", validate=True)
            return int.from_bytes(self._cipher().decrypt(sealed, [_PURPOSE]))
        except (binascii.Error, InvalidTag, ValueError):
            return None

    def _cipher(self) -> AESSIV:
        return _cipher_under(self.key)


@lru_cache(maxsize=4)
def _cipher_under(key: bytes) -> AESSIV:
    return AESSIV(hmac.digest(key, _PURPOSE, "sha512"))


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """Does what a link asks for."""

    engine: AsyncEngine
    tokens: UnsubscribeTokens
    audit: Audit
    clock: Clock

    async def stop(self, token: str, network: str) -> bool:
        """Send the token's participant no more reminders by email; whether this changed anything.
        A token that is nobody's changes nothing."""
        participant_id = self.tokens.participant(token)
        if participant_id is None:
            return False
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            if not await driver.fetchval(_EXISTS, participant_id):
                return False
            stopped = await choose_reminders(
                connection, participant_id, "link", self.clock(), wanted=False
            )
            if stopped:
                actor = f"participant:{participant_id}"
                await self.audit.append(
                    connection, Entry(actor, "reminders.stopped", participant_id, network=network)
                )
        return stopped
