"""The Intelligent Mail barcode: encoded as USPS does it, and refused where USPS refuses it."""

import re

import pytest
import zint
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.barcode import RefusedBarcodeError, encode
from tests.mail.reference_barcode import decoded, encoded

TRACKING = "01234567094987654321"


def legal_tracking(number: int) -> str:
    """One of the fifty million million million, by its number."""
    start, rest = divmod(number, 10**18)
    return f"{start // 5}{start % 5}{rest:018d}"


def legal_routing(digits: int, number: int) -> str:
    """The end of `number`, so many digits long."""
    return f"{number:011d}"[11 - digits :]


TRACKINGS = st.integers(0, 5 * 10**19 - 1).map(legal_tracking)
ROUTINGS = st.tuples(st.sampled_from((0, 5, 9, 11)), st.integers(0, 10**11 - 1)).map(
    lambda chosen: legal_routing(*chosen)
)


@pytest.mark.parametrize(
    ("tracking", "routing", "bars"),
    [
        # USPS-B-3200, the examples of its appendix.
        (TRACKING, "", "ATTFATTDTTADTAATTDTDTATTDAFDDFADFDFTFFFFFTATFAAAATDFFTDAADFTFDTDT"),
        (TRACKING, "01234", "DTTAFADDTTFTDTFTFDTDDADADAFADFATDDFTAAAFDTTADFAAATDFDTDFADDDTDFFT"),
        (
            TRACKING,
            "012345678",
            "ADFTTAFDTTTTFATTADTAAATFTFTATDAAAFDDADATATDTDTTDFDTDATADADTDFFTFA",
        ),
        (
            TRACKING,
            "01234567891",
            "AADTFFDFTDADTAADAATFDTDDAAADDTDTTDAFADADDDTFFFDDTTTADFAAADFTDAADA",
        ),
        # From the test cases that USPS publishes with its own encoder.
        (
            "53379777234994544928",
            "51135759461",
            "DAFDTDAFFDFTDADTDDFTTFDTATATFFFDFTTFFFTFDDTDAAFATDFTFDFDTTTDTTFDA",
        ),
        (
            "94999999999999999999",
            "99999999999",
            "TDFAADDFAFDFFTADFATDAADDFDFTAFATFAFTTATDTFDDFAAFTTFADAAFTFTADFTTD",
        ),
    ],
)
def test_the_published_examples(tracking: str, routing: str, bars: str) -> None:
    """What USPS has encoded, bar for bar."""
    assert encode(tracking, routing) == bars
    assert decoded(bars) == (tracking, routing)


@settings(max_examples=300, deadline=None)
@given(TRACKINGS, ROUTINGS)
def test_every_legal_barcode_is_encoded_and_reads_back(tracking: str, routing: str) -> None:
    """Any legal numbers give the bars of the specification, from which they are read again."""
    bars = encode(tracking, routing)
    assert bars == encoded(tracking, routing)
    assert decoded(bars) == (tracking, routing)


@pytest.mark.parametrize("digits", [0, 5, 9, 11])
def test_two_thousand_of_each_length(digits: int) -> None:
    """Spread evenly over all there are, our bars are those of the specification."""
    for step in range(2000):
        tracking = legal_tracking(step * 0x9E3779B97F4A7C15 % (5 * 10**19))
        routing = legal_routing(digits, step * 0x9E3779B1 % 10**11)
        bars = encode(tracking, routing)
        assert bars == encoded(tracking, routing)
        assert decoded(bars) == (tracking, routing)


@pytest.mark.parametrize("digits", [0, 5, 9, 11])
def test_another_encoder_agrees(digits: int) -> None:
    """Zint, which was tried with every published case of USPS, draws the same bars."""
    for step in range(200):
        tracking = legal_tracking(step * 0x9E3779B97F4A7C15 % (5 * 10**19))
        routing = legal_routing(digits, step * 0x9E3779B1 % 10**11)
        assert encode(tracking, routing) == drawn_by_zint(tracking, routing)


