"""What nobody could pass: `smtp-source` of Postfix sending one ready message over and over, and a
loop that only renders and builds messages, and sends none."""

import asyncio
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from bench.send.environments import MissingError
from bench.send.runs import Run
from bench.send.sink import path_of, sink
from bench.send.workload import NOTICE, Calendar, address_of, facts_of, language_of, link_of
from engine.bootstrap import open_application
from engine.caseload.overtaken import TruthfulChannel
from engine.communications.catalogue import Channel
from engine.communications.claims import Claimed
from engine.communications.ports import EmailAddress
from engine.email.channel import EmailChannel
from engine.email.extras import EmailExtras
from engine.settings import Settings

_SESSIONS: Final = "8"
_WARM_UP: Final = 50


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


def run_rendering(processes: int, messages: int, settings: Settings, calendar: Calendar) -> Run:
    """As many as are to be sent, shared out over so many processes; the slowest counts."""
    share = messages // processes
    with ProcessPoolExecutor(processes) as pool:
        begun = [
            pool.submit(_rendered, settings, calendar, turn * share + 1, share)
            for turn in range(processes)
        ]
        seconds, processor = zip(*(one.result() for one in begun), strict=True)
    return Run(share * processes, max(seconds), sum(processor))


async def built(settings: Settings, calendar: Calendar, numbers: range) -> tuple[float, float, int]:
    """Build what the participants of these `numbers` are sent, where 8BITMIME is offered: seconds
    by the clock and of the processor, and bytes."""
    total = 0
    async with open_application(settings) as application:
        channel = application.dispatcher.channels[Channel.EMAIL]
        assert isinstance(channel, TruthfulChannel)  # noqa: S101  as it is composed
        email = channel.channel
        assert isinstance(email, EmailChannel)  # noqa: S101  likewise
        began, busy = time.perf_counter(), time.process_time()
        for number in numbers:
            item = Claimed(
                delivery_id=number,
                communication_id=number,
                channel=Channel.EMAIL,
                attempt=1,
                notice=NOTICE,
                participant_id=number,
                language=language_of(number),
                facts=facts_of(number, calendar),
                secret=None,
                urgency=NOTICE.urgency.value,
            )
            extras = EmailExtras(link_of(number, settings))
            address = EmailAddress(address_of(number))
            total += len(email.builder.build(item, address, extras, takes_8bit=True).message)
        return time.perf_counter() - began, time.process_time() - busy, total


def _rendered(
    settings: Settings, calendar: Calendar, first: int, number: int
) -> tuple[float, float]:
    asyncio.run(built(settings, calendar, range(1, _WARM_UP)))
    seconds, busy, _ = asyncio.run(built(settings, calendar, range(first, first + number)))
    return seconds, busy
