"""PINs: none easy, all others alike, and nothing to be learnt from a stored one."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from engine import bootstrap
from engine.errors import InputError, SettingsError
from engine.security.pins import HashCost, PinHasher, PinHashError, generate_pin, is_easy
from engine.settings import Settings

PEPPER = b"a pepper of this test"


@pytest.fixture(scope="module")
def hasher() -> PinHasher:
    """A hasher at the cost that is really used."""
    return PinHasher(PEPPER)


@pytest.mark.parametrize("digits", range(4, 13))
def test_a_pin_has_as_many_digits_as_asked_for_and_is_not_easy(digits: int) -> None:
    """Every PIN drawn is that many decimal digits, leading zeros kept, and none an easy one."""
    for _ in range(300):
        pin = generate_pin(digits)
        assert len(pin) == digits
        assert pin.isascii()
        assert pin.isdigit()
        assert not is_easy(pin)


@pytest.mark.parametrize("digits", [-1, 0, 3, 13])
def test_too_few_or_too_many_digits_are_refused(digits: int) -> None:
    """A length outside 4 to 12 raises."""
    with pytest.raises(InputError, match="4 to 12"):
        generate_pin(digits)


@pytest.mark.parametrize(
    "pin",
    [
        *("000000", "777777", "012345", "456789", "890123", "987654", "210987", "1098"),
        *("121212", "123123", "900900", "1212", "123321", "100001", "1221", "123412341234"),
    ],
)
def test_what_people_try_first_is_easy(pin: str) -> None:
    """One digit, runs past 9 or 0 too, repeated blocks and mirrored halves are easy."""
    assert is_easy(pin)


@pytest.mark.parametrize(
    "pin", ["482913", "135790", "112233", "122333", "071726", "4829", "0123210456"]
)
def test_other_pins_are_not(pin: str) -> None:
    """Nothing else is refused: a date, a doubled digit or a step of two may be drawn."""
    assert not is_easy(pin)


@pytest.mark.parametrize(("digits", "easy"), [(4, 210), (5, 1_020), (6, 2_010)])
def test_few_are_refused(digits: int, easy: int) -> None:
    """The easy PINs are counted, so that their cost to chance is known: 2,010 of a million."""
    assert sum(is_easy(f"{number:0{digits}d}") for number in range(10**digits)) == easy


def test_every_digit_comes_at_every_place() -> None:
    """Over many PINs each digit is found at each place about as often as any other."""
    drawn = [generate_pin() for _ in range(20_000)]
    for place in range(6):
        counts = Counter(pin[place] for pin in drawn)
        # 2,000 are expected, with a standard deviation of 42; eight of those never happen.
        assert all(abs(counts[digit] - 2_000) < 340 for digit in "0123456789")


def test_a_pin_is_verified_against_its_hash_and_no_other_is(hasher: PinHasher) -> None:
    """The PIN that was hashed verifies; its neighbours and its parts do not."""
    stored = hasher.hash("482913")
    assert hasher.verify(stored, "482913")
    for other in ("482914", "48291", "4829130", "", "４８２９１３", "\ud800"):
        assert not hasher.verify(stored, other)


def test_a_hash_is_argon2id_at_the_documented_cost(hasher: PinHasher) -> None:
    """What is stored names its pepper and the OWASP parameters, and not the PIN."""
    stored = hasher.hash("482913")
    assert stored.startswith("1$argon2id$v=19$m=19456,t=2,p=1$")
    assert "482913" not in stored
    assert stored != hasher.hash("482913")


async def test_the_application_hashes_at_that_cost(
    settings: Settings, database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its settings are: only other tests open it with cheaper hashes."""
    monkeypatch.setattr(bootstrap, "PinHasher", PinHasher)
    async with bootstrap.open_application(settings) as application:
        stored = application.chosen_pins.checker.hasher.hash("482913")
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in stored


