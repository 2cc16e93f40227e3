"""The process in which a message is opened that may be larger than it looks."""

import resource
from dataclasses import dataclass, field
from typing import Final

from engine.mail.children import orders
from engine.mail.openpgp import Certificate, SecretKey, UnopenedError, open_signed

MOST_MEMORY: Final = 1 << 30
"""Octets of address space: several times what a file of the contract's 64 MiB takes."""
_OUT_OF_MEMORY: Final = "out of memory"
"""In the library's own words."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A message, our key and the certificates whose signature counts in ASCII armour, and how many
    octets of memory it may take."""

    message: bytes = field(repr=False)
    key: str = field(repr=False)
    signers: tuple[str, ...]
    most_memory: int


def serve(descriptor: int) -> None:
    """Answer with the content, or with what was wrong; with None where memory ran out, if there is
    enough of it to say so."""
    with orders(descriptor) as connection:
        asked: Opening = connection.recv()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (asked.most_memory, asked.most_memory))
        connection.send(_opened(asked))


def _opened(asked: Opening) -> bytes | str | None:
    try:
        return open_signed(
            asked.message,
            key=SecretKey.read(asked.key, name="PRINT_SIGNING_KEY"),
            signers=[Certificate.read(each, name="VENDOR_CERTIFICATE") for each in asked.signers],
        )
    except UnopenedError as error:
        return None if _OUT_OF_MEMORY in str(error) else str(error)
