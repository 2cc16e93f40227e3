"""The demonstration's addresses that do not work, and the reports that come back of them.

By their domain: `refused.example` is refused while the message is handed over; to `gone.example` it
is taken, and a report says later that the address is dead; at `full.example` the mailbox is full.
"""

import asyncio
from dataclasses import dataclass, field
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import BytesHeaderParser
from email.policy import SMTP as CRLF
from email.utils import make_msgid
from enum import StrEnum
from typing import Final

import aiosmtplib
import structlog
from aiosmtplib import SMTP

log: Final = structlog.get_logger()

_RETRY_SECONDS: Final = 1.0
_HOST: Final = "mailbox.localhost"


class Fate(StrEnum):
    """What becomes of a message to an address."""

    KEPT = "kept"
    REFUSED = "refused"
    GONE = "gone"
    FULL = "full"


_BY_DOMAIN: Final = {
    "refused.example": Fate.REFUSED,
    "gone.example": Fate.GONE,
    "full.example": Fate.FULL,
}
BOUNCING_DOMAINS: Final = tuple(name for name, fate in _BY_DOMAIN.items() if fate != Fate.REFUSED)
"""Those of which a report comes back."""

_SAID: Final = {
    Fate.GONE: ("5.1.1", "550 5.1.1 User unknown"),
    Fate.FULL: ("5.2.2", "552 5.2.2 Mailbox full"),
}


def fate_of(address: str) -> Fate:
    """What becomes of a message to `address`."""
    return _BY_DOMAIN.get(address.rpartition("@")[2].lower(), Fate.KEPT)


def report_of(message: bytes, sender: str, recipient: str, fate: Fate) -> bytes:
    """The delivery status notification (RFC 3464) of a message from `sender` to `recipient`, with
    the headers of the message alone, as RET=HDRS asks (RFC 3461, 4.3)."""
    status, diagnostic = _SAID[fate]
    report = MIMEMultipart("report")
    report.set_param("report-type", "delivery-status")
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@{_HOST}>"
    report["To"] = sender
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Message-ID"] = make_msgid(domain=_HOST)
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText(f"Your message to {recipient} did not arrive:\n{diagnostic}\n"))
    recipients = Message()
    recipients["Final-Recipient"] = f"rfc822; {recipient}"
    recipients["Action"] = "failed"
    recipients["Status"] = status
    recipients["Diagnostic-Code"] = f"smtp; {diagnostic}"
    machine = Message()
    machine["Reporting-MTA"] = f"dns; {_HOST}"
    statuses = Message()
    statuses["Content-Type"] = "message/delivery-status"
    statuses.set_payload([machine, recipients])
    report.attach(statuses)
    report.attach(MIMEText(_headers_of(message), "rfc822-headers", "us-ascii"))
    return report.as_bytes(policy=CRLF)


def _headers_of(message: bytes) -> str:
    parsed = BytesHeaderParser().parsebytes(message)
    return "".join(f"{name}: {value}\n" for name, value in parsed.items())


@dataclass(slots=True)
class Postmaster:
    """Sends reports to whoever takes in what comes back, at a port of this machine."""

    host: str
    port: int
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def return_to_sender(self, message: bytes, sender: str, recipient: str, fate: Fate) -> None:
        """Send the report of a message, now or as soon as somebody listens."""
        report = report_of(message, sender, recipient, fate)
        task = asyncio.get_running_loop().create_task(self._send(report, sender))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _send(self, report: bytes, recipient: str) -> None:
        while True:
            try:
                async with SMTP(hostname=self.host, port=self.port, start_tls=False) as client:
                    # A report has no sender of its own: nothing comes back of it (RFC 3464, 2).
                    await client.mail("")
                    await client.rcpt(recipient)
                    await client.data(report)
            except (aiosmtplib.SMTPException, OSError) as error:
                code = getattr(error, "code", 0)
                if code >= 500:
                    log.warning("report_refused", code=code)
                    return
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def stop(self) -> None:
        """Send nothing more."""
        for task in list(self.under_way):
            task.cancel()
        await asyncio.gather(*self.under_way, return_exceptions=True)
