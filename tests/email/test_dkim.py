"""DKIM signatures, as somebody else's verifier sees them."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dkim  # type: ignore[import-untyped]  # it publishes no types
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import example, given
from hypothesis import strategies as st

from engine.communications.rendering import EmailWords
from engine.email.dkim import DkimKey, DkimSigner, canonical_body
from engine.email.extras import CalendarPart, EmailExtras
from engine.email.message import Envelope, build_message

RSA = DkimKey("rsa2026", generate_private_key(65537, 2048))
ED25519 = DkimKey("ed2026", Ed25519PrivateKey.generate())
SIGNER = DkimSigner("connect.example", (RSA, ED25519))
DNS = {f"{key.selector}._domainkey.connect.example.": key.record for key in (RSA, ED25519)}
AT = datetime(2026, 11, 23, 17, 5, 9, tzinfo=UTC)

ENVELOPE = Envelope(
    sender="no-reply@connect.example",
    recipient="reader@mail.example",
    message_id="<42.0f3a@bounces.connect.example>",
    date=AT,
    extras=EmailExtras(
        "https://connect.example/unsubscribe/0123456789abcdef",
        CalendarPart(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
    ),
)
WORDS = EmailWords("es", "Información nueva: ¿olvidó su PIN?", "Text", "<p>HTML</p>", "Connect")


def verified(message: bytes) -> list[bool]:
    """What dkimpy says of each signature, with the records of our keys for a DNS."""

    def record(name: bytes, timeout: int = 5) -> bytes:
        return DNS[name.decode()].encode()

    verifier: Any = dkim.DKIM(message, minkey=1024)
    count = len(re.findall(rb"^DKIM-Signature:", message, re.MULTILINE))
    return [_verifies(verifier, index, record) for index in range(count)]


def _verifies(verifier: Any, index: int, record: Callable[..., bytes]) -> bool:
    try:
        return bool(verifier.verify(index, dnsfunc=record))
    except dkim.ValidationError:
        return False


def test_both_signatures_verify() -> None:
    """An RSA and an Ed25519 signature, each under its own selector."""
    signed = SIGNER.sign(build_message(WORDS, ENVELOPE), AT)
    assert verified(signed) == [True, True]
    head = signed.partition(b"\r\n\r\n")[0]
    assert max(len(line) for line in head.split(b"\r\n")) <= 78
    assert signed.isascii()


def test_a_retry_signs_the_same_bytes() -> None:
    """The same message at the same time has the same signatures."""
    message = build_message(WORDS, ENVELOPE)
    assert SIGNER.sign(message, AT) == SIGNER.sign(message, AT)


_line = st.text(st.sampled_from("ab .\t-"), max_size=12)


@given(lines=st.lists(_line, max_size=8), subject=_line)
@example(lines=[], subject="x")
@example(lines=["", "", ""], subject="x")
@example(lines=[" "], subject="x")
@example(lines=["a \t ", " ", ""], subject=" a\t\tb ")
def test_whatever_is_said_verifies(lines: list[str], subject: str) -> None:
    """Bodies of any spaces and empty lines, headers of any spaces, folded ones too."""
    body = "".join(f"{line}\r\n" for line in lines)
    message = (
        f"From: a@connect.example\r\nSubject: {subject}\r\n folded\r\nTo:b@c.example\r\n"
        f"Date: Mon, 23 Nov 2026 09:05:09 -0800\r\n\r\n{body}"
    ).encode()
    assert verified(SIGNER.sign(message, AT)) == [True, True]


@given(words=st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_words_verify(words: str) -> None:
    """Whatever the message says, in any script."""
    message = build_message(replace(WORDS, text=words, html=words), ENVELOPE)
    assert verified(SIGNER.sign(message, AT)) == [True, True]


@pytest.mark.parametrize(
    "header",
    [
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type",
        "Content-Language", "MIME-Version", "List-Unsubscribe", "List-Unsubscribe-Post",
    ],
)  # fmt: skip
def test_a_changed_or_missing_header_is_found_out(header: str) -> None:
    """Every header that a reader or a mail program goes by is covered: RFC 8058, 4 asks it of the
    two that stop reminders."""
    signed = SIGNER.sign(build_message(WORDS, ENVELOPE), AT)
    start = re.search(rf"^{header}: ".encode(), signed, re.MULTILINE)
    assert start
    changed = signed[: start.end()] + b"x" + signed[start.end() :]
    assert verified(changed) == [False, False]
    renamed = signed[: start.start()] + b"X-" + signed[start.start() :]
    assert verified(renamed) == [False, False]


@pytest.mark.parametrize("header", ["From", "Subject", "To", "Date", "Content-Type"])
def test_nothing_can_be_put_beside_a_header(header: str) -> None:
    """A second one of the kind that programs show breaks the signature (RFC 6376, 8.15)."""
    signed = SIGNER.sign(build_message(WORDS, ENVELOPE), AT)
    head, _, body = signed.partition(b"\r\n\r\n")
    for forged in (
        f"{header}: x\r\n".encode() + signed,
        head + f"\r\n{header}: x\r\n\r\n".encode() + body,
    ):
        assert verified(forged) == [False, False]


@given(st.integers(min_value=0, max_value=10_000))
def test_a_changed_body_is_found_out(position: int) -> None:
    """One letter of the body, wherever it stands."""
    signed = SIGNER.sign(build_message(WORDS, ENVELOPE), AT)
    begin = signed.index(b"\r\n\r\n") + 4
    letters = [place for place in range(begin, len(signed)) if chr(signed[place]).isalnum()]
    place = letters[position % len(letters)]
    changed = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
    assert verified(changed) == [False, False]


@pytest.mark.parametrize(
    ("body", "canonical"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"\r\n\r\n", b""),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
        (b"a", b"a\r\n"),
        (b" \r\n \r\n", b""),
    ],
)
def test_the_relaxed_body_is_that_of_the_rfc(body: bytes, canonical: bytes) -> None:
    """RFC 6376, 3.4.4, and the example of 3.4.5."""
    assert canonical_body(body) == canonical
