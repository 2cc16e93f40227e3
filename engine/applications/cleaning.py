"""Opening what strangers send where it can do no harm: in a process of its own, with limits."""

import asyncio
from contextlib import closing, suppress
from typing import Final

from engine.applications.cleaning_process import MOST_MEMORY, MOST_SECONDS, Clean, Cleaning
from engine.applications.file_types import FileFault
from engine.mail.children import start_child

_PROCESS: Final = "engine.applications.cleaning_process"
_AT_ONCE: Final = 2
"""Each may take a gibibyte: whoever comes third waits."""


class Cleaner:
    """Opens files, so many at once and no more."""

    def __init__(self, most_memory: int = MOST_MEMORY) -> None:
        self._most_memory = most_memory
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def clean(self, content: bytes) -> Clean | FileFault:
        """The file made anew, or why it is not taken; where its process ran out of memory or of
        seconds, it is too complex."""
        async with self._turns:
            return await asyncio.to_thread(_in_a_process, Cleaning(content, self._most_memory))


def _in_a_process(asked: Cleaning) -> Clean | FileFault:
    answer: Clean | FileFault | None = None
    with closing(start_child(_PROCESS)) as child, suppress(EOFError, ConnectionError):
        child.connection.send(asked)
        if child.connection.poll(2 * MOST_SECONDS):
            answer = child.connection.recv()
    return FileFault.TOO_COMPLEX if answer is None else answer
