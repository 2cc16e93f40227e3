"""Which delivery a message that came back is about: only what we signed is believed.

The envelope recipient says it (VERP); where a mail system has delivered the message already, its
headers repeat the recipient; a delivery report repeats the ENVID (RFC 3464, 2.2.1), and a complaint
returns the Message-ID of what it complains of. Each carries a keyed tag: whoever did not get that
message cannot name it.
"""

from collections.abc import Iterable, Iterator, Sequence
from email.errors import MessageError
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses
from typing import Final

from engine.email.addressing import Addressing
from engine.email.bounces.verdict import Verdict

_DELIVERED_TO: Final = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_HEAD_BYTES: Final = 64 * 1024
_MOST: Final = 50


def delivery_of(
    addressing: Addressing, recipients: Sequence[str], message: bytes, verdict: Verdict
) -> int | None:
    """The delivery that `message`, which came in for `recipients`, is about; None where nothing in
    it carries a tag of ours."""
    for address in (*recipients, *_delivered_to(message)):
        delivery = addressing.delivery_of_return_path(address)
        if delivery is not None:
            return delivery
    if verdict.envelope_id is not None:
        delivery = addressing.delivery_of_envelope_id(verdict.envelope_id)
        if delivery is not None:
            return delivery
    if verdict.original_message_id is not None:
        return addressing.delivery_of_message_id(verdict.original_message_id)
    return None


def message_id_of(message: bytes) -> str | None:
    """The Message-ID that the message itself has, if it has one."""
    found = list(_headers(message, ("Message-ID",)))
    return found[0].strip() or None if found else None


def _delivered_to(message: bytes) -> Iterator[str]:
    yield from (address for _, address in getaddresses(list(_headers(message, _DELIVERED_TO))))


def _headers(message: bytes, names: Iterable[str]) -> Iterator[str]:
    head, _, _ = message[:_HEAD_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")
    try:
        parsed = BytesHeaderParser(policy=compat32).parsebytes(head)
    except (MessageError, ValueError):
        return
    for name in names:
        yield from (str(value) for value in (parsed.get_all(name) or [])[:_MOST])
