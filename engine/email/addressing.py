"""The two addresses that every message derives from its delivery: Message-ID and return path."""

from dataclasses import dataclass

from engine.security.tokens import derive_tag


@dataclass(frozen=True, slots=True)
class Addressing:
    """Derives, under a key, addresses that are the same at every attempt of one delivery."""

    key: bytes
    return_path_domain: str

    def message_id(self, delivery_id: int) -> str:
        """The Message-ID (RFC 5322, 3.6.4): a retry after an unknown hand-off repeats it."""
        tag = derive_tag(self.key, "message-id", str(delivery_id))
        return f"<{delivery_id}.{tag}@{self.return_path_domain}>"

    def return_path(self, delivery_id: int) -> str:
        """The envelope sender (VERP): a bounce names its delivery, and cannot be forged."""
        tag = derive_tag(self.key, "return-path", str(delivery_id))
        return f"bounce+{delivery_id}.{tag}@{self.return_path_domain}"
