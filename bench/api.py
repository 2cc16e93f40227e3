"""How many communications a second the machine API takes, a thousand to a request.

    python -m bench.api [--requests 60] [--size 1000] [--callers 4] [--portals 1]

Over PostgreSQL and Redis of its own, with portals as processes of their own, asked over HTTP by
programs with a key each, on the same machine. Each request records so many payment notices under
an Idempotency-Key, and each tenth of them is sent twice, as by a caller that lost the answer.
Afterwards the database is asked: every communication that was answered for is there once, owed,
with a delivery by the way its reader chose, and nothing else is.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from bench.findings import OUT, Findings, Sheet
from bench.machine import machine
from bench.people import make_people
from bench.plots import Bar, bars
from bench.stand import portals, stand
from engine.bootstrap import Application, open_application
from engine.case_system.keys import Scope
from engine.database import driver_connection
from engine.settings import Settings

PEOPLE: Final = 20_000
_WARM_UP: Final = 2
_SENT_AGAIN: Final = 10
"""Every so many requests one is sent a second time."""
_CASES: Final = """
INSERT INTO support_case (external_id, county, status, opened_on)
SELECT lpad(id::text, 15, '0'), 'Yolo', 'open', '2020-01-01' FROM participant ORDER BY id
"""
_PARTIES: Final = """
INSERT INTO case_party (case_id, participant_id, role)
SELECT support_case.id, participant.id, 'payee'
FROM participant JOIN support_case ON support_case.external_id = lpad(participant.id::text, 15, '0')
"""
_TRUTH: Final = """
SELECT count(*) AS communications, count(DISTINCT idempotency_key) AS keys,
       count(*) FILTER (WHERE state = 'owed') AS owed,
       (SELECT count(DISTINCT communication_id) FROM delivery) AS delivered
