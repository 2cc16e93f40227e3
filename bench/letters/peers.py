"""One peer in a process of its own: letters come in on standard input, its figures go out.

Run as `python -m bench.letters.peers weasyprint-each`; what it must import, and its first letter,
are not counted.
"""

import json
import pickle
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import cast

from bench.memory import sampled_memory
from engine.mail.letters import Letter

Draw = Callable[[Sequence[Letter], str], object]


def _weasyprint_each() -> Draw:
    drawn = import_module("bench.letters.weasyprint_letters").Weasy().one_each
    return cast(Draw, drawn)


def _weasyprint_one() -> Draw:
    drawn = import_module("bench.letters.weasyprint_letters").Weasy().one_document
    return cast(Draw, drawn)


def _reportlab_one() -> Draw:
    return cast(Draw, import_module("bench.letters.reportlab_letters").one_document)


PEERS: Mapping[str, Callable[[], Draw]] = {
    "weasyprint-each": _weasyprint_each,
    "weasyprint-one": _weasyprint_one,
    "reportlab-one": _reportlab_one,
}


def main() -> None:
    """Draw what is read, and print seconds, processor seconds and peak mebibytes as JSON."""
    letters: list[Letter] = pickle.load(sys.stdin.buffer)  # noqa: S301  our own bench wrote it
    draw = PEERS[sys.argv[1]]()
    draw(letters[:1], "warming")
    with sampled_memory({}) as peaks:
        began, busy = time.perf_counter(), time.process_time()
        draw(letters, "bench")
    figures = {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - busy,
        "peak": peaks.of["parent"],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
