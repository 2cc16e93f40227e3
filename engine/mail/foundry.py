"""Makes what letters are struck from: their texts drawn alone, and one mould for all that look
alike. Whatever is static in them is laid out once, however many letters there are."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from engine.mail.drawn_pages import DrawnPages, grouped, runs_in
from engine.mail.laying_out import PASSES, UNSETTLED, document_data, letters_data
from engine.mail.letters import InkKind, Letter
from engine.mail.moulds import Mould, MouldError, MouldReader, Specimen
from engine.mail.typesetting import LayoutRefusedError, typesetter

_SPECIMENS_PER_PAGE: Final = 50
_SPECIMEN_GAP: Final = 90.0
"""Points. The layout leaves 120 between two specimens, and no lines of one are so far apart."""

_LATIN: Final = {
    *map(chr, (*range(0x21, 0x7F), *range(0xA0, 0xAD), *range(0xAE, 0x100))),
    *" –—‘’“”…",
}

_Text = tuple[InkKind, bool, str | tuple[str, ...]]
"""What an ink is part of, whether it is in large print, and its text or lines."""

_STAND_IN: Final = ("X",)
"""What stands for both addresses in a mould: they take up no room in the flow of the words."""


@dataclass(frozen=True, slots=True)
class Inked:
    """A letter with the specimen of each of its inks, and those that its mould is drawn with.

    Letters of the same look can be struck from one mould: they have one outline, and their inks
    take up the same room.
    """

    letter: Letter
    inks: Sequence[Specimen]
    mould_inks: Sequence[Specimen]
    look: Hashable


class Foundry:
    """Draws for the letters of one part; all its documents number their glyphs alike."""

    def __init__(self, letters: Sequence[Letter], *, title: str, day: date) -> None:
        self._letters = letters
        self._title = title
        self._day = day
        self._alphabet = _alphabet(letters)
        self._drawn: DrawnPages | None = None

    @property
    def drawn(self) -> DrawnPages:
        """A document with every typeface inside; there is one once something is drawn."""
        if self._drawn is None:
            raise LookupError("nothing has been drawn")
        return self._drawn

    def inked(self) -> list[Inked]:
        """Every letter, its texts drawn alone. Raises LayoutRefusedError."""
        texts = [_texts(letter) for letter in self._letters]
        drawn = self._specimens(text for of_letter in texts for text in of_letter)
        shapes = {text: _shape(specimen) for text, specimen in drawn.items()}
        stand_ins = {large: [drawn[text] for text in _stand_ins(large)] for large in (False, True)}
        found = []
        for letter, of_letter in zip(self._letters, texts, strict=True):
            inks = [drawn[text] for text in of_letter]
            addresses = stand_ins[letter.large]
            flowing = tuple(shapes[text] for text in of_letter[len(addresses) :])
            mould_inks = (*addresses, *inks[len(addresses) :])
            found.append(Inked(letter, inks, mould_inks, (letter.outline(), flowing)))
        return found

    def moulds(self, letters: Iterable[Inked]) -> dict[Hashable, Mould]:
        """A mould for each look. Raises LayoutRefusedError."""
        wanted: dict[Hashable, Inked] = {}
        for one in letters:
            wanted.setdefault(one.look, one)
        lengths = {look: (1,) * len(one.letter.halves) for look, one in wanted.items()}
        moulds: dict[Hashable, Mould] = {}
        for _ in range(PASSES):
            missing = [look for look in wanted if look not in moulds]
            if not missing:
                return moulds
            plan = [(wanted[look].letter, lengths[look]) for look in missing]
            drawn = self._draw(letters=letters_data(plan, leading=1, stand_in=_STAND_IN))
            reader = MouldReader(drawn)
            for look, start, found, settled in _taken(reader.lengths(), missing, lengths):
                if settled:
                    moulds[look] = _mould(reader, wanted[look], start, found)
                lengths[look] = found
        raise LayoutRefusedError(UNSETTLED)

    def _specimens(self, texts: Iterable[_Text]) -> dict[_Text, Specimen]:
        asked = list(dict.fromkeys((*_stand_ins(False), *_stand_ins(True), *texts)))
        found = [
            specimen
            for content in self._draw(specimens=_sheets(asked)).contents()
            for specimen in grouped(runs_in(content), _SPECIMEN_GAP)
        ]
        if len(found) != len(asked):
            raise LayoutRefusedError("a text could not be drawn")
        specimens = dict(zip(asked, found, strict=True))
        for (_, _, words), specimen in specimens.items():
            if isinstance(words, tuple) and len({run.y for run in specimen}) > len(words):
                raise LayoutRefusedError("a line of an address is wider than was measured")
        return specimens

    def _draw(self, **content: Any) -> DrawnPages:
        document = document_data(self._title, self._day, alphabet=self._alphabet, **content)
        drawn = DrawnPages(typesetter().pdf(document))
        if self._drawn is not None and self._drawn.alphabet() != drawn.alphabet():
            raise LayoutRefusedError("a text has glyphs that no letter of the alphabet has")
        self._drawn = drawn
        return drawn


def _taken(
    found: Sequence[int], looks: Sequence[Hashable], believed: Mapping[Hashable, tuple[int, ...]]
) -> list[tuple[Hashable, int, tuple[int, ...], bool]]:
    """By look: its first page, the lengths found, and whether its page numbers are right: where
    an earlier letter is longer than believed, only single pages are."""
    taken, at, start, drifted = [], 0, 0, False
    for look in looks:
        lengths = tuple(found[at : at + len(believed[look])])
        right = lengths == believed[look]
        drifted = drifted or not right
        taken.append((look, start, lengths, right and (not drifted or set(lengths) == {1})))
        at += len(lengths)
        start += sum(lengths)
    return taken


def _mould(reader: MouldReader, one: Inked, start: int, lengths: Sequence[int]) -> Mould:
    languages = [f"{half.language}-US" for half in one.letter.halves]
    try:
        return reader.mould(start, list(zip(languages, lengths, strict=True)), one.mould_inks)
    except MouldError as error:
        raise LayoutRefusedError(str(error)) from None


def _texts(letter: Letter) -> list[_Text]:
    return [(kind, letter.large, words) for kind, words in letter.inks()]


def _stand_ins(large: bool) -> tuple[_Text, _Text]:
    return (("return", large, _STAND_IN), ("address", large, _STAND_IN))


def _sheets(texts: Sequence[Any]) -> list[Sequence[Any]]:
    """So many texts a page that none ends up where positions lose their precision."""
    return [
        texts[start : start + _SPECIMENS_PER_PAGE]
        for start in range(0, len(texts), _SPECIMENS_PER_PAGE)
    ]


def _shape(specimen: Specimen) -> Hashable:
    """How many runs there are, and how far each stands from the first."""
    first = specimen[0]
    return tuple((round(run.x - first.x, 1), round(run.y - first.y, 1)) for run in specimen)


def _alphabet(letters: Iterable[Letter]) -> str:
    """Every character of Latin 1, and every word that has others, whose glyphs may depend on what
    stands beside them; so parts that are spelt with Latin 1 have the same typefaces inside."""
    others = {text for letter in letters for text in letter.texts() if not _LATIN.issuperset(text)}
    words = {word for text in others for word in text.split() if not _LATIN.issuperset(word)}
    return " ".join((*sorted(_LATIN - {" "}), *sorted(words)))
