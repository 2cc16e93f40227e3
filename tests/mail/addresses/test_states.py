"""States and their ZIP codes."""

import pytest

from engine.mail.addresses.states import is_state, zip_lies_in


@pytest.mark.parametrize(
    ("state", "zip5"),
    [
        ("CA", "90001"), ("CA", "96162"), ("NV", "89101"), ("CT", "06103"), ("NY", "06390"),
        ("NY", "00501"), ("MA", "05501"), ("VT", "05601"), ("DC", "20500"), ("DC", "56901"),
        ("VA", "20101"), ("VA", "20598"), ("MD", "20588"), ("TX", "88510"), ("TX", "73301"),
        ("OK", "73101"), ("TX", "73960"), ("OK", "73949"), ("TX", "73949"), ("PR", "00601"),
        ("PR", "00926"), ("VI", "00802"), ("AS", "96799"), ("HI", "96701"), ("HI", "96898"),
        ("GU", "96910"), ("GU", "96932"), ("MP", "96950"), ("PW", "96940"), ("FM", "96944"),
        ("MH", "96970"), ("AA", "34035"), ("AE", "09001"), ("AE", "09898"), ("AP", "96201"),
        ("AP", "96698"), ("GA", "39901"), ("WY", "83414"), ("ID", "83401"), ("KY", "42223"),
        ("TN", "42223"), ("NV", "89439"), ("CA", "89439"), ("OR", "97635"), ("CA", "97635"),
        ("AK", "99501"),
    ],
)  # fmt: skip
def test_a_zip_code_lies_in_its_state(state: str, zip5: str) -> None:
    """The oddities of the ZIP code among them."""
    assert is_state(state)
    assert zip_lies_in(state, zip5)


@pytest.mark.parametrize(
    ("state", "zip5"),
    [
        ("CA", "10001"), ("CA", "89101"), ("NV", "95814"), ("CT", "06390"), ("VT", "05501"),
        ("OK", "73301"), ("OK", "73960"), ("ID", "83414"), ("PR", "00802"), ("VI", "00601"),
        ("HI", "96799"), ("GU", "96950"), ("MP", "96910"), ("AE", "34035"), ("AP", "09001"),
        ("AA", "96201"), ("DC", "20101"), ("VA", "20500"), ("FL", "34035"), ("CA", "96201"),
        ("CA", "00000"), ("NM", "88510"), ("MD", "20001"),
    ],
)  # fmt: skip
def test_a_zip_code_does_not_lie_elsewhere(state: str, zip5: str) -> None:
    """One state's prefix may hold another's ZIP codes."""
    assert not zip_lies_in(state, zip5)


def test_the_states_are_those_of_the_postal_service() -> None:
    """Publication 28, appendix B: states, the District, eight possessions and associates, and AA,
    AE and AP for the armed forces."""
    codes = [f"{a}{b}" for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    assert sum(map(is_state, codes)) == 50 + 1 + 8 + 3
