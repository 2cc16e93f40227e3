"""`connect bounce classify`: what messages that came back say, one JSON line each."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from engine.cli.at_need import at_need
from engine.email.bounces.classifying import classify as verdict_on
from engine.email.bounces.reading import LONGEST

app = typer.Typer(
    cls=at_need({"serve": "engine.cli.returns:serve", "read": "engine.cli.returns:read"}),
    no_args_is_help=True,
)

# RFC 4155, appendix A: an mbox begins each message with a line of this word, after an empty line.
_SEPARATOR: Final = b"From "


@app.callback()
def bounce() -> None:
    """Mail that came back."""


@app.command()
def classify(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Messages as they came in, or mboxes.")
    ],
) -> None:
    """Say of each message whether it is a bounce, and what it means for the address.

    One line a message, in the order given: hard (the address is dead), soft (it may live),
    complaint, or none. The messages of an mbox are NAME#1, NAME#2 and so on. A file that cannot be
    read is named on standard error, and the exit status is 1 once the others are done.
    """
    unread = 0
    try:
        for path in files:
            try:
                for name, message in _messages(path):
                    print(_line(name, message))
            except BrokenPipeError:
                raise
            except OSError as error:
                unread += 1
                typer.echo(f"connect: {path}: {error.strerror or type(error).__name__}", err=True)
        sys.stdout.flush()
    except BrokenPipeError:
        # What could not be written must not be tried again when Python closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if unread:
        raise typer.Exit(1)


def _line(name: str, message: bytes) -> str:
    verdict = verdict_on(message)
    return json.dumps(
        {
            "file": name,
            "kind": verdict.kind,
            "status": verdict.status,
            "recipient": verdict.recipient,
            "why": verdict.why,
        }
    )


def _messages(path: Path) -> Iterator[tuple[str, bytes]]:
    """Each with its name; of a message only as much as is looked at is kept in memory."""
    with path.open("rb") as file:
        first = file.read(len(_SEPARATOR))
        if first != _SEPARATOR:
            yield str(path), first + file.read(LONGEST)
            return
        file.seek(0)
        messages = _split(file)
        opening = next(messages)
        following = next(messages, None)
        if following is None:
            yield str(path), opening
            return
        yield f"{path}#1", opening
        yield f"{path}#2", following
        for number, message in enumerate(messages, start=3):
            yield f"{path}#{number}", message


def _split(file: BinaryIO) -> Iterator[bytes]:
    kept: list[bytes] = []
    size, after_empty = 0, True
    file.readline()
    while line := file.readline(LONGEST):
        if after_empty and line.startswith(_SEPARATOR):
            yield b"".join(kept)
            kept, size = [], 0
        elif size < LONGEST:
            kept.append(line)
            size += len(line)
        after_empty = line in {b"\n", b"\r\n"}
    yield b"".join(kept)
