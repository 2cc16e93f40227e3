"""The messages of `samples.mbox`, each with what it is to be called."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_EXPECTED: Final = re.compile(rb"^X-Expected: (\S+) (\S+) (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """A message, and the kind, the reason and the recipient that it is to be told by."""

    name: str
    message: bytes
    kind: str
    why: str
    recipient: str | None


def samples() -> tuple[Sample, ...]:
    """All of them, in the order of the file; the line that tells what is expected is cut out."""
    whole = b"\n\n" + Path(__file__).with_name("samples.mbox").read_bytes()
    return tuple(_sample(part) for part in re.split(rb"\n\nFrom (?=[\w-]+\n)", whole)[1:])


def _sample(part: bytes) -> Sample:
    name, message = part.split(b"\n", 1)
    found = _EXPECTED.search(message)
    assert found, name
    kind, why, recipient = (word.decode("ascii") for word in found.groups())
    cut = message[: found.start()] + message[found.end() + 1 :]
    return Sample(name.decode("ascii"), cut, kind, why, None if recipient == "-" else recipient)
