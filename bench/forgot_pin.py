"""Whether *Forgot PIN?* answers in the same time for those who matched and those who did not.

The two are asked for in turn, over real PostgreSQL and Redis, through the portal's own HTTP server
code. What it prints is the ratio of their medians, beside the ratio between two halves of the same
kind: a difference smaller than that is none.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import httpx
from rich.progress import track

from engine.bootstrap import Application, open_application
from engine.caseload.columns import Rules
from engine.caseload.importing import import_caseload
from engine.caseload.sample import write_sample
from engine.logs import configure_logs, log_file
from engine.migrations.run import upgrade
from engine.portal.app import create_app
from engine.settings import load_settings
from engine.stack.servers import servers_for
from engine.stack.visitors import Visitor, hidden_fields, visitors_from

PARTICIPANTS = 2_000
ROUNDS = 600


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


async def _measure(application: Application, folder: Path) -> None:
    write_sample(folder, participants=PARTICIPANTS, seed=1)
    await import_caseload(application.engine, folder, Rules())
    known = list(visitors_from(folder, ROUNDS))
    times: dict[str, list[float]] = {"matched": [], "no match": []}
    transport = httpx.ASGITransport(create_app(application))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
        for number, visitor in enumerate(track(known, "asking")):
            stranger = Visitor(
                visitor.first_name, visitor.last_name, f"99{number:08d}", "en", visitor.method
            )
            for kind, asked in (("matched", visitor), ("no match", stranger)):
                times[kind].append(await _ask(client, asked))
    medians = {kind: statistics.median(taken[50:]) for kind, taken in times.items()}
    halves = times["matched"][50::2], times["matched"][51::2]
    for kind, median in medians.items():
        print(f"{kind:10} median {median * 1000:.2f} ms")
    print(f"ratio of the two    {medians['matched'] / medians['no match']:.3f}")
    print(f"ratio within one    {statistics.median(halves[0]) / statistics.median(halves[1]):.3f}")


def main() -> None:
    """Measure over embedded servers of its own."""
    with tempfile.TemporaryDirectory() as folder:
        configure_logs(log_file(Path(folder), "bench"))
        given = load_settings(
            data_dir=Path(folder),
            forgot_pin_rate="1000000/minute",
            database_url=None,
            redis_url=None,
            smtp_url=None,
        )
        with servers_for(given) as settings:
            assert settings.database_url is not None  # noqa: S101  servers_for fills it in
            upgrade(settings.database_url.get_secret_value())

            async def run() -> None:
                async with open_application(settings) as application:
                    await _measure(application, Path(folder) / "caseload")

            asyncio.run(run())


if __name__ == "__main__":
    main()
