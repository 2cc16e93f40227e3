"""What others build upon: the whole of a verdict, and that any bytes at all get one."""

import dataclasses
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.email.bounces.classifying import classify
from engine.email.bounces.reports import meaning
from engine.email.bounces.verdict import Kind, Verdict, Why
from tests.email.bounces.sampled import samples

_REPORT: Final = b"""\
Return-Path: <>
From: MAILER-DAEMON@relay.example (Mail Delivery System)
To: bounce+42.abcdefghijklmnop@bounces.agency.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your message could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example
Original-Envelope-Id: 42-abcdefghijklmnop

Original-Recipient: rfc822;full@mail.example
Final-Recipient: rfc822; full@mail.example
Action: failed
Status: 5.2.2

Original-Recipient: rfc822;gone@mail.example
Final-Recipient: rfc822; gone@inner.mail.example
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp; 550 5.1.1
 User unknown

Final-Recipient: rfc822; slow@mail.example
Action: delayed
Status: 4.4.1

--b
Content-Type: text/rfc822-headers

Message-ID: <42.abcd@bounces.agency.example>
Subject: A message is waiting

--b--
"""

_MESSAGES: Final = (_REPORT, *(sample.message for sample in samples()))


def test_a_verdict_tells_all_that_the_report_tells() -> None:
    """Each recipient has a verdict; the message's is the worst; ENVID and Message-ID come along."""
    verdict = classify(_REPORT)
    assert [(one.recipient, one.status, one.why) for one in verdict.recipients] == [
        ("full@mail.example", "5.2.2", Why.FULL),
        ("gone@inner.mail.example", "5.1.1", Why.UNKNOWN_USER),
        ("slow@mail.example", "4.4.1", Why.DELAYED),
    ]
    assert verdict.kind is Kind.HARD
    assert verdict.recipient == "gone@inner.mail.example"
    assert verdict.original_recipients == ("full@mail.example", "gone@mail.example")
    assert verdict.envelope_id == "42-abcdefghijklmnop"
    assert verdict.original_message_id == "<42.abcd@bounces.agency.example>"
    assert not verdict.delayed


def test_a_delay_is_soft_and_says_that_it_is_no_failure_yet() -> None:
    """Only when every recipient is still being tried is the message one of delay."""
    delayed = _REPORT.replace(b"Action: failed", b"Action: delayed")
    verdict = classify(delayed)
    assert (verdict.kind, verdict.delayed) == (Kind.SOFT, True)


@pytest.mark.parametrize(
    ("status", "diagnostic", "why"),
    [
        ("5.1.1", "552 mailbox full", Why.FULL),
        ("5.2.2", "", Why.FULL),
        ("5.2.1", "", Why.SUSPENDED),
        ("5.7.1", "", Why.POLICY),
        ("5.7.1", "550 no such user", Why.UNKNOWN_USER),
        ("4.4.7", "", Why.EXPIRED),
        ("4.4.7", "retry timeout exceeded after: 550 user unknown", Why.UNKNOWN_USER),
        ("4.1.1", "", Why.NETWORK),
        ("5.4.4", "", Why.UNKNOWN_HOST),
        ("4.4.3", "Name service error for name=x type=MX: Host not found, try again", Why.NETWORK),
        ("5.4.4", "Name service error for name=x type=MX: Host not found", Why.UNKNOWN_HOST),
        ("5.1.10", "", Why.UNKNOWN_HOST),
        ("5.1.8", "", Why.SENDER),
        ("5.0.0", "", Why.UNDETERMINED),
    ],
)
def test_words_overrule_the_status_and_the_status_its_first_digit(
    status: str, diagnostic: str, why: Why
) -> None:
    """RFC 3463 says what failed, not whether the address is dead; the remote server's words do."""
    report = f"""\
From: MAILER-DAEMON@relay.example
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; reader@mail.example
Action: failed
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--b--
"""
    verdict = classify(report.encode())
    assert (verdict.why, verdict.kind) == (why, why.kind)


def test_a_status_of_success_means_no_failure() -> None:
    """Class 2 is no bounce; what RFC 3463 leaves open stays open."""
    assert meaning("2.1.5") is None
    assert meaning("5.0.0") is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=3000))
@example(b"")
@example(b"From: " + b"(" * 5000)
@example(b"Content-Type: message/rfc822\n\n" * 2000)
@example(b"Content-Type: multipart/mixed; charset*=x''%ff; boundary*0=\n\n--")
def test_any_bytes_get_a_verdict(message: bytes) -> None:
    """Nothing is raised, and what is no message is no bounce."""
    assert isinstance(classify(message), Verdict)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(_MESSAGES),
    st.integers(0, 4000),
    st.integers(0, 4000),
    st.binary(max_size=40),
)
def test_a_damaged_message_gets_a_verdict(
    message: bytes, begin: int, length: int, inserted: bytes
) -> None:
    """Cut off, cut out of, and written into: a verdict comes of it all the same."""
    verdict = classify(message[:begin] + inserted + message[begin + length :])
    assert verdict.why.kind is verdict.kind
    for one in verdict.recipients:
        assert one.recipient is None or "@" in one.recipient


def _nested(depth: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; BOUNDARY=%d\n\n--%d\n" % (level, level)
        for level in range(depth)
    )


_NOTICE: Final = b"From: MAILER-DAEMON@relay.example\nSubject: failure notice\n\n"


@pytest.mark.parametrize(
    "message",
    [
        _nested(3000),
        b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 50_000,
        b"X: y\n" * 200_000,
        _REPORT.replace(
            b"Status: 5.2.2\n\n",
            b"Status: 5.2.2\n\n"
            + b"Final-Recipient: rfc822; a@b.example\nAction: failed\n\n" * 9999,
        ),
        _NOTICE + b"a" * 3_000_000,
        _NOTICE + b"a@" * 500_000,
        _NOTICE + b"message mail mailbox host server " * 30_000,
        _NOTICE + b"550 a\n" * 50_000,
        b"Content-Type: text/html\n" + _NOTICE + b"<style" * 50_000,
        b"From: " + b"<" * 100_000 + b"\nSubject: " + b"=?utf-8?q?a?= " * 50_000 + b"\n\n",
    ],
    ids=lambda message: str(bytes(message[:24])),
)
def test_what_is_made_to_keep_a_reader_busy_is_done_with(message: bytes) -> None:
    """Depth, numbers and lengths without measure end in a verdict long before a test's time."""
    assert isinstance(classify(message), Verdict)


def test_why_is_of_a_closed_set() -> None:
    """Every reason has a kind, and nothing of a message's text is in a verdict's reason."""
    assert {why.kind for why in Why} == set(Kind)
    assert not dataclasses.asdict(classify(b""))["recipients"]
