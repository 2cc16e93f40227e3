"""A Maildir into which a mail system delivers what comes back: each message is read once."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from engine.email.bounces.verdict import Kind
from engine.email.incoming.recording import Returns, TooEarlyError
from engine.errors import InputError

log: Final = structlog.get_logger()

MOST_BYTES: Final = 5 * 1024 * 1024
_SEEN: Final = ":2,S"


@dataclass(slots=True)
class Read:
    """What a Maildir held: messages, those that told something new, those that were no bounce, and
    those in which nothing is signed by us."""

    messages: int = 0
    new: int = 0
    no_bounce: int = 0
    untraced: int = 0


async def read_maildir(returns: Returns, folder: Path) -> Read:
    """Take in what stands in `new/`, oldest first, and move it to `cur/` as seen.

    A message is moved when what it says is committed; one that was read and not moved, because the
    machine stopped, changes nothing the second time; one that came too early waits for the next
    run. Raises InputError where there is no Maildir.
    """
    if not (folder / "new").is_dir() or not (folder / "cur").is_dir():
        raise InputError(f"{folder} is no Maildir: it has no new/ and cur/")
    read = Read()
    for path in await asyncio.to_thread(lambda: sorted(_messages(folder))):
        content = await asyncio.to_thread(_content, path)
        if content is None:
            continue
        try:
            taken = await returns.take(content)
        except TooEarlyError:
            continue
        read.messages += 1
        read.new += taken.new
        read.no_bounce += taken.verdict.kind is Kind.NONE
        read.untraced += taken.verdict.kind is not Kind.NONE and not taken.traced
        await asyncio.to_thread(path.rename, folder / "cur" / f"{path.name}{_SEEN}")
    return read


def _messages(folder: Path) -> Iterator[Path]:
    return (path for path in (folder / "new").iterdir() if not path.name.startswith("."))


def _content(path: Path) -> bytes | None:
    """The message, cut where it is longer than any bounce; None where somebody else has it."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("maildir_unreadable", file=path.name, cause=type(error).__name__)
        return None
