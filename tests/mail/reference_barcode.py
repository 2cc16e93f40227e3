"""The Intelligent Mail barcode written down a second time, from USPS-B-3200, and read back.

It shares nothing with the encoder that is tried against it: neither code nor tables.
"""

import re

_BITS = 102
_GENERATOR = 0x0F35
_NINE_DIGITS_FROM = 1 + 10**5
_ELEVEN_DIGITS_FROM = _NINE_DIGITS_FROM + 10**9

# Each bar takes one bit of one of the ten characters A to J for its descender, and one for its
# ascender: bar 1 descends with bit 2 of H and ascends with bit 3 of E.
_BARS = """
H2E3 B10A0 J12C8 F5G11 I9D1 A1F12 C5B8 E4J11 G3I10 D9H6 F11B4 I5C12 J10A2 H1G7 D6E9 A3I6 G4C7
B1J9 H10F2 E0D8 G2A4 I11B0 J8D12 C6H7 F1E10 B12G9 H3I0 F8J7 E6C10 D4A5 I4F7 H11B9 G0J6 A6E8 C1D2
F9I12 E11G1 J5H4 D3B2 A7C0 B3E1 G10D5 I7J4 C11F6 A8H12 E2I1 F10D0 J3A9 G5C4 H8B7 F0E5 C3A10 G12J2
D11B6 I8H9 F4A11 B5C2 J1E12 I3G6 H0D7 E7H5 A12B11 C9J0 G8F3 D10I2
"""
_STATES = {(False, False): "T", (True, False): "D", (False, True): "A", (True, True): "F"}


def encoded(tracking: str, routing: str) -> str:
    """The bars of two numbers that may be encoded."""
    value = _number(tracking, routing)
    check = _check(value)
    rest, last = divmod(value, 636)
    words = [2 * last]
    for _ in range(8):
        rest, word = divmod(rest, 1365)
        words.insert(0, word)
    words.insert(0, rest + 659 * (check >> 10))
    characters = [
        _CHARACTERS[word] ^ (0x1FFF if check >> place & 1 else 0)
        for place, word in enumerate(words)
    ]
    return "".join(
        _STATES[_bit(characters, descender), _bit(characters, ascender)]
        for descender, ascender in _PLACES
    )


def decoded(bars: str) -> tuple[str, str]:
    """The tracking and routing numbers of 65 bars; ValueError where they are none."""
    characters = [0] * 10
    for state, places in zip(bars, _PLACES, strict=True):
        for inked, (letter, bit) in zip(_inked(state), places, strict=True):
            characters[letter] |= inked << bit
    inverted = [character.bit_count() not in (2, 5) for character in characters]
    words = [
        _WORDS[character ^ (0x1FFF if inverse else 0)]
        for character, inverse in zip(characters, inverted, strict=True)
    ]
    value = words[0] % 659
    for word in words[1:9]:
        value = value * 1365 + word
    value = value * 636 + words[9] // 2
    check = sum(inverse << place for place, inverse in enumerate(inverted))
    if check + (words[0] // 659 << 10) != _check(value):
        raise ValueError("the bars do not agree with their check sequence")
    return _numbers(value)


def _number(tracking: str, routing: str) -> int:
    before = {0: 0, 5: 1, 9: _NINE_DIGITS_FROM, 11: _ELEVEN_DIGITS_FROM}[len(routing)]
    value = int(routing or "0") + before
    value = (value * 10 + int(tracking[0])) * 5 + int(tracking[1])
    return value * 10**18 + int(tracking[2:])


def _numbers(value: int) -> tuple[str, str]:
    value, rest = divmod(value, 10**18)
    value, second = divmod(value, 5)
    value, first = divmod(value, 10)
    return f"{first}{second}{rest:018d}", _routing(value)


def _routing(value: int) -> str:
    if value == 0:
        return ""
    if value < _NINE_DIGITS_FROM:
        return f"{value - 1:05d}"
    if value < _ELEVEN_DIGITS_FROM:
        return f"{value - _NINE_DIGITS_FROM:09d}"
    return f"{value - _ELEVEN_DIGITS_FROM:011d}"


def _check(value: int) -> int:
    """The frame check sequence: a CRC of 11 bits over the 102 bits of the number."""
    sequence = 0x07FF
    for place in reversed(range(_BITS)):
        sequence = sequence << 1 ^ (_GENERATOR if (sequence >> 10 ^ value >> place) & 1 else 0)
        sequence &= 0x07FF
    return sequence


def _table(ones: int) -> list[int]:
    """The numbers of 13 bits with so many ones: each beside its mirror image, the lower first;
    those that are their own mirror image at the end, the highest first."""
    found = [number for number in range(1 << 13) if number.bit_count() == ones]
    mirrored = {number: int(f"{number:013b}"[::-1], 2) for number in found}
    pairs = [(number, mirrored[number]) for number in found if number < mirrored[number]]
    alone = [number for number in found if number == mirrored[number]]
    return [number for pair in pairs for number in pair] + alone[::-1]


_CHARACTERS = _table(5) + _table(2)
_WORDS = {character: word for word, character in enumerate(_CHARACTERS)}


def _places() -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Of each bar: the character and bit of its descender, and of its ascender."""
    places = [
        ("ABCDEFGHIJ".index(letter), int(bit)) for letter, bit in re.findall(r"([A-J])(\d+)", _BARS)
    ]
    return list(zip(places[::2], places[1::2], strict=True))


_PLACES = _places()


def _bit(characters: list[int], place: tuple[int, int]) -> bool:
    return bool(characters[place[0]] >> place[1] & 1)


def _inked(state: str) -> tuple[bool, bool]:
    return state in "DF", state in "AF"
