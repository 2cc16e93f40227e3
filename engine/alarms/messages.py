"""What is said about an alarm: ids, counts and words of ours, never a person."""

import json
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from typing import Any, Final, Literal, cast

from engine.alarms.kinds import KINDS, AlarmKind
from engine.clock import PACIFIC

Said = Literal["raised", "cleared"]

_SEE: Final = "connect alarms has its text"


@dataclass(frozen=True, slots=True)
class Message:
    """One message about one alarm. `number` is the message's own, the same at every attempt."""

    number: int
    alarm_id: int
    said: Said
    kind: str
    subject: str
    detail: str
    raised_at: datetime
    cleared_at: datetime | None

    @property
    def message_id(self) -> str:
        """By which whoever gets it twice knows it again."""
        return f"alarm-{self.alarm_id}-{self.said}-{self.number}"

    @property
    def _open(self) -> dict[str, Any]:
        """What may leave: the words of others stay where the database is."""
        kind = KINDS.get(cast("AlarmKind", self.kind))
        quotes = kind is None or kind.quotes
        return {
            "id": self.alarm_id,
            "kind": self.kind,
            "subject": _SEE if quotes else self.subject,
            "detail": _SEE if quotes else self.detail,
            "means": kind.means if kind else "an alarm of another version of this program",
            "act": kind.act if kind else _SEE,
            "raised_at": _iso(self.raised_at),
            "cleared_at": _iso(self.cleared_at),
        }

    def as_json(self, at: datetime) -> bytes:
        """The webhook's body: type, timestamp and data, as Standard Webhooks sets them out."""
        content = {"type": f"alarm.{self.said}", "timestamp": _iso(at), "data": self._open}
        return json.dumps(content, ensure_ascii=False).encode()

    def as_email(self, sender: str, recipient: str, at: datetime) -> bytes:
        """A plain email, in English as all commands are, in CRLF lines."""
        said = self._open
        email = EmailMessage(policy=policy.SMTP.clone(max_line_length=998))
        about = self.kind if said["subject"] == _SEE else f"{self.kind}: {self.subject}"
        email["Subject"] = f"[Customer Connect] alarm {self.alarm_id} {self.said}: {about}"
        email["From"] = sender
        email["To"] = recipient
        email["Date"] = at
        email["Message-ID"] = f"<{self.message_id}@{sender.rpartition('@')[2]}>"
        # RFC 3834, 2: an out-of-office answer to it would help nobody.
        email["Auto-Submitted"] = "auto-generated"
        lines = [
            f"Alarm {self.alarm_id} is {'over' if self.said == 'cleared' else 'raised'}.",
            "",
            f"  what     {said['kind']}: {said['means']}",
            f"  of       {said['subject']}",
            f"  detail   {said['detail']}",
            f"  since    {_pacific(self.raised_at)}",
        ]
        if self.cleared_at is not None:
            lines.append(f"  until    {_pacific(self.cleared_at)}")
        if self.said == "raised":
            lines.append(f"  do       {said['act']}")
        lines += ["", "Each alarm is told once, and once more when it is over: connect alarms"]
        email.set_content("\n".join(lines) + "\n")
        return email.as_bytes()


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def _pacific(at: datetime) -> str:
    return f"{at.astimezone(PACIFIC):%Y-%m-%d %H:%M} Pacific time"
