"""An email as the bytes that travel (RFC 5322, MIME); the same envelope gives the same bytes.

What every reader of the same words gets alike is made into bytes once: a form, whose blanks are
the reader's address, the date, the Message-ID and the link that stops optional mail.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from typing import Final, Self

from engine.clock import PACIFIC, require_aware
from engine.communications.rendering import EmailWords
from engine.email.extras import NOTHING, CalendarPart, EmailExtras
from engine.email.parts import TextPart, Transfer, boundary_of
from engine.errors import ConnectError

# RFC 5321, 4.1.2: a dot-string and a domain of letters, digits and hyphens. Quoted local parts,
# and addresses beyond ASCII, which need SMTPUTF8 all the way (RFC 6531), are left out.
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_ADDRESS_LENGTH: Final = 254
_MESSAGE_ID: Final = re.compile(rf"<{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*>")
_LINE_LENGTH: Final = 76
"""RFC 5322, 2.1.1 asks for 78 at most, without the CRLF."""

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
        _check_sender(self.sender)
        _check_address("recipient", self.recipient)
        if not _MESSAGE_ID.fullmatch(self.message_id):
            raise MessageError("message_id: it must be <local@domain>")
        require_aware(self.date)


@dataclass(frozen=True, slots=True)
class Form:
    """An email but for what differs from reader to reader: bytes, and the blanks between them.

    Where the words were rendered with a `blank` link, each reader's own takes its place.
    """

    opening: bytes
    subject: bytes
    closing: bytes
    boundary: str
    kind: bytes
    """Headers up to the value of Content-Type, which a file beside the words changes."""
    alternative: bytes
    mark: bytes
    text: TextPart
    html: TextPart
    may_begin_with_dots: bool
    """Whether a line may, and SMTP would have to double the dot (RFC 5321, 4.5.2)."""

    @classmethod
    def of(
        cls, words: EmailWords, sender: str, transfer: Transfer, blank: str | None = None
    ) -> Self:
        """The form of `words` from the bare address `sender`; multipart/alternative, text first.

        Raises MessageError when a header would break.
        """
        boundary = boundary_of(words.text, words.html)
        text = TextPart.of("plain", words.language, words.text, transfer, blank)
        html = TextPart.of("html", words.language, words.html, transfer, blank)
        return cls(
            opening=f"From: {_mailbox(words.sender_name, sender)}\r\nTo: ".encode("ascii"),
            subject=f"\r\nSubject: {_unstructured('Subject', words.subject)}\r\nDate: ".encode(),
            closing=(
                f"\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: {_SUPPRESSED}\r\n"
            ).encode("ascii"),
            boundary=boundary,
            kind=(
                f"Content-Language: {words.language}\r\nMIME-Version: 1.0\r\nContent-Type: "
            ).encode("ascii"),
            alternative=f"{_kind('alternative', boundary)}\r\n\r\n".encode("ascii"),
            mark=f"--{boundary}".encode("ascii"),
            text=text,
            html=html,
            may_begin_with_dots=text.may_begin_with_dots or html.may_begin_with_dots,
        )

    @property
    def is_8bit(self) -> bool:
        """Whether it travels as BODY=8BITMIME alone (RFC 6152)."""
        return self.text.is_8bit or self.html.is_8bit

    def filled(self, envelope: Envelope) -> bytes:
        """The message to one reader, in CRLF lines; the reader's name stands nowhere.

        A calendar is a file beside the words, in a multipart/mixed. Auto-Submitted (RFC 3834) and
        its Exchange sibling keep holiday notices from coming back.
        """
        link, calendar = envelope.extras.unsubscribe, envelope.extras.calendar
        words = (
            self.alternative,
            self.mark,
            self.text.filled(link),
            b"\r\n",
            self.mark,
            self.html.filled(link),
            b"\r\n",
            self.mark,
            b"--",
        )
        return b"".join(
            (
                self.opening,
                envelope.recipient.encode("ascii"),
                self.subject,
                _date(envelope.date),
                b"\r\nMessage-ID: ",
                envelope.message_id.encode("ascii"),
                self.closing,
                _unsubscribe(link),
                self.kind,
                *(words if calendar is None else self._beside(calendar, words)),
                b"\r\n",
            )
        )

    def _beside(self, calendar: CalendarPart, words: Sequence[bytes]) -> Sequence[bytes]:
        """The words first, then the file. As an attachment mail programs offer to keep it; as an
        alternative they would show it in the place of the words."""
        outer = f"{self.boundary}-and-a-file"
        return (
            f"{_kind('mixed', outer)}\r\n\r\n--{outer}\r\nContent-Type: ".encode("ascii"),
            *words,
            f"\r\n\r\n--{outer}".encode("ascii"),
            _file(calendar),
            f"\r\n--{outer}--".encode("ascii"),
        )


def build_message(
    words: EmailWords, envelope: Envelope, transfer: Transfer = Transfer.QUOTED_PRINTABLE
) -> bytes:
    """`words` to one recipient; raises MessageError when a header would break."""
    return Form.of(words, envelope.sender, transfer).filled(envelope)


def _kind(subtype: str, boundary: str) -> str:
    return f'multipart/{subtype};\r\n boundary="{boundary}"'


def _date(date: datetime) -> bytes:
    """The Date (RFC 5322, 3.6.1), which has whole seconds."""
    return _date_of_second(date.replace(microsecond=0))


@lru_cache(maxsize=16)
def _date_of_second(date: datetime) -> bytes:
    return format_datetime(date.astimezone(PACIFIC)).encode("ascii")


def _unsubscribe(link: str | None) -> bytes:
    """RFC 2369, 3.2 and RFC 8058, 3.1: the reader's mail program stops what is optional."""
    if link is None:
        return b""
    return b"List-Unsubscribe: <%b>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" % (
        link.encode("ascii")
    )


def _file(calendar: CalendarPart) -> bytes:
    """A calendar as an attachment (RFC 6047, 2.4; RFC 2183)."""
    head = (
        f"\r\nContent-Type: text/calendar; charset=utf-8; method={calendar.method};\r\n"
        f' name="{calendar.name}"\r\n'
        f'Content-Disposition: attachment; filename="{calendar.name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode("ascii") + base64.encodebytes(calendar.content).replace(b"\n", b"\r\n")


def _mailbox(name: str, address: str) -> str:
    return f"{_phrase(name)} <{address}>" if name else address


@lru_cache
def _phrase(name: str) -> str:
    encoded = _unstructured("From", name)
    if encoded != name or re.fullmatch(r"[A-Za-z0-9 ]+", name):
        return encoded
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


@lru_cache(maxsize=512)
def _unstructured(header: str, value: str) -> str:
    """`value` folded, and encoded (RFC 2047) when it is not ASCII."""
    if not value.isprintable():
        raise MessageError(f"{header}: it holds a line break or a control character")
    if value.isascii() and len(header) + len(value) + 2 <= _LINE_LENGTH and "=?" not in value:
        return value
    charset = "us-ascii" if value.isascii() else "utf-8"
    return Header(value, charset, header_name=header).encode(linesep="\r\n")


@lru_cache(maxsize=16)
def _check_sender(address: str) -> None:
    _check_address("sender", address)


def _check_address(field: str, address: str) -> None:
    if not address.isascii():
        raise MessageError(f"{field}: an address beyond ASCII would need SMTPUTF8")
    if len(address) > _ADDRESS_LENGTH or not _ADDRESS.fullmatch(address):
        raise MessageError(f"{field}: it is not one plain address")
