"""What an SMTP server's answers mean for a message, and for the server itself."""

import re
from dataclasses import dataclass, field
from typing import Final, Self

from aiosmtplib import SMTPResponseException
from aiosmtplib.response import SMTPResponse

from engine.email.bounces.reports import why
from engine.email.bounces.verdict import Kind
from engine.errors import ConnectError

# RFC 2034, 4: the enhanced status code comes first in the text, and its class is the reply's.
_STATUS: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer: its code (RFC 5321, 4.2), the enhanced status code (RFC 3463) where there
    was one, and its words, which may name the reader and are shown by no repr."""

    code: int
    status: str | None = None
    words: str = field(default="", repr=False)

    @classmethod
    def of(cls, answered: SMTPResponse | SMTPResponseException) -> Self:
        """What aiosmtplib was answered."""
        return cls.read(answered.code, str(answered.message))

    @classmethod
    def read(cls, code: int, words: str) -> Self:
        """Read an answer; a status of another class than the code's is none."""
        found = _STATUS.match(words)
        own = found is not None and found[1] == str(code)[:1]
        return cls(code, found[0] if found and own else None, words)

    def __str__(self) -> str:
        """The codes alone, as `550 5.1.1`."""
        return f"{self.code} {self.status}" if self.status else str(self.code)

    @property
    def is_known(self) -> bool:
        """Whether it is an answer at all: RFC 5321, 4.2.1 has the classes 2 to 5."""
        return 200 <= self.code < 600

    @property
    def closes(self) -> bool:
        """After 421 the server closes the channel, whatever it was asked (RFC 5321, 3.8)."""
        return self.code == 421

    @property
    def says_address_is_dead(self) -> bool:
        """Whether a refusal says that nobody is there, rather than that we are not wanted: by the
        same reading as of a report that comes back later."""
        if not 500 <= self.code < 600:
            return False
        return why(f"{self} {self.words}", self.status, "").kind is Kind.HARD


class MessageDeferredError(ConnectError):
    """The server will not take this message now: it is tried again later."""


class MessageRefusedError(ConnectError):
    """The server will never take this message (5xx): the next channel takes over."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class ServerUnavailableError(ConnectError):
    """There is no server to talk to: nothing is held against the message."""


class NotBegunError(ConnectError):
    """The right to send was lost before DATA: whoever has it now sends, or nobody does."""


class HandOffUnknownError(ConnectError):
    """The connection was lost after DATA began: the server may have taken the message."""


def refusal(reply: Reply) -> ConnectError:
    """What a reply to RCPT or DATA that is no acceptance means for the message."""
    if reply.closes:
        return ServerUnavailableError(str(reply))
    if 500 <= reply.code < 600:
        return MessageRefusedError(reply)
    return MessageDeferredError(str(reply))
