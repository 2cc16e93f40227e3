"""Composes parts in processes of their own, which may be killed: Typst may hang."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import psutil

from engine.errors import ConnectError
from engine.mail.children import start_child
from engine.mail.composing import ComposedPart, ComposingError, require_one_part
from engine.mail.composing_process import ComposingOrder
from engine.mail.letters import Letter


class ComposerStoppedError(ConnectError):
    """The composing process was killed at its time limit or ended by itself; nothing of the part
    was kept, and it may be tried again."""


@dataclass(frozen=True, slots=True)
class PartComposer:
    """How parts are drawn: so many at once, each in a process that is killed at its time limit
    and ended when it has come to hold more than `mebibytes`, for Typst keeps what it once used."""

    processes: int = min(os.cpu_count() or 1, 8)
    timeout_seconds: float = 120
    mebibytes: int = 250

    @contextmanager
    def crew(self) -> Iterator["Crew"]:
        """The processes for one batch; whatever they are doing, they end with the block."""
        crew = Crew(self)
        try:
            yield crew
        finally:
            crew.dismiss()


class Crew:
    """Composing processes. Letters hold PINs: they reach them through a pipe only."""

    def __init__(self, composer: PartComposer) -> None:
        self._composer = composer
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._lock = threading.Lock()
        self._dismissed = False

    @property
    def processes(self) -> int:
        """How many parts may be drawn at once."""
        return self._composer.processes

    def compose(
        self, letters: Sequence[Letter], *, batch_id: str, document_date: date, first_seq: int = 1
    ) -> ComposedPart:
        """What compose_part gives, drawn elsewhere. Blocks: call it from a thread, and from no
        more threads at once than there are to be processes.

        Raises ComposingError, and ComposerStoppedError when the process did not answer in time.
        """
        require_one_part(letters)
        worker = self._worker()
        order = ComposingOrder(tuple(letters), batch_id, document_date, first_seq)
        try:
            answer = worker.answer(order)
        finally:
            self._release(worker)
        if isinstance(answer, ComposedPart):
            return answer
        raise ComposingError(answer)

    def dismiss(self) -> None:
        """End every process, at work or not; a `compose` under way then raises."""
        with self._lock:
            self._dismissed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for worker in busy:
            worker.end()
        for worker in idle:
            worker.close()

    def _worker(self) -> "_Worker":
        with self._lock:
            if self._dismissed:
                raise ComposerStoppedError("the composing processes were dismissed")
            worker = self._idle.pop() if self._idle else _Worker(self._composer)
            self._busy.add(worker)
        return worker

    def _release(self, worker: "_Worker") -> None:
        with self._lock:
            self._busy.discard(worker)
            kept = not (self._dismissed or worker.spent)
            if kept:
                self._idle.append(worker)
        if not kept:
            worker.close()


class _Worker:
    """One composing process; `spent` when it did not answer, or holds too much."""

    def __init__(self, composer: PartComposer) -> None:
        self.spent = False
        self._composer = composer
        # Typst would otherwise lay out on every core in each of the processes.
        self._child = start_child("engine.mail.composing_process", RAYON_NUM_THREADS="1")

    def answer(self, order: ComposingOrder) -> ComposedPart | str:
        """The part, or what was wrong with it."""
        alarm = threading.Timer(self._composer.timeout_seconds, self.kill)
        alarm.start()
        try:
            self._child.connection.send(order)
            answer: ComposedPart | str = self._child.connection.recv()
            self.spent = self._holds() > self._composer.mebibytes << 20
        except (EOFError, ConnectionError, psutil.NoSuchProcess):
            self.spent = True
            raise ComposerStoppedError(
                f"the composer of {order.batch_id} from piece {order.first_seq} stopped, or was "
                "stopped at its time limit, without an answer"
            ) from None
        finally:
            alarm.cancel()
        return answer

    def _holds(self) -> int:
        return int(psutil.Process(self._child.process.pid).memory_info().rss)

    def kill(self) -> None:
        """End it at once, from whatever thread."""
        self._child.kill()

    def end(self) -> None:
        """The same, and wait until it has ended; whoever waits for its answer closes it."""
        self._child.kill()
        self._child.process.wait()

    def close(self) -> None:
        """End it, and wait until it has ended."""
        self._child.close()
