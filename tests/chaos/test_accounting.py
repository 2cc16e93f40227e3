"""The account of a chaos run finds what would be a broken promise."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from chaos.accounting import Ledger, check_emails, check_letters, check_standing
from chaos.mail_server import Copy
from chaos.pulse import Beat, Pulse, Span


def carried(channel: str, state: str) -> dict[str, Any]:
    """Delivery 1 of communication 1, which it is to meet."""
    return {
        "id": 1,
        "communication_id": 1,
        "channel": channel,
        "state": state,
        "meets_obligation": True,
        "current": True,
        "owed": "met" if state in {"sent", "mailed"} else "owed",
    }


def ledger(
    delivery: Mapping[str, Any],
    *,
    standing: str = "met",
    told: Sequence[tuple[float, bool]] = (),
    copies: Sequence[Copy] = (),
    printed: Mapping[str, int] | None = None,
    pieces: Sequence[str] = (),
) -> Ledger:
    """Books of one delivery."""
    piece = {"delivery_id": 1, "superseded": False, "batch": "b", "mailed": 1}
    return Ledger(
        standing={1: {"id": 1, "state": standing, "breached": False}},
        carried={1: delivery},
        told={1: told},
        copies={1: copies} if copies else {},
        pieces=dict.fromkeys(pieces, piece),
        printed=Counter(printed or {}),
    )


def test_what_is_gone_is_found() -> None:
    """A communication that was owed before and is in no table now."""
    books = ledger(carried("email", "sent"))
    check_standing({1, 2}, books)
    assert books.faults == ["communications that are gone: 1 (2)"]


def test_what_nothing_carries_is_found() -> None:
    """Owed, and its only delivery has ended."""
    books = ledger(carried("email", "failed"), standing="owed")
    check_standing({1}, books)
    assert books.faults == ["owed, and nothing carries it: 1 (1)"]


def test_an_email_that_nobody_has_is_found() -> None:
    """On record as sent, and the mail server never saw it."""
    books = ledger(carried("email", "sent"))
    check_emails(books)
    assert books.faults == ["sent, and the mail server holds nothing: 1 (1)"]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ((), []),
        (((25.0, True),), []),
        (((15.0, True),), ["sent again, though its acceptance was on record: 1 (1)"]),
        (((15.0, True), (16.0, False), (25.0, True)), []),
    ],
)
def test_a_copy_too_many_is_found(told: Sequence[tuple[float, bool]], found: list[str]) -> None:
    """A second copy is right where nobody knew of the first, or its mailbox was full."""
    copies = [Copy(10.0, 10.0, told=True), Copy(20.0, 20.0, told=True)]
    books = ledger(carried("email", "sent"), told=told, copies=copies)
    check_emails(books)
    assert books.faults == found
    assert books.repeats() == (0 if (16.0, False) in told else 1)


def test_a_second_letter_is_found() -> None:
    """A piece in two batches, and a delivery of which two pieces were printed."""
    books = ledger(
        carried("mail", "mailed"), printed={"first": 2, "second": 1}, pieces=("first", "second")
    )
    check_letters(books)
    assert books.faults == ["in two batches: 1 (first)", "deliveries printed twice: 1 (1)"]


def test_a_letter_that_the_vendor_never_had_is_found() -> None:
    """Handed over on our side, and in no batch of theirs."""
    books = ledger(carried("mail", "handed_over"), pieces=("first",))
    check_letters(books)
    assert books.faults == ["handed over, and the vendor has no such letter: 1 (1)"]


@pytest.mark.parametrize(
    ("beats", "slowest"),
    [
        ([(11.0, 5, 3), (12.5, 6, 2)], 2.5),
        ([(11.0, 5, 3), (12.5, 5, 3)], float("inf")),
        ([(11.0, 5, 0)], None),
    ],
)
def test_recovery_is_timed_from_the_end_of_the_fault(
    beats: Sequence[tuple[float, int, int]], slowest: float | None
) -> None:
    """To the first outcome after it; none ever is worse than any; nothing left to do is no
    recovery."""
    pulse = Pulse(engine=None, spans=[Span("fault", 5.0, 10.0)])  # type: ignore[arg-type]  # not asked
    for beat in beats:
        pulse.note(Beat(*beat))
    assert pulse.slowest == slowest
