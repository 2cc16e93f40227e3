"""What every message derives from its delivery: Message-ID, return path, envelope identifier.

The last two come back in reports of what became of it, and say which delivery a report is about.
"""

import re
from dataclasses import dataclass
from typing import Final

from engine.security.tokens import derive_tag, matches

_MESSAGE_ID: Final = "message-id"
_RETURN_PATH: Final = "return-path"
_ENVELOPE_ID: Final = "envelope-id"
_PREFIX: Final = "bounce+"
# A delivery's number, as Python writes it and PostgreSQL's bigint holds it, and sixteen letters
# of base32 in whichever case a server on the way has left them.
_KEYED: Final = re.compile(r"(?P<delivery>[1-9][0-9]{0,18})\.(?P<tag>[A-Za-z2-7]{16})")


@dataclass(frozen=True, slots=True)
class Addressing:
    """Derives, under a key, names that are the same at every attempt of one delivery."""

    key: bytes
    return_path_domain: str

    def message_id(self, delivery_id: int) -> str:
        """The Message-ID (RFC 5322, 3.6.4): a retry after an unknown hand-off repeats it."""
        return f"<{self._keyed(_MESSAGE_ID, delivery_id)}@{self.return_path_domain}>"

    def return_path(self, delivery_id: int) -> str:
        """The envelope sender (VERP): a bounce names its delivery, and cannot be forged."""
        return f"{_PREFIX}{self._keyed(_RETURN_PATH, delivery_id)}@{self.return_path_domain}"

    def envelope_id(self, delivery_id: int) -> str:
        """The ENVID (RFC 3461, 4.4): a report repeats it as Original-Envelope-Id.

        At most 36 characters, none of which xtext would encode.
        """
        return self._keyed(_ENVELOPE_ID, delivery_id)

    def delivery_of_return_path(self, address: str) -> int | None:
        """The delivery whose return path `address` is, bare; None for any that we did not make.

        Upper and lower case are the same: servers on the way fold local parts.
        """
        local, _, domain = address.rpartition("@")
        if domain.lower() != self.return_path_domain.lower():
            return None
        if not local.lower().startswith(_PREFIX):
            return None
        return self._delivery_of(_RETURN_PATH, local[len(_PREFIX) :])

    def delivery_of_envelope_id(self, envelope_id: str) -> int | None:
        """The delivery whose ENVID `envelope_id` is; None for any that we did not make."""
        return self._delivery_of(_ENVELOPE_ID, envelope_id)

    def delivery_of_message_id(self, message_id: str) -> int | None:
        """The delivery whose Message-ID it is, with or without angle brackets; None for any that
        we did not make."""
        keyed, _, domain = message_id.strip().removeprefix("<").removesuffix(">").rpartition("@")
        if domain.lower() != self.return_path_domain.lower():
            return None
        return self._delivery_of(_MESSAGE_ID, keyed)

    def _keyed(self, purpose: str, delivery_id: int) -> str:
        return f"{delivery_id}.{derive_tag(self.key, purpose, str(delivery_id))}"

    def _delivery_of(self, purpose: str, keyed: str) -> int | None:
        found = _KEYED.fullmatch(keyed)
        if found is None or not matches(self.key, purpose, found["delivery"], found["tag"]):
            return None
        return int(found["delivery"])
