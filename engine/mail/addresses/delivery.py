"""What a delivery line must say: where, and in which unit (USPS Publication 28, §§ 213, 23 to 29).

The rules name what cannot be delivered as it stands. Whether a complete address exists, only the
vendor's CASS can say.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from engine.mail.addresses.flags import Flag

_WORD: Final = re.compile(r"#|\w+(?:(?:['’/&-]|(?<=\d)\.(?=\d))\w+)*")

# Publication 28, appendix C2: these ask for a number after them. KEY, PIER, SLIP and STOP end
# street names too (OLD SLIP), and buildings are called by name (FERRY BUILDING): such words
# ask for a number only where they cannot be the name of something.
_UNITS: Final = frozenset({
    "#", "APT", "APARTMENT", "APTO", "APARTAMENTO", "STE", "SUITE", "UNIT", "SPC", "TRLR",
    "PMB",
})  # fmt: skip
_UNITS_AFTER_A_STREET: Final = frozenset({
    "BLDG", "DEPT", "EDIF", "FL", "HNGR", "LOT", "OFICINA", "RM", "SP", "SPACE", "TRAILER",
})  # fmt: skip
_UNITS_ALONE: Final = frozenset({
    "BUILDING", "DEPARTMENT", "EDIFICIO", "FLOOR", "HANGAR", "KEY", "PIER", "ROOM", "SLIP",
    "STOP",
})  # fmt: skip
_DESIGNATORS: Final = _UNITS | _UNITS_AFTER_A_STREET | _UNITS_ALONE
_NO_NUMBER: Final = frozenset({"N/A", "NONE", "UNK", "UNKNOWN"})
_WHERE_IN_THE_HOUSE: Final = frozenset({
    "BACK", "BASEMENT", "BOTTOM", "BSMT", "DOWNSTAIRS", "FRNT", "FRONT", "GARAGE", "GARDEN",
    "GUEST", "LEFT", "LOWER", "LOWR", "MIDDLE", "REAR", "RIGHT", "SIDE", "STUDIO", "TOP", "UPPER",
    "UPPR", "UPSTAIRS",
})  # fmt: skip
_UNITS_WITHOUT_STREET: Final = frozenset({
    "#", "APT", "APARTMENT", "APTO", "APARTAMENTO", "STE", "SUITE", "UNIT",
})  # fmt: skip

_STREETS: Final = frozenset({
    "ST", "STR", "STREET", "AVE", "AV", "AVENUE", "RD", "ROAD", "DR", "DRIVE", "LN", "LANE",
    "BLVD", "BOULEVARD", "CT", "COURT", "CIR", "CIRCLE", "PL", "PLACE", "TER", "TERRACE",
    "WAY", "HWY", "HIGHWAY", "PKWY", "PARKWAY", "TRL", "TRAIL",
})  # fmt: skip
_DIRECTIONS: Final = frozenset({
    "N", "S", "E", "W", "NE", "NW", "SE", "SW", "NORTH", "SOUTH", "EAST", "WEST",
})  # fmt: skip
_NUMBER_WORDS: Final = frozenset({
    "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN", "ELEVEN",
    "TWELVE", "THIRTEEN", "FOURTEEN", "FIFTEEN", "SIXTEEN", "SEVENTEEN", "EIGHTEEN",
    "NINETEEN", "TWENTY", "THIRTY", "FORTY", "FIFTY", "SIXTY", "SEVENTY", "EIGHTY", "NINETY",
})  # fmt: skip
_ORDINAL: Final = re.compile(r"\d+(?:ST|ND|RD|TH)", re.ASCII)
_PLACEHOLDERS: Final = frozenset({
    "ADDRESS UNKNOWN", "DESCONOCIDO", "HOMELESS", "N/A", "NA", "NO ADDRESS", "NO CURRENT ADDRESS",
    "NO FIXED ADDRESS", "NO KNOWN ADDRESS", "NO STREET ADDRESS", "NONE", "NOT AVAILABLE",
    "NOT PROVIDED", "NULL", "SIN DOMICILIO", "TBD", "TRANSIENT", "UNK", "UNKNOWN",
    "UNKNOWN ADDRESS", "X", "XX", "XXX", "XXXX",
})  # fmt: skip
# A box, a route or a military unit whose number, or whose box's number, is not there.
_UNNUMBERED: Final = re.compile(
    r"""
    (?: (?:P\ ?O\ |POST\ OFFICE\ |LOCK\ |CALLER\ )? BOX | P\ ?OBOX | P\ ?O\ ?B | P\ ?O
      | POST\ OFFICE | (?:P\ ?O\ )?DRAWER | CALLER | LOCKBOX | APARTADO(?:\ POSTAL)?
      )
    | (?: R\ ?R | RURAL\ (?:ROUTE|RTE?) | R\ ?F\ ?D | H\ ?C | HIGHWAY\ CONTRACT(?:\ ROUTE)?
      | STAR\ (?:ROUTE|RTE?)
      ) (?:[\ -]?\d[\w-]*)? (?:\ BOX)?
    | (?: PSC | CMR | UNIT | OMC ) (?: (?:\ [\w-]+)? \ BOX )?
    """,
    re.VERBOSE,
)


def is_placeholder(line: str) -> bool:
    """Whether the line, in upper case, only says that something is not known."""
    return " ".join(_words(line)) in _PLACEHOLDERS


def delivery_flags(street: str, unit: str, *, military: bool) -> Iterator[Flag]:
    """What is wrong with a delivery line and its unit, given in upper case.

    `military` is an address of an armed forces' post office, where UNIT opens the line.
    """
    first, second = _words(street), _words(unit)
    line = first + second
    if not first or not _tells_where(line, military=military) or is_placeholder(street):
        yield "INCOMPLETE"
    if _lacks_unit_number(line, second):
        yield "MISSING_UNIT"


def _words(line: str) -> list[str]:
    """The words of a line, `#` standing alone, without other punctuation."""
    return _WORD.findall(line)


def _tells_where(line: Sequence[str], *, military: bool) -> bool:
    """Whether a letter carrier could go by it."""
    if not any(map(str.isalpha, "".join(line))):
        return False
    if _UNNUMBERED.fullmatch(" ".join(word for word in line if word != "#")):
        return False
    return not _lacks_house_number(line) and (military or not _is_only_a_unit(line))


def _lacks_unit_number(line: Sequence[str], second: Sequence[str]) -> bool:
    """Whether a unit is named without the number that tells which (Pub 28 § 213, appendix C2).

    A unit may have a name in place of a number: REAR UNIT, CHILD SUPPORT UNIT, FERRY BUILDING.
    """
    if line and line[-1] in _NO_NUMBER:
        line, second = line[:-1], second[:-1]
    if not line or line[-1] not in _DESIGNATORS:
        return False
    before = line[-2] if len(line) > 1 else ""
    if line[-1] in _UNITS:
        return before not in _WHERE_IN_THE_HOUSE and not _is_name(second)
    return second == line[-1:] or (line[-1] in _UNITS_AFTER_A_STREET and before in _STREETS)


def _is_name(unit: Sequence[str]) -> bool:
    """Whether the words before the designator that ends a second line are what it is called."""
    called = unit[:-1]
    return bool(called) and _DESIGNATORS.isdisjoint(called) and not any(map(_is_number, called))


def _is_only_a_unit(line: Sequence[str]) -> bool:
    """APT 4, and nothing of the house it is in."""
    return line[0] in _UNITS_WITHOUT_STREET and sum(word != "#" for word in line[1:]) <= 1


def _lacks_house_number(line: Sequence[str]) -> bool:
    """A street, or a lone word, and no number on it: MAIN ST, 5TH AVE APT 4, BROADWAY."""
    primary = _before_unit(line)
    if any(map(_is_number, primary)) or primary[0].partition("-")[0] in _NUMBER_WORDS:
        return False
    while len(primary) > 1 and primary[-1] in _DIRECTIONS:
        primary = primary[:-1]
    return primary[-1] in _STREETS or len(line) == 1


def _before_unit(line: Sequence[str]) -> Sequence[str]:
    end = next((at for at, word in enumerate(line) if at and word in _DESIGNATORS), len(line))
    return line[:end]


def _is_number(word: str) -> bool:
    """Whether a house may have it: it holds a digit, and is not a numbered street's name."""
    return any(map(str.isdigit, word)) and not _ORDINAL.fullmatch(word)
