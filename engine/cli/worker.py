"""`connect worker`: one worker, for a machine of one's own making."""

import os
import sys


def worker() -> None:
    """Deliver what is owed, until SIGTERM: a process of its own, start as many as you like."""
    # Nothing in `engine` imports `jobs`: the worker replaces this process.
    os.execv(sys.executable, [sys.executable, "-m", "jobs"])  # noqa: S606  our own interpreter  # nosec B606
