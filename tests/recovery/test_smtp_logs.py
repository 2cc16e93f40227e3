"""What mail logs say of our messages, and what they do not."""

import json
from datetime import UTC, datetime

import pytest

from engine.email.addressing import Addressing
from engine.recovery.smtp_logs import Sent, SmtpLogs

NOW = datetime(2026, 11, 29, 16, tzinfo=UTC)
OURS = Addressing(b"a key of this test", "bounces.connect.example")
SENT_AT = datetime(2026, 11, 29, 15, 14, 6, tzinfo=UTC)


def read(*lines: str) -> SmtpLogs:
    """One log of these lines."""
    logs = SmtpLogs(OURS, NOW)
    logs.read(lines)
    return logs


def postfix(queue: str, delivery: int, *ends: str, addressing: Addressing = OURS) -> list[str]:
    """What Debian's Postfix writes of one message of ours."""
    stamp = "2026-11-29T15:14:06.123456+00:00 relay"
    return [
        f"{stamp} postfix/smtpd[4021]: {queue}: client=worker-1[10.1.0.7]",
        f"{stamp} postfix/cleanup[4024]: {queue}: message-id={addressing.message_id(delivery)}",
        *(f"{stamp} postfix/{end.format(queue=queue)}" for end in ends),
    ]


def queued(delivery: int, addressing: Addressing = OURS) -> str:
    """The line that says a message is whole and on the disk."""
    path = addressing.return_path(delivery)
    return f"qmgr[812]: {{queue}}: from=<{path}>, size=7713, nrcpt=1 (queue active)"


def handed_on(status: str, dsn: str) -> str:
    """What a delivery agent says."""
    return (
        "smtp[4027]: {queue}: to=<reader@example.org>, relay=mx.example.org[192.0.2.7]:25, "
        f"delay=0.4, delays=0.1/0/0.2/0.1, dsn={dsn}, status={status} (host said so)"
    )


@pytest.mark.parametrize(
    ("ends", "returned"),
    [
        ([queued(7)], None),
        ([queued(7), handed_on("sent", "2.0.0")], None),
        ([queued(7), handed_on("deferred", "4.4.1")], None),
        ([queued(7), handed_on("bounced", "5.1.1")], "5.1.1"),
        (
            [
                queued(7),
                handed_on("bounced", "5.1.1"),
                "bounce[4030]: {queue}: sender non-delivery notification: 4g2Xyz2Yr8",
            ],
            "5.1.1",
        ),
        ([queued(7), handed_on("deferred", "4.4.1"), handed_on("expired", "4.4.1")], "4.4.1"),
    ],
)
def test_what_postfix_queued_was_taken(ends: list[str], returned: str | None) -> None:
    """A message that was whole in its queue was taken, whatever became of it there."""
    logs = read(*postfix("4g2Xyz1Zq9", 7, *ends))
    assert logs.sent[7].returned == returned
    assert logs.sent[7].dead is (returned == "5.1.1")
    assert logs.sent[7].at is not None
    assert logs.sent[7].at.replace(microsecond=0) == SENT_AT
    assert logs.begun == set()


def test_a_message_that_broke_off_was_not_taken() -> None:
    """cleanup names a Message-ID before the message is whole: by itself it proves nothing."""
    logs = read(*postfix("4g2Xyz1Zq9", 7))
    assert (logs.sent, logs.begun) == ({}, {7})


def test_a_queue_name_is_used_again() -> None:
    """Postfix's short queue names come again: what is removed is not mixed with what follows."""
    first = postfix("9F2A41C0B7", 7, queued(7), handed_on("sent", "2.0.0"))
    removed = "2026-11-29T15:14:06+00:00 relay postfix/qmgr[812]: 9F2A41C0B7: removed"
    logs = read(*first, removed, *postfix("9F2A41C0B7", 8))
    assert set(logs.sent) == {7}
    assert logs.begun == {8}


def test_what_another_wrote_names_nothing() -> None:
    """A Message-ID or return path under another key names no delivery of ours."""
    theirs = Addressing(b"another key", OURS.return_path_domain)
    logs = read(*postfix("4g2Xyz1Zq9", 7, queued(7, theirs), addressing=theirs))
    assert logs.sent == {}
    assert logs.understood == 3


def test_a_log_of_ours_is_known_though_nothing_came_back() -> None:
    """The receiver's own log of a quiet night; the portal's, given by mistake, is not."""
    assert read('{"port": 25, "event": "bounce_receiver_started"}').understood == 1
    assert read('{"event": "request", "path": "/"}').understood == 0


def test_a_stamp_without_a_year_is_of_the_last_twelve_months() -> None:
    """Syslog's own stamp: December, read in November, was last year's."""
    line = "Dec  3 09:00:00 relay postfix/" + queued(7).format(queue="4g2Xyz1Zq9")
    at = read(line).sent[7].at
    assert at is not None
    assert (at.year, at.month, at.day) == (2025, 12, 3)


def test_our_own_lines() -> None:
    """What the receiver of bounces took came back, hard or soft; a delay is no end. A hand-off of
    which a worker did not hear the end was begun."""
    lines = [
        {"event": "email_not_accepted", "delivery": 2, "communication": 6, "outcome": "unknown"},
        {"event": "email_not_accepted", "delivery": 3, "communication": 7, "outcome": "refused"},
        {"event": "email_came_back", "delivery": 4, "kind": "hard", "status": "5.1.1"},
        {"event": "email_came_back", "delivery": 5, "kind": "soft", "status": "4.2.2"},
        {"event": "email_came_back", "delivery": 6, "kind": "soft", "why": "delayed"},
        {"event": "email_came_back", "delivery": None, "kind": "soft", "status": "4.2.2"},
        {"event": "batch_stored", "batch": "ccss_test_letters_20261129_001"},
    ]
    logs = read(*map(json.dumps, lines), "{not JSON", "[1]")
    assert logs.sent == {4: Sent(4, returned="5.1.1", dead=True), 5: Sent(5, returned="4.2.2")}
    assert logs.begun == {2}


def test_the_later_word_counts_in_whichever_log() -> None:
    """A soft bounce that was sent again and taken: the order of the files does not matter."""
    back = {"event": "email_came_back", "delivery": 9, "kind": "soft", "status": "4.2.2"}
    earlier = json.dumps(back | {"timestamp": "2026-11-29T15:00:00Z"})
    taken = json.dumps({"message_id": OURS.message_id(9), "at": "2026-11-29T15:14:06Z"})
    assert read(earlier, taken).sent == read(taken, earlier).sent == {9: Sent(9, SENT_AT)}


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("message_id", OURS.message_id),
        ("envelope_id", OURS.envelope_id),
        ("return_path", OURS.return_path),
    ],
)
def test_json_lines_of_any_mail_system(name: str, of: object) -> None:
    """Each of the three keyed names says which delivery was taken; the last word on it counts."""
    assert callable(of)
    taken = json.dumps({name: of(9), "at": "2026-11-29T15:14:06Z", "communication": 5})
    back = json.dumps({name: of(9), "at": "2026-11-29T15:14:06Z", "status": "bounced"})
    assert read(taken).sent == {9: Sent(9, SENT_AT, 5)}
    assert read(taken, back).sent == {9: Sent(9, SENT_AT, 5, returned="5.0.0")}
    assert read(back, taken).sent == {9: Sent(9, SENT_AT, 5)}
