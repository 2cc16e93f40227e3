"""A message in its envelope, and how SMTP says it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_LEADING_DOT: Final = re.compile(rb"(?m)^\.")
_NEEDS_NO_XTEXT: Final = re.compile(r"[!-*,-<>-~]*")


@dataclass(frozen=True, slots=True, eq=False)
class MailObject:
    """A message in its envelope (RFC 5321, 2.3.1): bare addresses, the ENVID under which a report
    would name it (RFC 3461), and bytes in CRLF lines, which `is_8bit` when BODY must say so, and of
    which no line begins with a dot unless it `may_begin_with_dots`."""

    sender: str
    recipient: str
    message: bytes = field(repr=False)
    envelope_id: str | None = None
    is_8bit: bool = False
    may_begin_with_dots: bool = True

    def __post_init__(self) -> None:
        """Refuse addresses that would end their command's line, without showing them."""
        if not (self.sender.isprintable() and self.recipient.isprintable()):
            raise ValueError("an envelope's addresses are one line each")

    def mail_options(self, offers: Callable[[str], bool]) -> list[str]:
        """The parameters of MAIL FROM, as far as the server `offers` the extensions."""
        options = ["BODY=8BITMIME"] if self.is_8bit else []
        if self.envelope_id and offers("dsn"):
            options += ["RET=HDRS", f"ENVID={xtext(self.envelope_id)}"]
        return options

    def rcpt_options(self, offers: Callable[[str], bool]) -> list[str]:
        """The parameters of RCPT TO: tell us of failure and delay, under the address as we know it
        (RFC 3461, 4.1 and 4.2)."""
        if not (self.envelope_id and offers("dsn")):
            return []
        return ["NOTIFY=FAILURE,DELAY", f"ORCPT=rfc822;{xtext(self.recipient)}"]

    @property
    def content(self) -> tuple[bytes, bytes]:
        """What follows a 354, and its end (RFC 5321, 4.1.1.4 and 4.5.2)."""
        message = self.message
        if self.may_begin_with_dots and (b"\n." in message or message.startswith(b".")):
            message = _LEADING_DOT.sub(b"..", message)
        return message, b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n"


def xtext(value: str) -> str:
    """`value` as RFC 3461, 4 writes it in ESMTP parameters: `+` and two digits where it must be."""
    if _NEEDS_NO_XTEXT.fullmatch(value):
        return value
    return "".join(
        chr(byte) if 33 <= byte <= 126 and byte not in b"+=" else f"+{byte:02X}"
        for byte in value.encode()
    )
