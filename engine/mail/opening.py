"""Opening what a vendor sent where it can do no harm.

The library unpacks what is compressed before anybody can look at it, and a small file may unpack to
more than the memory there is. What is visibly neither compressed nor encrypted is opened here;
anything else in a process that may have so much memory and no more.
"""

from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Final

from engine.mail.children import start_child
from engine.mail.opening_process import MOST_MEMORY, Opening
from engine.mail.openpgp import Certificate, SecretKey, UnopenedError, open_signed
from engine.mail.packets import is_signed_in_the_clear

_PROCESS: Final = "engine.mail.opening_process"


def open_inbound(
    message: bytes,
    *,
    key: SecretKey,
    signers: Sequence[Certificate],
    most_memory: int = MOST_MEMORY,
) -> bytes:
    """What one of `signers` signed, as `open_signed` opens it, in so many octets of memory where
    it cannot be seen how much there is of it. Raises UnopenedError."""
    if is_signed_in_the_clear(message):
        return open_signed(message, key=key, signers=signers)
    accepted = tuple(signer.armoured() for signer in signers)
    opening = Opening(message, key.armoured(), accepted, most_memory)
    with closing(start_child(_PROCESS)) as child:
        child.connection.send(opening)
        opened: bytes | str | None = None
        with suppress(EOFError, ConnectionError):
            opened = child.connection.recv()
    if opened is None:
        raise UnopenedError(f"cannot open: it takes more than {most_memory >> 20} MiB of memory")
    if isinstance(opened, str):
        raise UnopenedError(opened)
    return opened
