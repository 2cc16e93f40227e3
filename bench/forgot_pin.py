"""Whether *Forgot PIN?* answers in the same time for those who matched and those who did not.

    python -m bench.forgot_pin [--rounds 600]

The two are asked for in turn, over real PostgreSQL and Redis, through the portal's own HTTP server
code. What it prints is the ratio of their medians, beside the ratio between two halves of the same
kind: a difference smaller than that is none.
"""

import argparse
import asyncio
import statistics
import time
from pathlib import Path

import httpx
from rich.progress import track

from bench.findings import OUT, Findings, Sheet
from bench.stand import stand
from engine.bootstrap import Application, open_application
from engine.caseload.columns import Rules
from engine.caseload.importing import import_caseload
from engine.caseload.sample import write_sample
from engine.portal.app import create_app
from engine.stack.visitors import Visitor, hidden_fields, visitors_from

PARTICIPANTS = 2_000
WARM_UP = 50


async def _ask(client: httpx.AsyncClient, visitor: Visitor) -> float:
    """Seconds that the portal took to answer one posted form."""
    page = await client.get("/en/forgot-pin")
    data = {
        **hidden_fields(page.text),
        "first_name": visitor.first_name,
        "last_name": visitor.last_name,
        "participant_id": visitor.participant_id,
        "method": visitor.method,
    }
    started = time.perf_counter()
    answer = await client.post("/en/forgot-pin", data=data)
    took = time.perf_counter() - started
    if answer.status_code != 303:
        raise SystemExit(f"the form was answered with {answer.status_code}")
    return took


async def _measure(application: Application, folder: Path, rounds: int) -> Findings:
    write_sample(folder, participants=PARTICIPANTS, seed=1)
    await import_caseload(application.engine, folder, Rules())
    known = list(visitors_from(folder, rounds))
    times: dict[str, list[float]] = {"matched": [], "no match": []}
    transport = httpx.ASGITransport(create_app(application))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
        for number, visitor in enumerate(track(known, "asking")):
            stranger = Visitor(
                visitor.first_name, visitor.last_name, f"99{number:08d}", "en", visitor.method
            )
            for kind, asked in (("matched", visitor), ("no match", stranger)):
                times[kind].append(await _ask(client, asked))
    return _told(times)


def _told(times: dict[str, list[float]]) -> Findings:
    findings = Findings("forgot_pin")
    medians = {kind: statistics.median(taken[WARM_UP:]) for kind, taken in times.items()}
    of_two = medians["matched"] / medians["no match"]
    halves = times["matched"][WARM_UP::2], times["matched"][WARM_UP + 1 :: 2]
    within = statistics.median(halves[0]) / statistics.median(halves[1])
    rows = [(kind, f"{1000 * median:.2f} ms") for kind, median in medians.items()]
    findings.sheets.append(Sheet("Forgot PIN? answered, medians", ("asked for by", "took"), rows))
    findings.lines.append(
        f"The two differ by a ratio of {of_two:.3f}; two halves of those who matched, by one of "
        f"{within:.3f}."
    )
    findings.figures = {"seconds": medians, "of_two": of_two, "within_one": within}
    return findings


def main() -> None:
    """Measure over embedded servers of its own."""
    parser = argparse.ArgumentParser(prog="bench.forgot_pin", description=__doc__)
    parser.add_argument("--rounds", type=int, default=600)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    with stand(forgot_pin_rate="1000000/minute") as settings:

        async def run() -> Findings:
            async with open_application(settings) as application:
                return await _measure(application, settings.data_dir / "caseload", asked.rounds)

        findings = asyncio.run(run())
    findings.show()
    findings.write(asked.out)


if __name__ == "__main__":
    main()
