"""JSON logs: one line an event, a stable `event` name, ids and counts; never a person."""

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from engine.errors import ConnectError

_STAMP: Final = structlog.processors.TimeStamper(fmt="iso", utc=True)
_RENDER: Final = structlog.processors.JSONRenderer(ensure_ascii=False)


def reticent_tracebacks(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Say where an exception came from and what kind it is.

    Its text is kept only when it is one of ours: a database's or a mail server's own words may
    quote the row or the address that they complain of.
    """
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    if isinstance(given, tuple):
        given = given[1]
    if isinstance(given, BaseException):
        event["exception"] = type(given).__name__
        if isinstance(given, ConnectError):
            event["says"] = str(given)
        event["where"] = _frames(given.__traceback__)
    return event


def first_line_only(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """asyncio writes what it complains of under its first line: the exception, and its values."""
    event["event"] = str(event["event"]).splitlines()[0] if event.get("event") else ""
    return event


def _frames(origin: TracebackType | None) -> list[str]:
    return [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(origin)][-8:]


def configure_logs(output: TextIO | None = None, *, cached: bool = True) -> None:
    """Send structlog's and the libraries' records to `output` (standard error) as JSON lines.

    arq writes its jobs' arguments (ids) at INFO, and aiosmtplib what it says to servers at DEBUG:
    only their warnings are let through. Loggers that are not `cached` can be configured anew.
    """
    shared: list[Processor] = [structlog.processors.add_log_level, _STAMP, reticent_tracebacks]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *shared, _RENDER],
        logger_factory=structlog.PrintLoggerFactory(output or sys.stderr),
        cache_logger_on_first_use=cached,
    )
    handler = logging.StreamHandler(output or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, first_line_only, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _RENDER],
            # The message with its arguments put in would hold what an error said of a person.
            use_get_message=False,
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    sys.excepthook = _log_uncaught


def _log_uncaught(
    _kind: type[BaseException], error: BaseException, _where: TracebackType | None
) -> None:
    """The last words of a process, as reticent as all the others."""
    structlog.get_logger().critical("process_failed", exc_info=error)


def log_file(data_dir: Path, name: str) -> TextIO:
    """The log of the process `name` under a data folder, to append to."""
    folder = data_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / f"{name}.log").open("a", encoding="utf-8", buffering=1)
