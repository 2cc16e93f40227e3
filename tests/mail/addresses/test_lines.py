"""An address in lines: the same that the layout draws, and refuses."""

from dataclasses import replace
from datetime import date
from unicodedata import normalize

import pypdfium2
import pytest

from engine.mail.addresses.checking import check
from engine.mail.addresses.fields import MailAddress
from engine.mail.composing import ComposingError, render_letter_pdf
from tests.mail.publication28 import EXAMPLES
from tests.mail.sample_letters import letter

TODAY = date(2026, 11, 23)
LONG_STREET = "12345 Northwest Martin Luther King Junior"
PLAIN = MailAddress(
    name="Ana Ruiz", addr1="1 Example St", city="Sacramento", state="CA", zip5="95814"
)


def drawn(address: MailAddress) -> list[str]:
    """The lines that stand in the window of a letter to `address`. Raises ComposingError."""
    fields = {name: getattr(address, name) for name in MailAddress.__slots__ if name != "country"}
    pdf = pypdfium2.PdfDocument(render_letter_pdf(letter(**fields), TODAY))
    inch = 72
    box = (
        pdf[0]
        .get_textpage()
        .get_text_bounded(
            left=0.9 * inch, top=(11 - 2.4) * inch, right=4.4 * inch, bottom=(11 - 3.2) * inch
        )
    )
    return [normalize("NFC", line.strip()) for line in str(box).splitlines()]


@pytest.mark.parametrize(
    "address",
    [
        *(example.address for example in EXAMPLES[::6]),
        replace(PLAIN, name="María Fernanda de los Ángeles Núñez-Ibáñez Villaseñor"),
        replace(PLAIN, name="Jose\u0301 Nu\u0301n\u0303ez"),
        replace(PLAIN, addr1=LONG_STREET, addr2="Apartment 1234"),
        replace(PLAIN, addr1=LONG_STREET, addr2="#4"),
    ],
    ids=lambda address: address.addr1,
)
def test_the_lines_are_those_that_are_drawn(address: MailAddress) -> None:
    """What the check answers is what stands in the window of the finished PDF."""
    assert drawn(address) == list(check(address).lines)


@pytest.mark.parametrize("letters", range(20, 32))
def test_the_layout_refuses_what_the_check_refuses(letters: int) -> None:
    """A line grows letter by letter until it is too wide, here and there at the same one."""
    address = replace(PLAIN, addr1="1 " + "MAWTV.ÑO"[: letters % 8] + "LAWN" * (letters // 4))
    if "TOO_MANY_LINES" in check(address).flags:
        with pytest.raises(ComposingError, match="TOO_MANY_LINES"):
            drawn(address)
    else:
        assert drawn(address) == list(check(address).lines)
