"""Composes each part in a process of its own: Typst keeps what it once used, and may hang."""

import multiprocessing
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Final

from engine.errors import ConnectError
from engine.mail.composing import ComposedPart, ComposingError, compose_part, require_one_part
from engine.mail.letters import Letter

_SPAWN: Final = multiprocessing.get_context("spawn")


class ComposerStoppedError(ConnectError):
    """The composing process was killed at its time limit or ended by itself; nothing of the part
    was kept, and it may be tried again."""


@dataclass(frozen=True, slots=True)
class _Order:
    letters: tuple[Letter, ...]
    batch_id: str
    document_date: date
    first_seq: int


class PartComposer:
    """Draws parts, one process a part. Letters hold PINs: they reach it through a pipe only."""

    def __init__(self, *, timeout_seconds: float = 120) -> None:
        self._timeout = timeout_seconds
        self._running: SpawnProcess | None = None

    def stop(self) -> None:
        """End the part that is being drawn, from another thread; its `compose` then raises."""
        running = self._running
        if running is not None:
            running.kill()

    def compose(
        self, letters: Sequence[Letter], *, batch_id: str, document_date: date, first_seq: int = 1
    ) -> ComposedPart:
        """What compose_part gives, drawn elsewhere. Blocks: call it from a thread.

        Raises ComposingError, and ComposerStoppedError when the process did not answer in time.
        """
        require_one_part(letters)
        order = _Order(tuple(letters), batch_id, document_date, first_seq)
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_serve, args=(theirs,), name="composer", daemon=True)
        process.start()
        self._running = process
        theirs.close()
        alarm = threading.Timer(self._timeout, process.kill)
        alarm.start()
        try:
            return _exchange(ours, order)
        finally:
            self._running = None
            alarm.cancel()
            ours.close()
            process.join()
            process.close()


def _exchange(connection: Connection, order: _Order) -> ComposedPart:
    try:
        connection.send(order)
        answer = connection.recv()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise ComposerStoppedError(
            f"the composer of {order.batch_id} from piece {order.first_seq} stopped, or was "
            "stopped at its time limit, without an answer"
        ) from None
    if isinstance(answer, ComposedPart):
        return answer
    raise ComposingError(str(answer))


def _serve(connection: Connection) -> None:
    """The other end: one order, one answer."""
    order: _Order = connection.recv()
    try:
        answer: ComposedPart | str = compose_part(
            order.letters,
            batch_id=order.batch_id,
            document_date=order.document_date,
            first_seq=order.first_seq,
        )
    except ComposingError as error:
        answer = str(error)
    with suppress(BrokenPipeError):
        connection.send(answer)
