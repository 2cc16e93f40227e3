"""An email as the bytes that travel (RFC 5322, MIME); the same envelope gives the same bytes.

Both parts are quoted-printable: every line keeps to 76 characters whatever a reader's language
needs, and a PIN on a line of its own stays as it is, readable in the raw message too.
"""

import hashlib
import re
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from engine.clock import PACIFIC, require_aware
from engine.communications.rendering import EmailWords
from engine.errors import ConnectError

# RFC 5321, 4.1.2: a dot-string and a domain of letters, digits and hyphens. Quoted local parts,
# and addresses beyond ASCII, which need SMTPUTF8 all the way (RFC 6531), are left out.
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_ADDRESS_LENGTH: Final = 254
_MESSAGE_ID: Final = re.compile(rf"<{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*>")

_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")

# MS-OXCMAIL, 2.2.3.2.14. "All" would hold back reports of non-delivery too, and a bounce is how a
# failed email is noticed and its letter sent.
_SUPPRESSED: Final = "DR, RN, NRN, OOF, AutoReply"


class MessageError(ConnectError):
    """A message cannot be written in ASCII headers of one line each: it is never sent."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who and when: bare addresses, the Message-ID with its angle brackets, an aware date."""

    sender: str
    recipient: str
    message_id: str
    date: datetime

    def __post_init__(self) -> None:
        """Refuse what could not stand in a header; the error names the field, not its value."""
        _check_address("sender", self.sender)
        _check_address("recipient", self.recipient)
        if not _MESSAGE_ID.fullmatch(self.message_id):
            raise MessageError("message_id: it must be <local@domain>")
        require_aware(self.date)


def build_message(words: EmailWords, envelope: Envelope) -> bytes:
    """`words` to one recipient as multipart/alternative, text first, in CRLF lines of ASCII.

    The recipient's name stands nowhere. Auto-Submitted (RFC 3834) and its Exchange sibling keep
    holiday notices from coming back. Raises MessageError when a header would break.
    """
    boundary = _boundary(envelope.message_id)
    headers = (
        ("From", _mailbox(words.sender_name, envelope.sender)),
        ("To", envelope.recipient),
        ("Subject", _unstructured("Subject", words.subject)),
        ("Date", format_datetime(envelope.date.astimezone(PACIFIC))),
        ("Message-ID", envelope.message_id),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", _SUPPRESSED),
        ("Content-Language", words.language),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'),
    )
    lines = [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join([*lines, "", ""]).encode("ascii")
    text, html = (
        _part("plain", words.language, words.text),
        _part("html", words.language, words.html),
    )
    mark = f"--{boundary}".encode("ascii")
    return b"".join((head, mark, text, b"\r\n", mark, html, b"\r\n", mark, b"--\r\n"))


def _part(subtype: str, language: str, content: str) -> bytes:
    head = (
        f"\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        f"Content-Language: {language}\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    # White space at the end of a line would be encoded past the 76th character.
    lines = [line.rstrip(" \t") for line in _LINE_BREAK.split(content)]
    return head.encode("ascii") + b2a_qp("\r\n".join([*lines, ""]).encode("utf-8"), istext=True)


def _boundary(message_id: str) -> str:
    """Derived from the message; `=_` never occurs in quoted-printable (RFC 2045, 6.7)."""
    return f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"


def _mailbox(name: str, address: str) -> str:
    return f"{_phrase(name)} <{address}>" if name else address


@lru_cache
def _phrase(name: str) -> str:
    encoded = _unstructured("From", name)
    if encoded != name or re.fullmatch(r"[A-Za-z0-9 ]+", name):
        return encoded
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


@lru_cache
def _unstructured(header: str, value: str) -> str:
    """`value` folded, and encoded (RFC 2047) when it is not ASCII."""
    if not value.isprintable():
        raise MessageError(f"{header}: it holds a line break or a control character")
    charset = "us-ascii" if value.isascii() else "utf-8"
    return Header(value, charset, header_name=header).encode(linesep="\r\n")


def _check_address(field: str, address: str) -> None:
    if not address.isascii():
        raise MessageError(f"{field}: an address beyond ASCII would need SMTPUTF8")
    if len(address) > _ADDRESS_LENGTH or not _ADDRESS.fullmatch(address):
        raise MessageError(f"{field}: it is not one plain address")
