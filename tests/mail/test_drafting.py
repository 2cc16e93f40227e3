"""From facts to a letter: whose words stand in it, in which languages, for whom."""

from dataclasses import replace

import pytest

from engine.communications.catalogue import CATALOGUE, Channel, Notice
from engine.communications.ports import PostalAddress
from engine.communications.rendering import Renderer
from engine.i18n import Language
from engine.mail.drafting import Draft, draft_letter
from engine.mail.letters import Letter, Tagline
from engine.mail.typeface import undrawable_characters
from engine.settings import Agency
from engine.stack.gallery import SAMPLE_DAY, every_notice

AGENCY = Agency()
ADDRESS = PostalAddress(
    name="Ana Paz",
    addr1="1200 Example Street",
    addr2="",
    urbanization="",
    city="Sacramento",
    state="CA",
    zip5="95814",
    zip4="",
    confidential=False,
)


def draft(notice: Notice, language: Language) -> Draft:
    """The sample of a notice."""
    return Draft(
        piece_id="piece",
        notice=notice,
        language=language,
        facts=notice.sample,
        secret=notice.sample_secret,
        address=ADDRESS,
    )


def letter(one: Draft, agency: Agency = AGENCY) -> Letter:
    """The letter of a draft, under an agency's names."""
    renderer = Renderer(agency, "https://connect.example")
    return draft_letter(renderer, one, agency.return_address, SAMPLE_DAY)


@pytest.mark.parametrize(("notice", "language"), list(every_notice(Channel.MAIL)))
def test_every_notice_has_both_languages(notice: Notice, language: Language) -> None:
    """A reader of Spanish gets an English half as well, behind; all of it can be drawn, and asks
    for one thing, set apart."""
    drafted = letter(draft(notice, language))
    assert [half.language for half in drafted.halves] == {"en": ["en"], "es": ["es", "en"]}[
        language
    ]
    assert undrawable_characters("".join(drafted.texts())) == set()
    for half in drafted.halves:
        assert [block.to_data()["kind"] for block in half.blocks].count("action") == 1


def test_taglines_are_in_the_languages_the_letter_is_not() -> None:
    """One line says in other languages that there is help, and at which number; what the reader
    already holds is not repeated, and a profile may name none."""
    notice = CATALOGUE["payment_notice"]
    english, spanish = (letter(draft(notice, language)).taglines for language in ("en", "es"))
    assert [line.language for line in english] == ["es", "vi", "tl", "hmn", "en"]
    assert [line.language for line in spanish] == ["vi", "tl", "hmn", "es"]
    assert spanish[-1] == Tagline("es", AGENCY.phone)
    assert letter(draft(notice, "en"), Agency(taglines={})).taglines == ()


def test_what_the_piece_needs_goes_with_it() -> None:
    """Large print for those who asked for it; our own barcode where there is one."""
    one = draft(CATALOGUE["payment_notice"], "en")
    assert (letter(one).large, letter(one).imb) == (False, "")
    other = letter(replace(one, large=True, imb="F" * 65))
    assert (other.large, other.imb) == (True, "F" * 65)


def test_letters_of_a_county_come_back_to_its_office() -> None:
    """The profile names the offices; a county without one, or no county, has the agency's."""
    agency = Agency(local_offices={"Fresno": ("FRESNO OFFICE", "1 EXAMPLE ST", "FRESNO CA 93650")})
    assert agency.return_address_of("Fresno")[0] == "FRESNO OFFICE"
    assert agency.return_address_of("Yolo") == agency.return_address_of(None)
    assert agency.return_address_of(None) == agency.return_address