def drawn_by_zint(tracking: str, routing: str) -> str:
    """The bars of Zint's drawing, which has three rows: above, beside and beneath the tracker."""
    symbol = zint.Symbol()
    symbol.symbology = zint.Symbology.USPS_IMAIL
    symbol.encode(f"{tracking}-{routing}")
    packed = symbol.encoded_data
    above, beneath = (
        [packed[row, column // 8] >> (column % 8) & 1 for column in range(0, symbol.width, 2)]
        for row in (0, 2)
    )
    return "".join("TDAF"[2 * top + foot] for top, foot in zip(above, beneath, strict=True))


@pytest.mark.parametrize("routing", ["", "00000", "99999", "0" * 9, "9" * 9, "0" * 11, "9" * 11])
@pytest.mark.parametrize("tracking", ["0" * 20, "94" + "9" * 18])
def test_the_ends_of_every_range(tracking: str, routing: str) -> None:
    """The least and the greatest of each length, whose codes lie side by side, stay apart."""
    assert decoded(encode(tracking, routing)) == (tracking, routing)


@pytest.mark.parametrize("first", range(10))
@pytest.mark.parametrize("second", range(10))
def test_the_second_digit_of_the_barcode_identifier(first: int, second: int) -> None:
    """0 to 4 and no more: a greater one would be read as another piece's number."""
    tracking = f"{first}{second}" + TRACKING[2:]
    if second <= 4:
        assert decoded(encode(tracking, "95814")) == (tracking, "95814")
    else:
        with pytest.raises(RefusedBarcodeError, match="second digit"):
            encode(tracking, "95814")


@pytest.mark.parametrize("length", [*range(20), *range(21, 40)])
def test_tracking_of_another_length_is_refused(length: int) -> None:
    """20 digits and no other number of them: ReportLab would take 25, 29 or 31 for both."""
    with pytest.raises(RefusedBarcodeError, match="tracking must be 20 digits"):
        encode("0" * length, "")


@pytest.mark.parametrize("length", set(range(1, 32)) - {5, 9, 11})
def test_routing_of_another_length_is_refused(length: int) -> None:
    """5, 9 or 11 digits, or none."""
    with pytest.raises(RefusedBarcodeError, match="routing must be 0, 5, 9 or 11 digits"):
        encode(TRACKING, "0" * length)


@pytest.mark.parametrize(
    "digit",
    [
        *("٣", "३", "３", "𝟛", "²", "³", "①", "三", "Ⅲ", "½"),
        *("_", "-", "+", ".", " ", "\t", "\n", "\0", "e", "x", "O", "l", "\u200b", "\u202e"),
    ],
)
def test_only_the_ten_digits_are_digits(digit: str) -> None:
    """What `str.isdigit` or `int` would let pass is refused wherever it stands."""
    for place in range(20):
        with pytest.raises(RefusedBarcodeError, match="tracking"):
            encode(TRACKING[:place] + digit + TRACKING[place + 1 :], "95814")
    for routing in ("95814", "958140042", "95814004299"):
        for place in range(len(routing)):
            with pytest.raises(RefusedBarcodeError, match="routing"):
                encode(TRACKING, routing[:place] + digit + routing[place + 1 :])


@pytest.mark.parametrize(
    ("tracking", "routing"),
    [(TRACKING + "\n", ""), ("\n" + TRACKING, ""), (TRACKING, "95814\n"), (TRACKING, "\n")],
)
def test_nothing_is_trimmed(tracking: str, routing: str) -> None:
    """A line feed before or after the digits is refused, and not overlooked."""
    with pytest.raises(RefusedBarcodeError):
        encode(tracking, routing)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(TRACKINGS, st.text(max_size=40), st.text("0123456789", max_size=40)),
    st.one_of(ROUTINGS, st.text(max_size=15), st.text("0123456789", max_size=15)),
)
def test_what_is_illegal_is_refused_and_nothing_else(tracking: str, routing: str) -> None:
    """Either the bars read back to what was given, or it was illegal and is not repeated."""
    legal = re.fullmatch(r"[0-9][0-4][0-9]{18}", tracking) and re.fullmatch(
        r"|[0-9]{5}|[0-9]{9}|[0-9]{11}", routing
    )
    if legal:
        assert decoded(encode(tracking, routing)) == (tracking, routing)
    else:
        with pytest.raises(RefusedBarcodeError) as refused:
            encode(tracking, routing)
        assert len(tracking) < 6 or tracking not in str(refused.value)


def test_one_barcode_leaves_nothing_behind_for_the_next() -> None:
    """The same numbers give the same bars, whatever was encoded or refused between."""
    before = encode(TRACKING, "95814")
    encode(TRACKING[::-1].replace("12", "21"), "")
    with pytest.raises(RefusedBarcodeError):
        encode(TRACKING, "9581")
    assert encode(TRACKING, "95814") == before != encode(TRACKING, "")