def test_a_hash_is_worth_nothing_without_its_pepper(hasher: PinHasher) -> None:
    """With another pepper under the same id the right PIN does not verify."""
    assert not PinHasher(b"another pepper").verify(hasher.hash("482913"), "482913")


def test_a_pepper_can_be_changed(hasher: PinHasher) -> None:
    """PINs under a retired pepper still verify, and are known to want a new hash."""
    stored = hasher.hash("482913")
    rotated = PinHasher(b"a newer pepper", "2", retired={"1": PEPPER})
    assert rotated.verify(stored, "482913")
    assert not rotated.verify(stored, "482914")
    assert rotated.needs_rehash(stored)
    renewed = rotated.hash("482913")
    assert renewed.startswith("2$argon2id$")
    assert not rotated.needs_rehash(renewed)


def test_a_dropped_pepper_is_named_not_mistaken_for_a_wrong_pin(hasher: PinHasher) -> None:
    """Without the pepper nobody's PIN can be checked, and that is an error, not a refusal."""
    with pytest.raises(PinHashError, match="'1' is not held"):
        PinHasher(b"a newer pepper", "2").verify(hasher.hash("482913"), "482913")


def test_a_greater_cost_wants_a_new_hash(hasher: PinHasher) -> None:
    """After the cost was raised, a hash at the old one is known to want replacing."""
    stored = hasher.hash("482913")
    assert not hasher.needs_rehash(stored)
    assert PinHasher(PEPPER, cost=HashCost(memory_kib=19_456, passes=3)).needs_rehash(stored)


@given(st.text())
def test_what_is_no_hash_of_ours_is_an_error(stored: str) -> None:
    """Any other stored text raises PinHashError, and never passes for a wrong or right PIN."""
    with pytest.raises(PinHashError):
        PinHasher(PEPPER).verify(stored, "482913")


@pytest.mark.parametrize(
    "stored",
    [
        "1$argon2id$",
        "1$argon2id$v=19$m=19456,t=2,p=1$c2FsdA",
        "1$argon2id$v=19$m=0,t=0,p=0$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
        "1$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
        "1$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$é",
    ],
)
def test_a_damaged_hash_is_an_error(hasher: PinHasher, stored: str) -> None:
    """A hash that was cut or altered raises PinHashError."""
    with pytest.raises(PinHashError):
        hasher.verify(stored, "482913")


def test_a_hash_without_its_parameters_is_an_error(hasher: PinHasher) -> None:
    """Asking whether a damaged hash wants replacing raises PinHashError."""
    with pytest.raises(PinHashError):
        hasher.needs_rehash("1$argon2id$v=19$")


@pytest.mark.parametrize(
    ("memory_kib", "passes", "lanes"),
    [(19_456, 1, 1), (1_024, 40, 1), (7_168, 4, 1), (19_456, 2, 0)],
)
def test_a_cost_below_the_weakest_recommended_is_refused(
    memory_kib: int, passes: int, lanes: int
) -> None:
    """No setting makes hashing cheaper than the OWASP cheat sheet's floor."""
    with pytest.raises(SettingsError, match="PIN hashing"):
        HashCost(memory_kib, passes, lanes)


@pytest.mark.parametrize(
    ("memory_kib", "passes"), [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)]
)
def test_every_recommended_cost_may_be_set(memory_kib: int, passes: int) -> None:
    """Each of the OWASP cheat sheet's five settings is accepted."""
    assert HashCost(memory_kib, passes).lanes == 1


@pytest.mark.parametrize(("pepper", "pepper_id"), [(b"", "1"), (PEPPER, ""), (PEPPER, "a$b")])
def test_an_unsound_pepper_is_refused(pepper: bytes, pepper_id: str) -> None:
    """An empty pepper, or an id that could be taken for a part of the hash, raises."""
    with pytest.raises(SettingsError, match="pepper"):
        PinHasher(pepper, pepper_id)
