"""Checking PINs beside the event loop: in threads, a few at once, with the same work every time."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from engine.security.pins import PinHasher, PinHashError, generate_pin

log: Final = structlog.get_logger()


class PinChecker:
    """Compares a PIN with stored hashes.

    `at_once` hashes are worked at in one process: a flood of sign-ins waits for its turn, and the
    pages of those who are signed in do not wait with it.
    """

    def __init__(self, hasher: PinHasher, at_once: int) -> None:
        self.hasher = hasher
        self._turns = asyncio.Semaphore(at_once)
        self._nobodys: str | None = None

    async def matches(self, pin: str, stored: Sequence[str | None]) -> tuple[bool, ...]:
        """Of each stored hash whether it is of `pin`. Where there is none, one of nobody's is
        compared instead: an answer takes as long whether or not somebody has a PIN."""
        async with self._turns:
            return await asyncio.to_thread(self._matches, pin, tuple(stored))

    async def hash(self, pin: str) -> str:
        """A new hash of `pin`."""
        async with self._turns:
            return await asyncio.to_thread(self.hasher.hash, pin)

    def _matches(self, pin: str, stored: tuple[str | None, ...]) -> tuple[bool, ...]:
        return tuple(self._one(pin, each) for each in stored)

    def _one(self, pin: str, stored: str | None) -> bool:
        if self._nobodys is None:
            self._nobodys = self.hasher.hash(generate_pin(12))
        try:
            same = self.hasher.verify(stored or self._nobodys, pin)
        except PinHashError as error:
            log.critical("pin_hash_unusable", cause=str(error))
            return False
        return same and stored is not None