FROM communication
"""


@dataclass(slots=True)
class Taken:
    """What the callers were answered: seconds of each request, and the ids."""

    seconds: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    lasted: float = 0.0


@dataclass(frozen=True, slots=True)
class Caller:
    """A program with a key of its own."""

    client: httpx.AsyncClient
    taken: Taken

    async def record(self, turn: int, size: int) -> None:
        """One request; each tenth is sent again, and is to be answered as before."""
        answer, seconds = await self._post(turn, size)
        self.taken.seconds.append(seconds)
        told = [each["id"] for each in answer["communications"]]
        if len(set(told)) != size or self.taken.ids & set(told):
            raise SystemExit(f"request {turn}: {len(set(told))} ids of {size}, or old ones")
        self.taken.ids.update(told)
        if turn % _SENT_AGAIN == 0:
            again, seconds = await self._post(turn, size)
            self.taken.again.append(seconds)
            if again != answer:
                raise SystemExit(f"request {turn} was answered otherwise when it was sent again")

    async def _post(self, turn: int, size: int) -> tuple[Any, float]:
        first = turn * size
        asks = [_ask(1 + (first + place) % PEOPLE, first + place) for place in range(size)]
        headers = {"Idempotency-Key": f"bench-{turn}"}
        began = time.perf_counter()
        answer = await self.client.post(
            "/api/v1/communications/batch", json={"communications": asks}, headers=headers
        )
        seconds = time.perf_counter() - began
        if answer.status_code != 201:
            raise SystemExit(f"request {turn}: {answer.status_code} {answer.text[:500]}")
        return answer.json(), seconds


def _ask(person: int, turn: int) -> dict[str, Any]:
    return {
        "notice": "payment_notice",
        "participant_id": f"{person:010d}",
        "facts": {
            "direction": "sent",
            "amount_cents": 1_000 + turn * 37 % 90_000,
            "paid_on": f"2026-10-{1 + turn % 28:02d}",
            "case_number": f"{person:015d}",
        },
    }


async def _measure(settings: Settings, asked: argparse.Namespace) -> Findings:
    async with open_application(settings) as application:
        await make_people(application, PEOPLE, on_paper=PEOPLE // 2)
        async with application.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_CASES)
            await driver.execute(_PARTIES)
            await driver.execute("ANALYZE")
        tokens = [
            (
                await application.api_keys.create(
                    f"bench {number}", (Scope.COMMUNICATIONS_WRITE,), timedelta(days=1), "bench"
                )
            ).token
            for number in range(asked.callers)
        ]
        with portals(settings, asked.portals, API_RATE="1000000/minute") as port:
            warm, taken = Taken(), Taken()
            await _call(port, tokens[:1], warm, range(-_WARM_UP, 0), asked.size)
            began = time.perf_counter()
            await _call(port, tokens, taken, range(asked.requests), asked.size)
            taken.lasted = time.perf_counter() - began
        truth = await _truth(application)
    return told(taken, truth, len(warm.ids), asked)


async def _call(port: int, tokens: Sequence[str], taken: Taken, turns: range, size: int) -> None:
    """Have the callers send these requests, each the next as soon as it is answered."""
    waiting = iter(turns)

    async def lane(token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=120) as client:
            for turn in waiting:
                await Caller(client, taken).record(turn, size)

    async with asyncio.TaskGroup() as group:
        for token in tokens:
            group.create_task(lane(token))


async def _truth(application: Application) -> dict[str, int]:
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        return dict(await driver.fetchrow(_TRUTH))


def percentile(taken: Sequence[float], share: float) -> float:
    """The value that `share` of them do not pass."""
    return sorted(taken)[min(len(taken) - 1, int(share * len(taken)))]


def told(taken: Taken, truth: dict[str, int], warm: int, asked: argparse.Namespace) -> Findings:
    """Put into words what was answered, and whether the database says so too."""
    findings = Findings("api")
    rate = len(taken.ids) / taken.lasted
    rows = [
        (
            name,
            f"{len(seconds):,}",
            *(f"{1000 * value:,.0f} ms" for value in (
                statistics.median(seconds), percentile(seconds, 0.99), max(seconds)
            )),
        )
        for name, seconds in (("recorded", taken.seconds), ("sent again", taken.again))
        if seconds
    ]  # fmt: skip
    asking = f"{asked.callers} callers at {asked.portals} portal process(es)"
    title = f"{asked.size:,} communications to a request, {asking}"
    columns = ("requests", "answered", "median", "p99", "most")
    findings.sheets.append(Sheet(title, columns, rows))
    findings.lines.append(f"Communications accepted a second: {rate:,.0f}.")
    expected = len(taken.ids) + warm
    findings.lines.append(
        f"The database holds {truth['communications']:,} communications under {truth['keys']:,} "
        f"keys for {expected:,} that were answered for; {truth['owed']:,} are owed, "
        f"{truth['delivered']:,} have deliveries."
    )
    wrong = {name: found for name, found in truth.items() if found != expected}
    if wrong:
        findings.unmet.append(f"{expected:,} were answered for, and the database says {wrong}")
    p50, p99 = statistics.median(taken.seconds), percentile(taken.seconds, 0.99)
    findings.plots["api"] = bars(
        f"Milliseconds: {title}",
        [
            Bar("median", p50, f"{1000 * p50:,.0f} ms"),
            Bar("99th percentile", p99, f"{1000 * p99:,.0f} ms", ours=True),
        ],
        machine(),
    )
    findings.figures = {
        "per_second": round(rate),
        "requests": len(taken.seconds),
        "p50": p50,
        "p99": p99,
        "most": max(taken.seconds),
        "truth": truth,
        "answered_for": expected,
    }
    return findings


def main() -> None:
    """Measure over embedded servers of its own."""
    parser = argparse.ArgumentParser(prog="bench.api", description=__doc__)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--callers", type=int, default=4)
    parser.add_argument("--portals", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    with stand(smtp_url="smtp://127.0.0.1:9") as settings:
        findings = asyncio.run(_measure(settings, asked))
    findings.show()
    findings.write(asked.out)


if __name__ == "__main__":
    main()
