"""Reading a server's answers out of the bytes that arrive, however they were cut on the way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.email.answers import Reply

_LONGEST_LINE: Final = 8192
_LONGEST_REPLY: Final = 65536
"""Far beyond the 512 octets a line may have (RFC 5321, 4.5.3.1.5): what a server may send and
still be listened to."""
_MOST_KNOWN: Final = 32


class GarbageError(Exception):
    """What arrived is no SMTP."""


@dataclass(slots=True)
class Replies:
    """The beginning of an answer whose end has not come yet."""

    _begun: bytes = b""
    _words: list[bytes] = field(default_factory=list)
    _octets: int = 0
    _known: dict[bytes, Reply] = field(default_factory=dict)
    """Answers of one line that were read before: a server says the same few again and again."""

    @property
    def is_between(self) -> bool:
        """Whether no answer has begun."""
        return not (self._begun or self._words)

    def read(self, data: bytes) -> Iterator[Reply]:
        """The answers that `data` completes, in order, and GarbageError after them."""
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            known = None if self._words else self._known.get(line)
            if known is not None:
                yield known
            elif (reply := self._line(line)) is not None:
                if not reply.words.count("\n") and len(self._known) < _MOST_KNOWN:
                    self._known[line] = reply
                yield reply
        if len(self._begun) > _LONGEST_LINE:
            raise GarbageError

    def _line(self, line: bytes) -> Reply | None:
        """The answer that `line` ends, if it is the last of its lines (RFC 5321, 4.2.1)."""
        self._octets += len(line)
        if len(line) > _LONGEST_LINE or self._octets > _LONGEST_REPLY:
            raise GarbageError
        code = line[:3]
        if not code.isdigit() or len(code) < 3:
            raise GarbageError
        self._words.append(line[4:].strip())
        if line[3:4] == b"-":
            return None
        words, self._words, self._octets = self._words, [], 0
        reply = Reply.read(int(code), b"\n".join(words).decode("utf-8", "surrogateescape"))
        if not reply.is_known:
            raise GarbageError
        return reply
