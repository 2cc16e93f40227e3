"""`python -m jobs`: one worker process, until SIGTERM."""

import asyncio
import gc
import sys
from typing import Final

import uvloop

from engine.errors import ConnectError
from engine.logs import configure_logs
from engine.settings import load_settings
from engine.stack.servers import served
from jobs.worker import run_worker

_YOUNG_OBJECTS: Final = 50_000
"""A worker makes and drops objects by the thousand, of which hardly any are part of a cycle: with
Python's own 700, every twentieth of its time goes into looking for them."""


def main() -> None:
    """Work with the settings of the environment."""
    gc.set_threshold(_YOUNG_OBJECTS)
    configure_logs()
    try:
        settings = served(load_settings())
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_worker(settings))
    except ConnectError as error:
        sys.exit(f"connect worker: {error}")


if __name__ == "__main__":
    main()
