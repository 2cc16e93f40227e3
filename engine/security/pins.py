"""PINs: drawn at random, easy ones never, and kept only as hashes that cannot be undone."""

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from engine.errors import ConnectError, InputError, SettingsError

FEWEST_DIGITS: Final = 4
MOST_DIGITS: Final = 12

_PEPPER_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)


class PinHashError(ConnectError):
    """A stored PIN hash cannot be checked; its owner has to be sent a new PIN."""


def generate_pin(digits: int = 6) -> str:
    """A PIN of `digits` decimal digits from the system's randomness, no easy one among them.

    Every other PIN is equally likely. Of the 1,000,000 with six digits 2,010 are easy: 19.93 bits
    of chance before and after. Dates are not refused: nobody chose this PIN, so it says nothing of
    its holder, and leaving them out would only narrow a guesser's search. Raises InputError unless
    digits are 4 to 12.
    """
    if not FEWEST_DIGITS <= digits <= MOST_DIGITS:
        raise InputError(f"a PIN has {FEWEST_DIGITS} to {MOST_DIGITS} digits, not {digits}")
    while is_easy(pin := f"{secrets.randbelow(10**digits):0{digits}d}"):
        pass
    return pin


def is_easy(pin: str) -> bool:
    """Whether `pin` is among the first that people try.

    That is one digit throughout (000000), a run up or down, past 9 or 0 too (890123), a block
    repeated (121212, 123123), or the same backwards (123321).
    """
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return steps in ({0}, {1}, {9}) or pin == pin[::-1] or _repeats_a_block(pin)


def _repeats_a_block(pin: str) -> bool:
    """A text is a block repeated exactly when it is found inside its own doubling, off its ends."""
    return pin in (pin + pin)[1:-1]


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one Argon2id hash costs: memory in KiB, passes over it, lanes.

    The default is the OWASP Password Storage Cheat Sheet's second setting (RFC 9106 names the
    parameters): 19 MiB and two passes, 32 ms on the two-core machine it was measured on; all the
    cheat sheet's settings resist alike. Anything weaker than its weakest is refused with
    SettingsError.
    """

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1

    def __post_init__(self) -> None:
        """Refuse less than 7 MiB with five passes, or as much work with more memory."""
        if self.memory_kib < 7_168 or self.memory_kib * self.passes < 35_840 or self.lanes < 1:
            raise SettingsError(
                "PIN hashing must cost 7168 KiB in 5 passes or more, for example 19456 KiB in 2"
            )


OWASP: Final = HashCost()


class PinHasher:
    """Argon2id over an HMAC of the PIN under a pepper, which is kept apart from the database.

    Six digits are guessed in hours from a stolen hash, whatever it costs: the pepper is what makes
    the table useless without the settings. It has an id, written before the hash, so that it can
    be changed: name the old one in `retired` until the PINs under it have been replaced.

    A stored hash reads `pepper-id$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    """

    __slots__ = ("_argon2", "_current", "_peppers")

    def __init__(
        self,
        pepper: bytes,
        pepper_id: str = "1",
        retired: Mapping[str, bytes] | None = None,
        cost: HashCost = OWASP,
    ) -> None:
        """Raises SettingsError for an empty pepper, and for an id of more than plain letters."""
        self._peppers = {**(retired or {}), pepper_id: pepper}
        self._current = pepper_id
        for each, secret in self._peppers.items():
            if not secret or not _PEPPER_ID.fullmatch(each):
                raise SettingsError(f"the PIN pepper {each!r} must be a plain id with a value")
        self._argon2 = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes, type=Type.ID
        )

    def hash(self, pin: str) -> str:
        """A new hash of `pin`, salted, under the current pepper.

        It works for tens of milliseconds without holding the interpreter: call it in a thread.
        """
        return f"{self._current}${self._argon2.hash(self._peppered(self._current, pin))[1:]}"

    def verify(self, stored: str, pin: str) -> bool:
        """Whether `stored` is a hash of `pin`.

        Raises PinHashError when the pepper it was made with is not held, or it is no hash of ours.
        """
        pepper_id, encoded = self._read(stored)
        try:
            return self._argon2.verify(encoded, self._peppered(pepper_id, pin))
        except VerifyMismatchError:
            return False
        except (VerificationError, ValueError):
            raise PinHashError("a stored PIN hash is damaged") from None

    def needs_rehash(self, stored: str) -> bool:
        """Whether `stored` was made with another pepper or another cost than the present ones.

        Raises PinHashError as `verify` does.
        """
        pepper_id, encoded = self._read(stored)
        try:
            return pepper_id != self._current or self._argon2.check_needs_rehash(encoded)
        except InvalidHashError:
            raise PinHashError("a stored PIN hash is damaged") from None

    def _read(self, stored: str) -> tuple[str, str]:
        pepper_id, mark, rest = stored.partition("$")
        if not mark or not rest.startswith("argon2id$"):
            raise PinHashError("a stored PIN hash is not one of ours")
        if pepper_id not in self._peppers:
            raise PinHashError(f"the PIN pepper {pepper_id[:32]!r} is not held")
        return pepper_id, f"${rest}"

    def _peppered(self, pepper_id: str, pin: str) -> bytes:
        return hmac.digest(self._peppers[pepper_id], pin.encode("utf-8", "replace"), "sha256")
