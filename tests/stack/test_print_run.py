"""What a page says of the print batches: the tasks of each desk, and what does not add up."""

from datetime import UTC, date, datetime

from engine.alarms.book import StandingAlarm
from engine.communications.held import Held
from engine.stack.print_run import HeldFor, PrintRun, held_by_desk


def held(reason: str | None, desk: str | None, due_by: date) -> Held:
    """One task."""
    return Held(
        communication_id=1,
        notice="payment_notice",
        channel="mail",
        reason=reason,
        given_to=desk,
        due_by=due_by,
    )


def test_tasks_are_counted_by_reason_and_desk() -> None:
    """One line for each reason and desk, with its soonest deadline; what has no reason is not
    lost."""
    tasks = [
        held("vacant", "local agency: Kern", date(2026, 12, 9)),
        held(None, None, date(2026, 12, 9)),
        held("vacant", "local agency: Kern", date(2026, 12, 1)),
        held("vacant", "local agency: Yolo", date(2026, 12, 9)),
    ]
    assert held_by_desk(tasks) == (
        HeldFor("", "mail", "", 1, date(2026, 12, 9)),
        HeldFor("vacant", "mail", "local agency: Kern", 2, date(2026, 12, 1)),
        HeldFor("vacant", "mail", "local agency: Yolo", 1, date(2026, 12, 9)),
    )


def test_an_alarm_is_a_fault_of_the_run() -> None:
    """A run is good only when nothing disagrees and no alarm stands."""
    assert PrintRun((), (), ()).faults == []
    alarm = StandingAlarm(1, "no_ack", "ccss_test_letters_20261123_001", "late", datetime.now(UTC))
    assert PrintRun((), (alarm,), ()).faults == ["no_ack ccss_test_letters_20261123_001"]
