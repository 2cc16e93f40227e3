"""What the layout reads of a letter, and one letter laid out alone."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

from engine.mail.drawn_pages import DrawnPages
from engine.mail.letters import Letter
from engine.mail.moulds import MouldReader
from engine.mail.typesetting import LayoutRefusedError, typesetter

PASSES: Final = 6
"""How often a letter is laid out at most until its pages are as many as was believed: page numbers
need the number before it is known, and one page for each language is nearly always right."""

UNSETTLED: Final = "the length of a letter keeps changing"


def document_data(title: str, day: date, **content: Any) -> dict[str, Any]:
    """A document as the layout reads it; it has nothing in it but `content`."""
    empty = {"alphabet": "", "specimens": [], "letters": [], "window": False}
    return {"title": title, "date": [day.year, day.month, day.day]} | empty | content


def draw_alone(letter: Letter, day: date) -> tuple[bytes, dict[str, Any]]:
    """One letter as Typst draws it, and what it was drawn from. Raises LayoutRefusedError."""
    lengths: tuple[int, ...] = (1,) * len(letter.halves)
    for _ in range(PASSES):
        letters = letters_data([(letter, lengths)])
        document = document_data(letter.halves[0].title, day, letters=letters)
        pdf = typesetter().pdf(document)
        found = tuple(MouldReader(DrawnPages(pdf, leading=0)).lengths())
        if found == lengths:
            return pdf, document
        lengths = found
    raise LayoutRefusedError(UNSETTLED)


def letters_data(
    plan: Iterable[tuple[Letter, Sequence[int]]],
    *,
    leading: int = 0,
    stand_in: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Letters as the layout reads them, after `leading` pages, with the pages that each of their
    halves is believed to take."""
    found, start = [], leading + 1
    for letter, lengths in plan:
        found.append(
            {
                "large": letter.large,
                "address": stand_in or letter.recipient.lines(),
                "return_address": stand_in or letter.return_address,
                "taglines": [[line.language, line.text] for line in letter.taglines],
                "halves": _halves_data(letter, lengths, start),
            }
        )
        start += sum(lengths)
    return found


def _halves_data(letter: Letter, lengths: Sequence[int], start: int) -> list[dict[str, Any]]:
    languages = [half.language for half in letter.halves]
    halves, first = [], 1
    for half, pages in zip(letter.halves, lengths, strict=True):
        other = next((language for language in languages if language != half.language), None)
        halves.append(
            half.to_data()
            | {
                "start": start + first - 1,
                "first": first,
                "pages": pages,
                "of": sum(lengths),
                "overleaf_language": other,
                "overleaf": half.overleaf and half.overleaf.format(page=first + pages),
            }
        )
        first += pages
    return halves
