"""The process in which a batch is signed and encrypted as it comes, from pipe to pipe.

Sequoia holds the interpreter for as long as a message lasts, and would wait for ever for a thread
of the same one. Nothing is imported here but what it takes.
"""

from dataclasses import dataclass, field

import pysequoia

from engine.mail.children import orders


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """Our key and the vendor's certificate, as the bytes of OpenPGP keys."""

    signer: bytes = field(repr=False)
    recipient: bytes


def serve(descriptor: int) -> None:
    """Seal standard input to its end, and answer with what was wrong, or nothing."""
    with orders(descriptor) as connection:
        connection.send(_seal_standard_input(connection.recv()))


def _seal_standard_input(keys: SealingKeys) -> str:
    try:
        pysequoia.encrypt_file(
            "/dev/fd/0",
            "/dev/fd/1",
            recipients=[pysequoia.Cert.from_bytes(keys.recipient)],
            signer=pysequoia.Tsk.from_bytes(keys.signer).signer(),
            armor=False,
        )
    except Exception as error:  # noqa: BLE001  pysequoia raises bare RuntimeError and worse
        return str(error) or type(error).__name__
    return ""
