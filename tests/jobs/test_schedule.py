"""The cron table, as far as promises hang on it."""

from engine.communications.sweep import SILENCE
from engine.settings import Settings
from jobs.schedule import cron_table, sweep


def test_what_was_lost_is_begun_again_within_a_minute() -> None:
    """A lease of a dead worker, or a lost ring, and then the wait for the next sweep: together they
    are less than a minute."""
    (swept,) = [job for job in cron_table() if job.coroutine is sweep]
    assert isinstance(swept.second, set)
    seconds = sorted(swept.second)
    between = max(b - a for a, b in zip(seconds, [*seconds[1:], seconds[0] + 60], strict=True))
    lease = Settings.model_fields["lease_seconds"].default
    assert max(lease, SILENCE.total_seconds()) + between < 60
