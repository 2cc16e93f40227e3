"""What nobody could pass: `smtp-source` of Postfix sending one ready message over and over, and a
loop that only renders and builds messages, and sends none."""

import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from typing import Final

from bench.send.environments import MissingError
from bench.send.runs import Run
from bench.send.sink import path_of, sink
from bench.send.workload import NOTICE, facts_of, language_of, link_of
from engine.communications.rendering import Renderer
from engine.email.addressing import Addressing
from engine.email.extras import EmailExtras
from engine.email.message import Envelope, build_message
from engine.settings import Settings

_SESSIONS: Final = "8"


def run_source(processes: int, messages: int, size: int) -> Run:
    """Messages of `size` bytes over kept connections. Raises MissingError for no smtp-source."""
    program = path_of("smtp-source")
    if program is None:
        raise MissingError("smtp-source is not installed")
    share = messages // processes
    with sink() as opened:
        command = [str(program), "-d", "-s", _SESSIONS, "-l", str(size), "-m", str(share)]
        ends = ["-f", "bench@connect.example", "-t", "person@example.com"]
        running = [
            subprocess.Popen([*command, *ends, f"127.0.0.1:{opened.port}"])
            for _ in range(processes)
        ]
        if any(one.wait() for one in running):
            raise SystemExit("smtp-source failed")
        while opened.taken < share * processes:
            time.sleep(0.02)
        first, last = opened.moment_of(1), opened.moment_of(share * processes)
    return Run(share * processes, last - first)


def run_rendering(processes: int, messages: int, settings: Settings, first: datetime) -> Run:
    """As many as are to be sent, shared out over so many processes; the slowest counts."""
    share = messages // processes
    with ProcessPoolExecutor(processes) as pool:
        taken = list(
            pool.map(
                _rendered,
                *zip(
                    *[(settings, first, turn * share, share) for turn in range(processes)],
                    strict=True,
                ),
            )
        )
    return Run(share * processes, max(taken), sum(taken))


def message_of(number: int, renderer: Renderer, settings: Settings, first: datetime) -> bytes:
    """The bytes that participant `number` is sent."""
    link = link_of(number, settings)
    addressing = Addressing(settings.tag_key_bytes(), settings.return_path_domain)
    words = renderer.email(NOTICE, language_of(number), facts_of(number, first), unsubscribe=link)
    envelope = Envelope(
        sender=settings.mail_from,
        recipient=f"person{number}@example.com",
        message_id=addressing.message_id(number),
        date=first,
        extras=EmailExtras(unsubscribe=link),
    )
    return build_message(words, envelope)


def _rendered(settings: Settings, first: datetime, begin: int, number: int) -> float:
    renderer = Renderer(settings.agency, settings.public_url)
    for language_turn in (1, 2):
        message_of(language_turn, renderer, settings, first)
    began = time.perf_counter()
    for turn in range(begin + 1, begin + number + 1):
        message_of(turn, renderer, settings, first)
    return time.perf_counter() - began
