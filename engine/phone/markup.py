"""The port to a voice platform: what it tells us of a call, and what we have it say and do.

A platform posts what happened, signed, and does what the answer says in its own markup. What is
written here is all that a conversation knows of it; `engine.phone.twiml` is one such platform.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from engine.i18n import Language


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, and the language whose voice says it."""

    text: str
    language: Language


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for keys or words, while the lines are still said: whoever knows the way need not hear
    them out. `digits_most` keys are taken, or as many as come before the pound key. The answer goes
    to the step `step`; `hints` are words that are likely."""

    step: int
    language: Language
    digits_most: int
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connect:
    """Connect the caller with a telephone number; how that went goes to the step `step`."""

    step: int
    number: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """The call is over."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said, and what then."""

    lines: tuple[Line, ...]
    then: Listen | Connect | HangUp


@dataclass(frozen=True, slots=True)
class Heard:
    """What a platform told us: of which call, from which number, and what the caller did.

    `connected` says how a connection with an agent ended, where it did; `over` that the call has
    ended. Neither keys nor words are shown in its repr: they may be a PIN.
    """

    call: str
    caller: str
    keys: str = field(default="", repr=False)
    words: str = field(default="", repr=False)
    connected: Literal["", "spoke", "failed"] = ""
    over: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer in a platform's markup."""

    body: str
    media_type: str


class Platform(Protocol):
    """One kind of voice platform."""

    def is_authentic(self, url: str, fields: Mapping[str, str], signature: str) -> bool:
        """Whether the platform itself posted `fields` to `url`."""

    def signature_in(self, headers: Mapping[str, str]) -> str:
        """The signature that came with them; empty where there is none."""

    def heard(self, fields: Mapping[str, str]) -> Heard:
        """What they say. Raises InputError where they name no call."""

    def render(self, answer: Answer) -> Rendered:
        """`answer` in the platform's markup."""
