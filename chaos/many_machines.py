"""Many machines, as far as one can show it: every server a process of its own over TCP, and the
primary of Redis killed in the middle of the work.

    python -m chaos.many_machines [--communications 5000] [--seed N] [--json FILE]

It needs Debian's postgresql, redis-server and redis-sentinel, and moto_server, or another program
that serves S3 and is named by S3_SERVER. The account of every communication is the suite's.
"""

import argparse
import asyncio
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

from rich.console import Console
from rich.progress import Progress
from sqlalchemy.engine import make_url

from chaos.debian import Bucket, LackingError, SentinelRedis, TcpPostgres
from chaos.ground import Ground
from chaos.running import Result, run
from chaos.scenario import Scenario
from chaos.showing import as_json, sheet, told_of, told_of_one
from chaos.work import participants_for
from chaos.world import World
from engine.logs import configure_logs, log_file
from engine.migrations.roles import ROLES, login_of
from engine.settings import load_settings

WORKERS: Final = 4
FAILOVERS: Final = 2


@dataclass(slots=True, kw_only=True)
class ManyMachines(Ground):
    """The suite's ground over Debian's servers."""

    postgres: TcpPostgres  # type: ignore[assignment]  # it has what the suite asks of one
    redis: SentinelRedis  # type: ignore[assignment]  # likewise
    bucket: Bucket

    def migrate(self, participants: int, seed: int) -> str:
        """As ever; then each role's login gets the password that is asked for over TCP."""
        url = Ground.migrate(self, participants, seed)
        asyncio.run(self._give_passwords(str(make_url(url).password)))
        return url

    async def _give_passwords(self, password: str) -> None:
        for role in ROLES:
            await self._say(f"ALTER ROLE {login_of(role)} PASSWORD '{password}'")

    async def flush_redis(self) -> None:
        """Everything that Redis holds is gone."""
        await self.redis.flush()

    def close(self) -> None:
        """Stop all that was started."""
        for server in (self.bucket, self.redis, self.postgres):
            server.stop()


async def fail_over(world: World) -> None:
    """The primary dies, the replica is made the primary, and the dead one comes back as its
    replica; then the other way round."""
    ground = world.ground
    assert isinstance(ground, ManyMachines)  # noqa: S101  this scenario runs nowhere else
    while len(world.workers) < WORKERS:
        await world.start_worker()
    for number in range(FAILOVERS):
        await world.until_taken(0.15 + 0.3 * number)
        await ground.redis.until_followed()
        dead = await ground.redis.primary()
        assert dead is not None  # noqa: S101  the sentinels know one another, and it
        killed = time.monotonic()
        async with world.broken("the primary of Redis is killed"):
            ground.redis.kill(dead)
            alive = await ground.redis.primary_after(dead)
        world.notes.append(f"another primary after {time.monotonic() - killed:.1f} s")
        ground.redis.serve(dead, alive)
    await ground.redis.until_followed()


async def documents_are_in_the_bucket(world: World) -> list[str]:
    """That the account read them there, and in no folder."""
    posted = await world.fetch("SELECT count(*) AS n FROM document")
    world.notes.append(f"{posted[0]['n']} documents in the bucket; {len(world.workers)} workers")
    kept = world.settings.data_dir / "documents"
    return ["documents lie in a folder"] if kept.exists() and any(kept.rglob("*.pdf")) else []


FAILOVER: Final = Scenario(
    "failover",
    0,
    f"the primary of Redis is killed {FAILOVERS} times under Sentinel",
    fail_over,
    # So few are taken at a time that the work hangs by the bell, and not by what a worker holds.
    environment={"CHUNK": "50"},
    pace=0.1,
    also=documents_are_in_the_bucket,
)


def main() -> None:
    """Run it; end with 1 where a promise was not kept."""
    parser = argparse.ArgumentParser(prog="chaos.many_machines", description=__doc__)
    parser.add_argument("--communications", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--folder", type=Path, default=Path("var/many-machines"))
    parser.add_argument("--json", type=Path, help="also write the figures there")
    asked = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    shutil.rmtree(asked.folder, ignore_errors=True)
    asked.folder.mkdir(parents=True)
    configure_logs(log_file(asked.folder, "chaos"))
    try:
        result = _run(asked.folder.resolve(), asked.communications, asked.seed, console)
    except LackingError as error:
        sys.exit(f"many_machines: {error}")
    told = told_of([told_of_one(result)], asked.communications, asked.seed, lanes=1)
    console.print(sheet(told).drawn())
    for said in (*result.faults, *result.notes):
        console.print(f"    {said}")
    if asked.json is not None:
        asked.json.write_text(as_json(told))
    sys.exit(0 if result.stands else 1)


def _run(folder: Path, communications: int, seed: int, console: Console) -> Result:
    servers = TcpPostgres(folder / "postgres"), SentinelRedis(folder / "redis")
    ground = ManyMachines(
        folder=folder,
        postgres=servers[0],
        redis=servers[1],
        redis_port=0,
        bucket=Bucket(folder / "s3"),
    )
    try:
        for server in (*servers, ground.bucket):
            server.start()
        # The processes inherit it; so does the account, which reads every document.
        os.environ.update(ground.bucket.environment)
        settings = load_settings(
            data_dir=folder,
            database_url=ground.migrate(participants_for(communications), seed),
            redis_url=ground.redis.url,
            smtp_url="smtp://127.0.0.1:9",
        )
        asyncio.run(ground.fill(settings))
        random = Random(seed)  # noqa: S311  the same seed breaks the same things
        with Progress(console=console, transient=True) as bar:
            return asyncio.run(run(ground, FAILOVER, communications, random, bar))
    finally:
        ground.close()


if __name__ == "__main__":
    main()
