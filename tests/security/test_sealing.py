"""Sealing: what goes in comes out, for the one it was sealed for, and shows nowhere else."""

import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConnectError, InputError
from engine.security.sealing import Sealed, SealError, SecretBox, TamperedError, UnknownKeyError

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
BOX = SecretBox({"2026a": OLD}, "2026a")


@given(st.text(), st.text())
def test_a_secret_comes_out_as_it_went_in(secret: str, belongs_to: str) -> None:
    """Any text, sealed for anything, opens for it again, through its stored form."""
    sealed = BOX.seal(secret, belongs_to)
    stored = Sealed.from_bytes(sealed.key_id, sealed.to_bytes())
    assert stored == sealed
    assert BOX.open(stored, belongs_to) == secret


@given(st.text(), st.data())
def test_a_changed_bit_is_noticed(secret: str, data: st.DataObject) -> None:
    """With any one bit of nonce, ciphertext or tag turned over, nothing is opened."""
    sealed = BOX.seal(secret, "41")
    stored = bytearray(sealed.to_bytes())
    bit = data.draw(st.integers(0, len(stored) * 8 - 1))
    stored[bit // 8] ^= 1 << bit % 8
    with pytest.raises(TamperedError):
        BOX.open(Sealed.from_bytes(sealed.key_id, bytes(stored)), "41")


@given(st.text(), st.data())
def test_a_cut_is_noticed(secret: str, data: st.DataObject) -> None:
    """Any beginning of a sealed secret opens no more than all of it changed would."""
    sealed = BOX.seal(secret, "41")
    stored = sealed.to_bytes()
    cut = data.draw(st.integers(0, len(stored) - 1))
    with pytest.raises(TamperedError):
        BOX.open(Sealed.from_bytes(sealed.key_id, stored[:cut]), "41")


@given(st.text(), st.text(), st.text())
def test_a_secret_opens_only_for_what_it_was_sealed_for(secret: str, one: str, other: str) -> None:
    """Moved to another delivery's row it does not open."""
    sealed = BOX.seal(secret, one)
    if one == other:
        assert BOX.open(sealed, other) == secret
    else:
        with pytest.raises(TamperedError):
            BOX.open(sealed, other)


def test_a_secret_is_never_sealed_twice_alike() -> None:
    """The same PIN for the same delivery has another nonce and another ciphertext every time."""
    seals = {BOX.seal("482913", "41").to_bytes() for _ in range(100)}
    assert len(seals) == 100


def test_what_was_sealed_before_a_rotation_opens_after_it() -> None:
    """A new current key seals; the old one, still held, opens what it sealed."""
    before = BOX.seal("482913", "41")
    rotated = SecretBox({"2026a": OLD, "2027a": NEW}, "2027a")
    assert rotated.open(before, "41") == "482913"
    after = rotated.seal("482913", "41")
    assert after.key_id == "2027a"
    assert rotated.open(after, "41") == "482913"


def test_a_dropped_key_is_named() -> None:
    """What was sealed under a key that is no longer held says which key is missing."""
    sealed = BOX.seal("482913", "41")
    with pytest.raises(UnknownKeyError, match="2026a"):
        SecretBox({"2027a": NEW}, "2027a").open(sealed, "41")


def test_another_key_under_the_same_id_opens_nothing() -> None:
    """A wrong key is noticed, even under the right name."""
    sealed = BOX.seal("482913", "41")
    with pytest.raises(TamperedError, match="2026a"):
        SecretBox({"2026a": NEW}, "2026a").open(sealed, "41")


def test_a_key_id_is_sealed_in() -> None:
    """The same key held under two ids does not let one id be written over the other."""
    box = SecretBox({"2026a": OLD, "copy": OLD}, "2026a")
    sealed = box.seal("482913", "41")
    with pytest.raises(TamperedError):
        box.open(Sealed("copy", sealed.nonce, sealed.ciphertext), "41")


def test_a_box_needs_sound_keys() -> None:
    """A key of another length, or a current id that is not held, is refused without its bytes."""
    with pytest.raises(SealError, match="32 bytes long: short") as refused:
        SecretBox({"short": b"sixteen byte key"}, "short")
    assert "sixteen" not in str(refused.value)
    with pytest.raises(UnknownKeyError, match="2027a"):
        SecretBox({"2026a": OLD}, "2027a")


def test_nothing_shows_a_secret() -> None:
    """Neither a repr, nor an error, nor a traceback holds the secret, the key or the ciphertext."""
    sealed = BOX.seal("482913", "41")
    shown = f"{sealed!r} {sealed} {BOX!r}"
    try:
        BOX.open(sealed, "42")
    except ConnectError as error:
        shown += "".join(traceback.format_exception(error))
    for hidden in ("482913", repr(sealed.nonce), repr(sealed.ciphertext), repr(OLD)):
        assert hidden not in shown


def test_a_box_cannot_be_written_out() -> None:
    """The keys in a box do not leave the process by being pickled into a job or a cache."""
    with pytest.raises(TypeError):
        pickle.dumps(BOX)


def test_a_text_that_cannot_be_encoded_is_refused_unseen() -> None:
    """A lone surrogate raises InputError, and what is raised holds no part of the text."""
    digits = 482_913
    with pytest.raises(InputError) as refused:
        BOX.seal(f"{digits}\ud800", "41")
    assert refused.value.__suppress_context__
    assert "482913" not in "".join(traceback.format_exception(refused.value))
