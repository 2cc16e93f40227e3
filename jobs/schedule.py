"""The cron table, in Pacific time. A unique job id lets one worker of many run each."""

from datetime import timedelta
from typing import Any, Final

from arq.cron import CronJob, cron

from jobs.tasks import application

EMAIL_WITHIN: Final = timedelta(days=7)
MAIL_WITHIN: Final = timedelta(days=23)
"""Fifteen business days, and the weekends and closures among them."""


async def sweep(ctx: dict[str, Any]) -> None:
    """Ring again for what is owed and due, and for PIN requests that still wait."""
    app = application(ctx)
    await app.sweep.run()
    waiting = await app.pin_requests.unsettled()
    await app.doorbell.ring_for_pin_requests(waiting)


async def close_batch(ctx: dict[str, Any]) -> None:
    """Close the day's print batch when it is time, and finish a close that was cut short."""
    await application(ctx).batches.close_when_due()


async def remind(ctx: dict[str, Any]) -> None:
    """Record the reminders of the appointments ahead."""
    await application(ctx).notices.reminders(EMAIL_WITHIN, MAIL_WITHIN)


def cron_table() -> list[CronJob]:
    """What runs by the clock: reminders at 8:00; every minute the sweep, and after 17:30 on
    business days whatever is left of closing the batch: a minute that was missed costs nothing."""
    return [
        cron(sweep, second=0, unique=True, max_tries=1),
        cron(remind, hour=8, minute=0, second=0, unique=True, max_tries=1),
        cron(close_batch, second=30, unique=True, max_tries=1, timeout=3600),
    ]
