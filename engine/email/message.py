"""An email as the bytes that travel (RFC 5322, MIME); the same envelope gives the same bytes.

Both parts are quoted-printable: every line keeps to 76 characters whatever a reader's language
needs, and a PIN on a line of its own stays as it is, readable in the raw message too.
"""

import base64
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
from engine.email.extras import NOTHING, CalendarPart, EmailExtras
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
    """Who and when: bare addresses, the Message-ID with its angle brackets, an aware date; and
    what goes with the words."""

    sender: str
    recipient: str
    message_id: str
    date: datetime
    extras: EmailExtras = NOTHING

    def __post_init__(self) -> None:
        """Refuse what could not stand in a header; the error names the field, not its value."""
        _check_address("sender", self.sender)
        _check_address("recipient", self.recipient)
        if not _MESSAGE_ID.fullmatch(self.message_id):
            raise MessageError("message_id: it must be <local@domain>")
        require_aware(self.date)


def build_message(words: EmailWords, envelope: Envelope) -> bytes:
    """`words` to one recipient as multipart/alternative, text first, in CRLF lines of ASCII.

    A calendar is a file beside them, in a multipart/mixed. The recipient's name stands nowhere.
    Auto-Submitted (RFC 3834) and its Exchange sibling keep holiday notices from coming back.
    Raises MessageError when a header would break.
    """
    kind, body = _alternative(words, envelope.message_id)
    if (calendar := envelope.extras.calendar) is not None:
        kind, body = _mixed(kind, body, calendar, envelope.message_id)
    headers = (
        ("From", _mailbox(words.sender_name, envelope.sender)),
        ("To", envelope.recipient),
        ("Subject", _unstructured("Subject", words.subject)),
        ("Date", format_datetime(envelope.date.astimezone(PACIFIC))),
        ("Message-ID", envelope.message_id),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", _SUPPRESSED),
        *_unsubscribe(envelope.extras.unsubscribe),
        ("Content-Language", words.language),
        ("MIME-Version", "1.0"),
        ("Content-Type", kind),
    )
    lines = [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _unsubscribe(link: str | None) -> tuple[tuple[str, str], ...]:
    """RFC 2369, 3.2 and RFC 8058, 3.1: the reader's mail program stops what is optional."""
    if link is None:
        return ()
    return (
        ("List-Unsubscribe", f"<{link}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def _alternative(words: EmailWords, message_id: str) -> tuple[str, bytes]:
    parts = (
        _part("plain", words.language, words.text),
        _part("html", words.language, words.html),
    )
    return _multipart("alternative", parts, _boundary(message_id))


def _mixed(kind: str, body: bytes, calendar: CalendarPart, message_id: str) -> tuple[str, bytes]:
    """The words first, then the file. As an attachment mail programs offer to keep it; as an
    alternative they would show it in the place of the words."""
    words = f"\r\nContent-Type: {kind}\r\n\r\n".encode("ascii") + body
    return _multipart("mixed", (words, _file(calendar)), _boundary(f"mixed {message_id}"))


def _multipart(subtype: str, parts: tuple[bytes, ...], boundary: str) -> tuple[str, bytes]:
    """The Content-Type of `parts`, and their body."""
    mark = f"--{boundary}".encode("ascii")
    body = b"\r\n".join([*(mark + part for part in parts), mark])
    return f'multipart/{subtype};\r\n boundary="{boundary}"', body + b"--\r\n"


def _file(calendar: CalendarPart) -> bytes:
    """A calendar as an attachment (RFC 6047, 2.4; RFC 2183)."""
    head = (
        f"\r\nContent-Type: text/calendar; charset=utf-8; method={calendar.method};\r\n"
        f' name="{calendar.name}"\r\n'
        f'Content-Disposition: attachment; filename="{calendar.name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode("ascii") + base64.encodebytes(calendar.content).replace(b"\n", b"\r\n")


def _part(subtype: str, language: str, content: str) -> bytes:
    head = (
        f"\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        f"Content-Language: {language}\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    # White space at the end of a line would be encoded past the 76th character.
    lines = [line.rstrip(" \t") for line in _LINE_BREAK.split(content)]
    return head.encode("ascii") + b2a_qp("\r\n".join([*lines, ""]).encode("utf-8"), istext=True)


def _boundary(seed: str) -> str:
    """Derived from the message; `=_` occurs neither in quoted-printable nor in base64 (RFC 2045,
    6.7 and 6.8)."""
    return f"=_{hashlib.sha256(seed.encode()).hexdigest()[:32]}"


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
