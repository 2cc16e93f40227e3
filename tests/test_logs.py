"""Logs: JSON lines with a stable event, and nothing of a person, not even in an exception."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from engine.errors import InputError
from engine.logs import configure_logs

PERSONAL = "ines@example.com"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What was logged."""
    output = io.StringIO()
    configure_logs(output, cached=False)
    yield output
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


def fail(error: Exception, log: Callable[[str], object] | None = None) -> None:
    """Raise `error` and log it, as a worker's last resort does."""
    try:
        raise error
    except type(error):
        (log or structlog.get_logger().exception)("job_failed")


def test_an_event_is_a_line_of_json(written: io.StringIO) -> None:
    """One object a line, with its event, level and time."""
    structlog.get_logger().info("letters_gathered", gathered=2)
    line = json.loads(written.getvalue())
    assert (line["event"], line["level"], line["gathered"]) == ("letters_gathered", "info", 2)
    assert line["timestamp"].endswith("Z")


def test_what_a_server_said_of_a_person_is_not_repeated(written: io.StringIO) -> None:
    """A foreign exception is logged by its type and its place, without its text."""
    fail(ValueError(f"Key (email)=({PERSONAL}) already exists"))
    line = json.loads(written.getvalue())
    assert line["exception"] == "ValueError"
    assert line["where"]
    assert PERSONAL not in written.getvalue()


def test_our_own_errors_may_speak(written: io.StringIO) -> None:
    """The text of an error of ours is fit to show, and is shown."""
    fail(InputError("participants.csv, line 3: language must be en or es"))
    assert json.loads(written.getvalue())["says"].startswith("participants.csv, line 3")


def test_a_library_s_exception_is_as_reticent(written: io.StringIO) -> None:
    """arq logs a failed job with its traceback: the same holds for it."""
    error = RuntimeError(PERSONAL)
    log = logging.getLogger("arq.worker")
    fail(error, lambda said: log.error("%s: %s", said, error, exc_info=error))
    line = json.loads(written.getvalue())
    assert (line["exception"], line["logger"]) == ("RuntimeError", "arq.worker")
    assert PERSONAL not in written.getvalue()


def test_a_library_s_chatter_is_not_kept(written: io.StringIO) -> None:
    """arq would log every job's arguments at INFO."""
    logging.getLogger("arq.worker").info("deliver([1, 2, 3])")
    assert written.getvalue() == ""
