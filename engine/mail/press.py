"""Draws the parts of a batch several at once, in their order, and numbered without a gap."""

import asyncio
import functools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from engine.mail.composer import Crew
from engine.mail.composing import ComposedPart
from engine.mail.frozen_letters import DraftedLetter
from engine.mail.letters import Letter


@dataclass(slots=True)
class _Running:
    """A part under way: the number it should begin with, and the one it was drawn with."""

    drafted: Sequence[DraftedLetter]
    first_seq: int
    drawn_from: int = 0
    task: "asyncio.Task[ComposedPart]" = field(init=False)


class Press:
    """Draws ahead of what is taken from it, one part more than there are processes.

    Each piece's number is printed on its sheets, so the number with which a part begins must be
    known before it is drawn, though a part before it may yet hold a letter back. That is rare: it
    is taken not to happen, and a part that was drawn with the wrong numbers is drawn again.
    """

    def __init__(self, crew: Crew, *, batch_id: str, document_date: date) -> None:
        self._crew = crew
        self._batch_id = batch_id
        self._date = document_date
        self._room = asyncio.Semaphore(crew.processes)
        self._running: deque[_Running] = deque()
        self._next_seq = 1

    async def parts(
        self, source: AsyncIterator[Sequence[DraftedLetter]]
    ) -> AsyncGenerator[tuple[Sequence[DraftedLetter], ComposedPart], None]:
        """Each part's letters, with what was drawn of them.

        Raises ComposingError and ComposerStoppedError; what is under way then is given up.
        """
        try:
            async for drafted in source:
                self._start(drafted)
                if len(self._running) > self._crew.processes:
                    yield await self._finished()
            while self._running:
                yield await self._finished()
        finally:
            tasks = [running.task for running in self._running]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, drafted: Sequence[DraftedLetter]) -> None:
        running = _Running(drafted, self._next_seq)
        self._next_seq += len(drafted)
        letters = [item.letter for item in drafted]
        running.task = asyncio.create_task(self._draw(running, letters))
        self._running.append(running)

    async def _finished(self) -> tuple[Sequence[DraftedLetter], ComposedPart]:
        """The oldest part under way, once it is drawn and drawn with the right numbers."""
        running = self._running[0]
        part = await running.task
        if running.drawn_from != running.first_seq:
            part = await self._draw_again(running, part)
        self._running.popleft()
        left_out = len(running.drafted) - len(part.pieces)
        self._next_seq -= left_out
        for later in self._running:
            later.first_seq -= left_out
        return running.drafted, part

    async def _draw_again(self, running: _Running, wrong: ComposedPart) -> ComposedPart:
        """Without the letters that are known by now to be held."""
        held = {piece.piece_id for piece in wrong.held}
        letters = [item.letter for item in running.drafted if item.letter.piece_id not in held]
        part = await self._draw(running, letters)
        return replace(part, held=(*wrong.held, *part.held))

    async def _draw(self, running: _Running, letters: Sequence[Letter]) -> ComposedPart:
        async with self._room:
            running.drawn_from = running.first_seq
            return await asyncio.to_thread(
                functools.partial(
                    self._crew.compose,
                    letters,
                    batch_id=self._batch_id,
                    document_date=self._date,
                    first_seq=running.drawn_from,
                )
            )
