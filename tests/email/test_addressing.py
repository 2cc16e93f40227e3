"""What a message derives from its delivery, and what of it is believed when it comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.email.addressing import Addressing

ADDRESSING = Addressing(b"a key", "bounces.connect.example")
FOREIGN = Addressing(b"another key", "bounces.connect.example")

deliveries = st.integers(min_value=1, max_value=2**63 - 1)


@given(deliveries)
def test_what_we_made_names_its_delivery(delivery: int) -> None:
    """Return path and envelope identifier lead back to the delivery, whatever a server on the way
    made of upper and lower case."""
    address = ADDRESSING.return_path(delivery)
    envelope_id = ADDRESSING.envelope_id(delivery)
    for folded in (str, str.upper, str.lower, str.swapcase):
        assert ADDRESSING.delivery_of_return_path(folded(address)) == delivery
        assert ADDRESSING.delivery_of_envelope_id(folded(envelope_id)) == delivery


@given(deliveries, deliveries)
def test_nobody_else_can_make_one(delivery: int, other: int) -> None:
    """Another key, another delivery's tag, and a tag made for the other purpose are not ours."""
    assert ADDRESSING.delivery_of_return_path(FOREIGN.return_path(delivery)) is None
    assert ADDRESSING.delivery_of_envelope_id(FOREIGN.envelope_id(delivery)) is None
    envelope_id = ADDRESSING.envelope_id(delivery)
    domain = ADDRESSING.return_path_domain
    assert ADDRESSING.delivery_of_return_path(f"bounce+{envelope_id}@{domain}") is None
    local = ADDRESSING.return_path(delivery).partition("@")[0]
    assert ADDRESSING.delivery_of_envelope_id(local.removeprefix("bounce+")) is None
    if other != delivery:
        tag = envelope_id.partition(".")[2]
        assert ADDRESSING.delivery_of_envelope_id(f"{other}.{tag}") is None


@pytest.mark.parametrize(
    "form",
    [
        "",
        "@",
        "{domain}",
        "{local}",
        "{local}@elsewhere.example",
        "<{local}@{domain}>",
        " {local}@{domain}",
        "{local}@{domain}\n",
        "x{local}@{domain}",
        "{local}x@{domain}",
        "{local}@{domain}@{domain}",
        "bounce+0{bare}@{domain}",
        "bounce+٤{bare}@{domain}",
        "bounce+-{bare}@{domain}",
        "bounce+{bare}\u017f@{domain}",
    ],
)
def test_only_the_exact_form_is_taken(form: str) -> None:
    """Whatever else stands in an envelope names no delivery, and breaks nothing."""
    local, _, domain = ADDRESSING.return_path(42).partition("@")
    address = form.format(local=local, domain=domain, bare=local.removeprefix("bounce+"))
    assert ADDRESSING.delivery_of_return_path(address) is None


@given(st.text())
def test_any_words_are_read(words: str) -> None:
    """Nothing that a stranger writes raises."""
    assert ADDRESSING.delivery_of_envelope_id(words) is None
    assert ADDRESSING.delivery_of_return_path(f"{words}@bounces.connect.example") is None


@given(deliveries)
def test_an_envelope_id_needs_no_encoding(delivery: int) -> None:
    """It is xtext as it is, and within the hundred characters of RFC 3461, 4.4."""
    envelope_id = ADDRESSING.envelope_id(delivery)
    assert len(envelope_id) <= 100
    assert all("!" <= letter <= "~" and letter not in "+=" for letter in envelope_id)
