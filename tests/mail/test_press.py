"""Parts drawn several at once come in order, and their numbers have no gap."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import date

import psutil
import pytest

from engine.communications.ports import PostalAddress
from engine.mail.composer import ComposerStoppedError, PartComposer
from engine.mail.composing import ComposedPart, compose_part
from engine.mail.frozen_letters import DraftedLetter
from engine.mail.letters import Letter
from engine.mail.press import Press
from tests.mail.sample_letters import both, letter

DAY = date(2026, 11, 23)
BATCH = "ccss_test_letters_20261123_001"
ADDRESS = PostalAddress("", "", "", "", "", "", "", "", confidential=False)


def parts(*, undrawable: str = "") -> list[list[Letter]]:
    """Five parts of two letters; those named in `undrawable` cannot be drawn."""
    return [
        [
            letter(piece_id=first, **({"name": "漢"} if first in undrawable else {})),
            both(piece_id=second, **({"name": "漢"} if second in undrawable else {})),
        ]
        for first, second in ("ab", "cd", "ef", "gh", "ij")
    ]


async def pressed(batch: Sequence[Sequence[Letter]], composer: PartComposer) -> list[ComposedPart]:
    """What the press makes of the parts of `batch`."""

    async def source() -> AsyncIterator[list[DraftedLetter]]:
        for part in batch:
            yield [DraftedLetter(item, 0, ADDRESS) for item in part]

    with composer.crew() as crew:
        press = Press(crew, batch_id=BATCH, document_date=DAY)
        async with aclosing(press.parts(source())) as made:
            return [part async for _, part in made]


def one_by_one(batch: Sequence[Sequence[Letter]]) -> list[ComposedPart]:
    """The same, each part begun when the one before it is known."""
    drawn: list[ComposedPart] = []
    for letters in batch:
        following = 1 + sum(len(part.pieces) for part in drawn)
        drawn.append(compose_part(letters, batch_id=BATCH, document_date=DAY, first_seq=following))
    return drawn


@pytest.mark.parametrize("undrawable", ["", "b", "ab", "adfhi", "abcdefghij"])
@pytest.mark.parametrize("processes", [1, 3])
async def test_ahead_or_one_by_one_is_the_same(undrawable: str, processes: int) -> None:
    """Whatever is held, and wherever: the same bytes, numbers and reasons."""
    batch = parts(undrawable=undrawable)
    assert await pressed(batch, PartComposer(processes)) == one_by_one(batch)


async def test_a_part_that_stops_stops_them_all() -> None:
    """No process goes on with letters that nobody waits for."""
    with pytest.raises(ComposerStoppedError):
        await pressed(parts(), PartComposer(2, timeout_seconds=0.001))
    running = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
    assert not [line for line in running if "composing_process" in line]
