"""Tags: the same for the same value, unlike for any other, and made by nobody without the key."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.security.tokens import LONGEST, SHORTEST, derive_tag, matches

KEY = b"a key of this test"


@given(st.text(), st.integers(SHORTEST, LONGEST))
def test_a_tag_fits_an_address_and_a_header(value: str, length: int) -> None:
    """A tag is as many lower-case base32 letters as asked for, whatever the value."""
    assert re.fullmatch(f"[a-z2-7]{{{length}}}", derive_tag(KEY, "message-id", value, length))


def test_a_tag_never_changes() -> None:
    """The same key, purpose and value have had this tag since the first version."""
    assert derive_tag(KEY, "message-id", "42") == "37cdztmpykfpsuwf"


def test_values_purposes_and_keys_have_tags_of_their_own() -> None:
    """A tag for one purpose, or under one key, says nothing of another."""
    tags = {
        derive_tag(KEY, "message-id", "42"),
        derive_tag(KEY, "message-id", "43"),
        derive_tag(KEY, "return-path", "42"),
        derive_tag(b"another key", "message-id", "42"),
    }
    assert len(tags) == 4


def test_a_purpose_and_its_value_cannot_be_cut_elsewhere() -> None:
    """Moving letters between purpose and value gives another tag."""
    assert derive_tag(KEY, "ab", "c") != derive_tag(KEY, "a", "bc")


@given(st.text())
def test_a_tag_matches_its_value_though_its_case_was_changed(value: str) -> None:
    """Mail systems on the way may change the case of a return path; it matches all the same."""
    tag = derive_tag(KEY, "return-path", value)
    assert matches(KEY, "return-path", value, tag)
    assert matches(KEY, "return-path", value, tag.upper())


@given(st.text())
def test_any_other_tag_does_not_match(tag: str) -> None:
    """A made-up tag, of any letters and length, matches nothing and raises nothing."""
    assert not matches(KEY, "return-path", "42", tag)


@pytest.mark.parametrize("cut", [0, 1, 15])
def test_a_part_of_a_tag_does_not_match(cut: int) -> None:
    """Fewer letters than were derived never match, so they cannot be guessed one by one."""
    tag = derive_tag(KEY, "return-path", "42")
    assert not matches(KEY, "return-path", "42", tag[:cut])


def test_what_makes_no_sound_tag_is_refused() -> None:
    """No key, no purpose, too few letters or more than the hash holds: each raises."""
    with pytest.raises(ValueError, match="key"):
        derive_tag(b"", "message-id", "42")
    with pytest.raises(ValueError, match="purpose"):
        derive_tag(KEY, "", "42")
    with pytest.raises(ValueError, match="purpose"):
        derive_tag(KEY, "a\0b", "42")
    for length in (SHORTEST - 1, LONGEST + 1):
        with pytest.raises(ValueError, match="letters"):
            derive_tag(KEY, "message-id", "42", length)
