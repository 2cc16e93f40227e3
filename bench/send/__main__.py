"""Messages a second, from the outbox row to the recorded outcome, beside what others would pick.

    python -m bench.send [--messages 10000] [--rounds 3] [--workers 1,2] [--big 200000]
                         [--only ours,source,rendering,celery,celery-kept,arq,bullmq]
                         [--days 3] [--profile]

For a quick look at ours alone: `python -m bench.send --only ours --rounds 1 --big 0`, and with
`--profile` what its workers spent their time on. What the workers read from the environment
(SMTP_CONNECTIONS, CHUNK) they read here too.

Everybody sends the same reminders, half of them in Spanish, to an `smtp-sink` of its own on this
machine, one after the other, round by round; what is printed are medians. Ours is counted from the
first ring of the doorbell to the last outcome in PostgreSQL, and the database is asked afterwards
whether each was sent, and once. The peers record nothing; their queue is filled before they are
counted, and their start is not counted either. `--big` sends so many at the end, and compares what
each costs. With more `--days` fewer messages say the same, and fewer of the forms that ours keeps
are of use again.
"""

import argparse
import asyncio
import pstats
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.findings import OUT
from bench.send.ceilings import built, run_rendering, run_source
from bench.send.environments import (
    Environment,
    MissingError,
    node_environment,
    python_environment,
)
from bench.send.ours import populate, run_ours
from bench.send.peers import ARQ, BULLMQ, CELERY, CELERY_KEPT, WARM_UP, Peer, run_peer
from bench.send.runs import Contestant, Run
from bench.send.sink import sink_name
from bench.send.told import OURS, RENDERING, SOURCE, told
from bench.send.workload import Calendar, write_for_peers
from bench.stand import stand
from engine.clock import system_clock
from engine.communications.rendering import Renderer
from engine.settings import Settings

PEERS: Final = {"celery": CELERY, "celery-kept": CELERY_KEPT, "arq": ARQ, "bullmq": BULLMQ}
TITLES: Final = {
    OURS: "ours",
    SOURCE: "ceiling: smtp-source",
    RENDERING: "only rendering",
    **{key: peer.title for key, peer in PEERS.items()},
}
_SIZED_BY: Final = 200


class _Field:
    """Where they run, one after the other."""

    def __init__(self, settings: Settings, asked: argparse.Namespace) -> None:
        self.settings = settings
        self.calendar = Calendar.from_tomorrow(system_clock(), asked.days)
        self.versions: dict[str, str] = {}
        self._profile: Path | None = asked.out / "worker.profile" if asked.profile else None
        self._peers_folder: Path = asked.peers
        self._words = settings.data_dir / "words"
        self._environments: dict[bool, Environment] = {}
        renderer = Renderer(settings.agency, settings.public_url)
        write_for_peers(self._words, renderer, settings, self.calendar, WARM_UP + asked.messages)
        *_, total = asyncio.run(built(settings, self.calendar, range(1, _SIZED_BY + 1)))
        self.size = round(total / _SIZED_BY)

    def run(self, key: str, workers: int, messages: int) -> Run:
        """One run. Raises MissingError for what cannot be run here."""
        if key == OURS:
            return run_ours(self.settings, workers, messages, self.calendar, self._profile)
        if key == SOURCE:
            return run_source(workers, messages, self.size)
        if key == RENDERING:
            return run_rendering(workers, messages, self.settings, self.calendar)
        assert self.settings.redis_url is not None  # noqa: S101  the stand set it
        redis = self.settings.redis_url.get_secret_value()
        there = self._environment(PEERS[key])
        return run_peer(PEERS[key], there, redis, self._words, workers=workers, messages=messages)

    def _environment(self, peer: Peer) -> Environment:
        on_node = peer is BULLMQ
        if on_node not in self._environments:
            made = node_environment() if on_node else python_environment(self._peers_folder)
            self._environments[on_node] = made
            self.versions |= made.versions
        return self._environments[on_node]


def _measure(field: _Field, asked: argparse.Namespace, console: Console) -> list[Contestant]:
    contestants = {
        (key, workers): Contestant(key, TITLES[key], workers)
        for key in asked.only
        for workers in asked.workers
    }
    for turn in range(asked.rounds):
        for (key, workers), contestant in contestants.items():
            if contestant.fault:
                continue
            named = f"{contestant.title}, {workers} worker{'s' * (workers > 1)}"
            with console.status(f"round {turn + 1} of {asked.rounds}: {named}"):
                try:
                    run = field.run(key, workers, asked.messages)
                except MissingError as error:
                    contestant.fault = str(error)
                    console.print(f"{named}: left out, {error}")
                    continue
            contestant.runs.append(run)
            console.print(f"round {turn + 1}: {named}: {run.per_second:,.0f} a second")
    return list(contestants.values())


def main() -> None:
    """Read what is wanted, and measure."""
    asked = _asked()
    console = Console()
    with stand() as settings:
        with console.status("making the caseload"):
            postgres = asyncio.run(populate(settings, max(asked.messages, asked.big)))
        field = _Field(settings, asked)
        contestants = _measure(field, asked, console)
        many: Run | None = None
        if asked.big and OURS in asked.only:
            with console.status(f"ours, {asked.big:,} messages"):
                many = field.run(OURS, max(asked.workers), asked.big)
        sink = sink_name()
    findings = told(contestants, asked.messages, field.size, sink, many)
    findings.versions = {**findings.versions, "PostgreSQL": postgres, **field.versions}
    findings.show()
    findings.write(asked.out)
    if asked.profile:
        for path in sorted(asked.out.glob("worker.profile.*")):
            pstats.Stats(str(path)).sort_stats("tottime").print_stats(45)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.send", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=_numbers, default=[1, 2])
    parser.add_argument("--only", type=_keys, default=list(TITLES))
    parser.add_argument("--big", type=int, default=200_000, help="0 for none")
    parser.add_argument("--days", type=int, default=3, help="over which they are spread")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--peers", type=Path, default=Path("var/peers"))
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args()


def _numbers(given: str) -> list[int]:
    return [int(word) for word in given.split(",")]


def _keys(given: str) -> list[str]:
    keys = given.split(",")
    if unknown := set(keys) - TITLES.keys():
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not among {[*TITLES]}")
    return keys


if __name__ == "__main__":
    main()
