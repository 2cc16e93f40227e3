"""What the logs of mail say of our messages: which were taken, and which came back.

Three kinds of lines are read, mixed as they may be, and every other line is passed over:

- Postfix's, as syslog writes them: `qmgr` names the return path of what was queued, `cleanup` the
  Message-ID, and a delivery agent says `status=sent`, `deferred`, `bounced` or `expired`;
- our own: the bounce receiver's `email_came_back`, and a worker's `email_not_accepted`, where it
  did not hear the end of a hand-off; that either of them started or stopped is of the kind, and
  says that this is their log though nothing came back;
- JSON lines for any other mail system: `{"message_id": "<…>", "at": "2026-11-29T15:14:04Z"}`, with
  `envelope_id` or `return_path` in the place of `message_id`, `communication` where it is known,
  and `"status": "bounced"` with its `dsn` for what came back.

Message-ID, return path and ENVID are keyed: what we did not write ourselves names nothing.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from engine.email.addressing import Addressing
from engine.email.bounces.reports import meaning
from engine.email.bounces.verdict import Kind

_POSTFIX: Final = re.compile(
    r"(?P<stamp>\d{4}-\d\d-\d\dT\S+|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) \S+ "
    r"\S*postfix\S*?/(?P<daemon>[a-z]+)\[\d+\]: (?P<queue>[0-9A-Za-z]{5,}): (?P<said>.*)"
)
_MESSAGE_ID: Final = re.compile(r"(?:resent-)?message-id=(<[^>]*>)")
_RETURN_PATH: Final = re.compile(r"from=<([^>]*)>")
_STATUS: Final = re.compile(r"dsn=(?P<dsn>\d\.\d+\.\d+), status=(?P<status>[a-z]+)")
_CAME_BACK: Final = frozenset({"bounced", "expired"})
_WHOSE: Final = frozenset(
    {"bounce_receiver_started", "bounce_receiver_stopped", "worker_started", "worker_stopped"}
)
_UNRECORDED: Final = "5.0.0"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a mail server took. `returned` is the status with which it came back, `dead`
    where that says that nobody is there."""

    delivery_id: int
    at: datetime | None = None
    communication_id: int | None = None
    returned: str | None = None
    dead: bool = False


@dataclass(slots=True)
class _Queued:
    delivery_id: int | None = None
    taken: bool = False
    returned: str | None = None
    at: datetime | None = None


@dataclass(slots=True)
class SmtpLogs:
    """What was found so far. `begun` are messages of which no line says that they were taken: the
    connection may have been lost in the middle."""

    addressing: Addressing
    now: datetime
    sent: dict[int, Sent] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    lines: int = 0
    understood: int = 0
    _queue: dict[str, _Queued] = field(default_factory=dict)

    def read(self, lines: Iterable[str]) -> None:
        """Read one log from its beginning to its end."""
        self._queue.clear()
        for line in lines:
            self.lines += 1
            if line.startswith("{"):
                self._json(line)
            elif found := _POSTFIX.match(line):
                self.understood += 1
                self._postfix(found)

    def _postfix(self, found: re.Match[str]) -> None:
        said = found["said"]
        if said == "removed":
            self._queue.pop(found["queue"], None)
            return
        queued = self._queue.setdefault(found["queue"], _Queued())
        queued.at = self._moment(found["stamp"])
        if named := _MESSAGE_ID.match(said):
            queued.delivery_id = self.addressing.delivery_of_message_id(named[1])
        elif named := _RETURN_PATH.match(said):
            path = self.addressing.delivery_of_return_path(named[1])
            queued.delivery_id = path or queued.delivery_id
            # qmgr says this of what is whole and on the disk; a server's other daemons do not.
            queued.taken |= found["daemon"] == "qmgr"
        if status := _STATUS.search(said):
            queued.taken = True
            queued.returned = status["dsn"] if status["status"] in _CAME_BACK else None
        if queued.delivery_id is not None:
            self._note(queued.delivery_id, queued.at, taken=queued.taken, returned=queued.returned)

    def _json(self, line: str) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        event = said.get("event")
        if event == "email_not_accepted":
            self._not_accepted(said)
        elif event == "email_came_back":
            self._came_back(said)
        elif event in _WHOSE:
            self.understood += 1
        elif event is None:
            self._neutral(said)

    def _not_accepted(self, said: dict[str, Any]) -> None:
        self.understood += 1
        delivery = said.get("delivery")
        if isinstance(delivery, int) and said.get("outcome") == "unknown":
            self._note(delivery, None, taken=False)

    def _came_back(self, said: dict[str, Any]) -> None:
        """What came back by a report; that it is still being tried is none."""
        self.understood += 1
        delivery, status = said.get("delivery"), str(said.get("status") or _UNRECORDED)
        if (
            isinstance(delivery, int)
            and said.get("kind") in {"hard", "soft"}
            and said.get("why") != "delayed"
        ):
            at = self._moment(said.get("timestamp"))
            self._note(delivery, at, taken=True, returned=status)
            if said["kind"] == "hard" and self.sent[delivery].returned == status:
                self.sent[delivery] = replace(self.sent[delivery], dead=True)

    def _neutral(self, said: dict[str, Any]) -> None:
        readers = {
            "message_id": self.addressing.delivery_of_message_id,
            "envelope_id": self.addressing.delivery_of_envelope_id,
            "return_path": self.addressing.delivery_of_return_path,
        }
        for name, reader in readers.items():
            if not isinstance(said.get(name), str):
                continue
            self.understood += 1
            if (delivery := reader(said[name])) is not None:
                back = said.get("status") in _CAME_BACK
                returned = str(said.get("dsn") or _UNRECORDED) if back else None
                self._note(delivery, self._moment(said.get("at")), taken=True, returned=returned)
                if isinstance(said.get("communication"), int):
                    known = self.sent[delivery]
                    self.sent[delivery] = replace(known, communication_id=said["communication"])
            return

    def _note(
        self, delivery: int, at: datetime | None, *, taken: bool, returned: str | None = None
    ) -> None:
        """What is last said of a message counts, in whichever log: what came back once may have
        been sent again under the same name."""
        if not taken:
            if delivery not in self.sent:
                self.begun.add(delivery)
            return
        self.begun.discard(delivery)
        known = self.sent.get(delivery, Sent(delivery))
        if at is not None and known.at is not None and at < known.at:
            return
        self.sent[delivery] = replace(
            known, at=at or known.at, returned=returned, dead=_says_dead(returned)
        )

    def _moment(self, stamp: object) -> datetime | None:
        """A line's moment. Syslog's short stamp has neither year nor zone: it is of the last twelve
        months, in this machine's own time."""
        if not isinstance(stamp, str):
            return None
        try:
            if stamp[:1].isdigit():
                moment = datetime.fromisoformat(stamp)
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            year = self.now.astimezone().year
            short = datetime.strptime(f"{year} {stamp}", "%Y %b %d %H:%M:%S").astimezone()
            return short if short <= self.now else short.replace(year=year - 1)
        except ValueError:
            return None


def _says_dead(status: str | None) -> bool:
    why = meaning(status)
    return why is not None and why.kind is Kind.HARD
