"""Checking an address: what holds a letter, and what must not."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.addresses.checking import check
from engine.mail.addresses.fields import MailAddress, as_printed
from engine.mail.addresses.flags import FLAGS, Flag
from engine.mail.text_widths import width

HOME = MailAddress(
    name="María José Núñez-O'Brien",
    addr1="1200 Example Street",
    addr2="Apt 4",
    city="Sacramento",
    state="CA",
    zip5="95814",
    zip4="0042",
)


def flags(**changed: str) -> tuple[Flag, ...]:
    """The flags of the home address with some fields replaced."""
    return check(replace(HOME, **changed)).flags


def test_a_good_address_prints_in_upper_case() -> None:
    """Name, delivery line with its unit, and city, state and ZIP+4 on the last line."""
    found = check(HOME)
    assert found.ok
    assert found.lines == (
        "MARÍA JOSÉ NÚÑEZ-O'BRIEN",
        "1200 EXAMPLE STREET APT 4",
        "SACRAMENTO CA 95814-0042",
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""}, {"name": " "}, {"name": "1234"}, {"addr1": ""}, {"addr1": "  "},
        {"city": ""}, {"city": "95814"}, {"city": "Unknown"}, {"state": ""}, {"zip5": ""},
        {"zip5": "9581"}, {"zip5": "9581O"}, {"zip5": "958140"}, {"zip5": "95814-0042"},
        {"zip4": "42"}, {"zip4": "00A2"}, {"state": "California"}, {"state": "Calif"},
        {"state": "C"}, {"addr1": "", "addr2": "1200 Example Street"},
    ],
)  # fmt: skip
def test_a_missing_piece_holds_it(changed: dict[str, str]) -> None:
    """No field is done without, and none is mended."""
    assert flags(**changed) == ("INCOMPLETE",)


@pytest.mark.parametrize(
    "street",
    [
        "1200", "1200 1/2", "#5", "...", "Example Street", "N Example St", "5th Ave",
        "Main St and 5th Ave", "Broadway", "Apt 4", "Suite 200", "Unit 12", "# 4", "PO Box",
        "P.O. Box", "Post Office Box", "Drawer", "RR 2", "RR 2 Box", "RR", "Rural Route 4",
        "HC 68", "HC-01", "HC 1 Box", "Star Route", "N/A", "Unknown", "HOMELESS", "None",
    ],
)  # fmt: skip
def test_a_street_that_tells_no_place_holds_it(street: str) -> None:
    """Without a house number, a box number or a street nobody can tell where to go."""
    assert flags(addr1=street, addr2="") == ("INCOMPLETE",)


@pytest.mark.parametrize(
    ("street", "unit"),
    [
        ("1200 Example St Apt", ""), ("1200 Example St Apt.", ""), ("1200 Example St", "Apt"),
        ("1200 Example St", "APT #"), ("1200 Example St #", ""), ("1200 Example St", "Ste"),
        ("1200 Example St Unit", ""), ("1200 Example St", "Bldg 4 Unit"),
        ("1200 Example St Lot", ""), ("1200 Example Ave Bldg", ""), ("1200 Example St", "Building"),
        ("1200 Example St", "Key"), ("1200 Example St", "Apt None"), ("1200 Example St", "Apt N/A"),
        ("10 Main St Ste 11", "PMB"), ("1200 Example Dr", "Spc"), ("1200 Example Ln Fl", ""),
    ],
)  # fmt: skip
def test_a_unit_without_its_number_holds_it(street: str, unit: str) -> None:
    """Which apartment it is, is not known."""
    assert flags(addr1=street, addr2=unit) == ("MISSING_UNIT",)


@pytest.mark.parametrize(
    ("street", "unit"),
    [
        ("1200 Example St Apt", "4B"), ("1200 Example St", "4B"), ("1200 Example St Apt B", ""),
        ("1200 Example St, Apt. 4", ""), ("1200 Example St Apt#4", ""),
        ("1200 Example St", "Apt # 4"), ("1200 Example St", "5th Floor"),
        ("1200 Example St 5th Fl", ""), ("1200 Example St", "Rear Unit"),
        ("1200 Example St Rear Unit", ""), ("1200 Example St", "Garden Apt"),
        ("1200 County Center Dr", "Child Support Unit"), ("1 Ferry Building", ""),
        ("32 Old Slip", ""), ("12 Sugarloaf Key", ""), ("5 Trailer Park", ""), ("Pier 39", ""),
        ("One Market Plaza", ""), ("Twenty-One Example St", ""), ("1 Suite Ln", ""),
        ("San Quentin State Prison", ""), ("Box 45", ""), ("E1234 Highland Rd", ""),
        ("1200 Avenue of the Americas", ""), ("1 SW St", ""), ("100 One Way", ""),
        ("12 Fire Dept Rd", ""), ("Space 5 Oak Mobile Park", ""), ("RR2 BOX 7", ""),
        ("0 Elm St", ""), ("1200 Broadway", ""), ("123½ Main St", ""), ("# 12 Oak Ln", ""),
    ],
)  # fmt: skip
def test_what_can_be_delivered_is_not_held(street: str, unit: str) -> None:
    """Words that are designators elsewhere may be the name of a street, a building or a unit."""
    assert flags(addr1=street, addr2=unit) == ()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"country": "Canada"}, ("FOREIGN",)),
        ({"country": "México"}, ("FOREIGN",)),
        ({"state": "ON", "zip5": "K1A 0B1", "zip4": ""}, ("FOREIGN",)),
        ({"state": "", "zip5": "V6B1A1", "zip4": ""}, ("FOREIGN",)),
        ({"state": "B.C.", "zip5": "22000"}, ("FOREIGN",)),
        ({"state": "Jalisco", "zip5": "44100"}, ("FOREIGN",)),
        ({"state": "", "zip5": "SW1A 1AA", "zip4": ""}, ("FOREIGN",)),
        ({"state": "Bayern", "zip5": "80331"}, ("STATE_ZIP_MISMATCH", "FOREIGN")),
        ({"state": "XX"}, ("STATE_ZIP_MISMATCH", "FOREIGN")),
        ({"country": "U.S.A."}, ()),
        ({"country": "Estados Unidos"}, ()),
        ({"country": "PR", "city": "Ponce", "state": "PR", "zip5": "00716"}, ()),
    ],
)
def test_what_lies_abroad_is_held(changed: dict[str, str], expected: tuple[Flag, ...]) -> None:
    """A country, a province or a postal code tells; possessions have domestic mail."""
    assert flags(**changed) == expected


@pytest.mark.parametrize(
    ("city", "state", "zip5", "expected"),
    [
        ("APO", "AE", "09499", ()),
        ("fpo", "ap", "96606", ()),
        ("DPO", "AA", "34035", ()),
        ("APO", "AE", "96278", ("STATE_ZIP_MISMATCH",)),
        ("APO", "CA", "95814", ("STATE_ZIP_MISMATCH",)),
        ("APO", "NY", "09499", ("STATE_ZIP_MISMATCH",)),
        ("Ramstein", "AE", "09094", ("INCOMPLETE",)),
    ],
)
def test_military_mail_names_its_post_office(
    city: str, state: str, zip5: str, expected: tuple[Flag, ...]
) -> None:
    """Overseas, APO, FPO or DPO goes with AA, AE or AP and its ZIP codes (Pub 28 § 225.1)."""
    address = MailAddress("Ana Ruiz", "", "PSC 802 BOX 74", "", city, state, zip5)
    assert check(address).flags == expected


@pytest.mark.parametrize("line", ["PSC", "PSC 802 BOX", "UNIT 2050 BOX", "PSC BOX"])
def test_a_military_box_without_its_number_is_incomplete(line: str) -> None:
    """The box is where the letter goes."""
    assert "INCOMPLETE" in flags(addr1=line, addr2="", city="APO", state="AE", zip5="09499")


@pytest.mark.parametrize(
    "name",
    [
        "漢字", "Ana 😀", "Дмитрий", "Ana\u202eRuiz", "Ana\x00", "Ana\nRuiz", "Ana\tRuiz",
        "Ana\u00a0Ruiz", "Ana\u200bRuiz", "Ana\u00adRuiz", "Ana\ufeff", "Ana\x85", "Ana\x7f",
        "a\ud800", "Ana\u0378", "Ana\ue000", "X\u0331", "A\u0301\u0302\u0303na", "\u0301Ana",
        "=SUM(A1)", "+Ana", "-Ana", "@Ana", " =Ana",
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_or_indexed_is_held(name: str) -> None:
    """No glyph, no place for an accent, nothing to see, or a cell that is taken for a formula."""
    assert flags(name=name) == ("UNRENDERABLE",)


@pytest.mark.parametrize(
    "name",
    ["José Ibáñez", "Jose\u0301 Iba\u0301n\u0303ez", "D’Angelo", "Łukasz Çelik", "Straße",
     "ʻAulani", "Nguyễn Thị Ánh", "St. John, Jr.", "Ana & Luis"],
)  # fmt: skip
def test_what_the_typeface_has_is_drawn(name: str) -> None:
    """Accents are kept; one that follows its letter is the same letter (NFC)."""
    assert flags(name=name) == ()


@pytest.mark.parametrize("field", ["urbanization", "addr1", "addr2", "city", "state"])
def test_every_printed_field_is_looked_at(field: str) -> None:
    """A character without a glyph holds the letter wherever it stands."""
    assert "UNRENDERABLE" in flags(**{field: "漢"})


def test_a_long_name_breaks_between_words() -> None:
    """As the layout does: a fourth line is there for it, and a fifth is not."""
    long = "Maria Fernanda de los Angeles Nunez-Ibanez Villasenor de la Santisima Trinidad"
    found = check(replace(HOME, name=long))
    assert found.ok
    assert found.lines[:2] == (
        "MARIA FERNANDA DE LOS ANGELES NUNEZ-IBANEZ",
        "VILLASENOR DE LA SANTISIMA TRINIDAD",
    )
    assert flags(name=long, urbanization="URB LAS GLADIOLAS") == ("TOO_MANY_LINES",)
    assert flags(name=f"{long} {long}") == ("TOO_MANY_LINES",)


def test_our_barcode_takes_a_line() -> None:
    """Where it is drawn, three lines are left."""
    address = replace(HOME, urbanization="URB LAS GLADIOLAS")
    assert check(address, lines=4).ok
    assert check(address, lines=3).flags == ("TOO_MANY_LINES",)


@pytest.mark.parametrize("field", ["addr1", "addr2", "urbanization", "city"])
def test_a_line_that_is_too_wide_is_held(field: str) -> None:
    """Only a name is broken; nothing is cut."""
    assert "TOO_MANY_LINES" in flags(**{field: "1 W" + "W" * 40})


def test_what_is_known_of_the_address_holds_it() -> None:
    """Mail came back; a confidential participant has a substitute address."""
    assert check(HOME, returned_before=True).flags == ("RETURNED_BEFORE",)
    assert check(HOME, confidential=True).flags == ("CONFIDENTIAL",)
    assert check(HOME, confidential=True, substitute=True).ok
    assert check(HOME, substitute=True).ok


def test_flags_stand_in_the_contract_s_order() -> None:
    """However many there are."""
    worst = MailAddress("漢" * 60, "", "1 Example St Apt", "", "", "NV", "95814")
    found = check(worst, confidential=True, returned_before=True)
    assert found.flags == tuple(flag for flag in FLAGS if flag != "FOREIGN")


any_text = st.text(st.characters(), max_size=60)
likely = st.text(
    st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcxyz0123456789 .,#-/'&ñÑéÉüß"), max_size=60
)
texts = any_text | likely | st.sampled_from(["", "APT", "PO BOX 4", "CA", "95814", "RR 2 BOX 5"])
addresses = st.builds(
    MailAddress, texts, texts, texts, texts, texts, texts, texts, texts, country=texts
)


@settings(deadline=None)
@given(addresses)
def test_nothing_is_rewritten_or_cut(address: MailAddress) -> None:
    """Whatever comes in, it is answered; what prints are the fields' own characters."""
    found = check(address)
    printed = "".join(found.lines).replace(" ", "").replace("-", "")
    given_ = "".join(map(as_printed, address.parts)).replace(" ", "").replace("-", "")
    assert sorted(printed) == sorted(given_)
    assert list(found.flags) == [flag for flag in FLAGS if flag in found.flags]


@settings(deadline=None)
@given(addresses, st.sampled_from([3, 4]))
def test_what_is_not_flagged_fits_the_window(address: MailAddress, lines: int) -> None:
    """At most so many lines, and none wider than 3.25 inches at 9 points."""
    found = check(address, lines=lines)
    if not {"TOO_MANY_LINES", "UNRENDERABLE"} & set(found.flags):
        assert len(found.lines) <= lines
        assert all(width(line, 9) <= 3.25 * 72 for line in found.lines)
