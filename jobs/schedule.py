"""The cron table, in Pacific time. A unique job id lets one worker of many run each."""

from datetime import timedelta
from typing import Any, Final

import structlog
from arq.cron import CronJob, cron

from engine.errors import SettingsError
from engine.mail.drops.port import DropRefusedError, DropUnavailableError
from jobs.tasks import application

log: Final = structlog.get_logger()

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


async def serve_drop(ctx: dict[str, Any]) -> None:
    """Hand over what waits, pick up what the vendor answered, and look for alarms."""
    app = application(ctx)
    await app.handover.run()
    try:
        await app.pickup.run()
    except (DropUnavailableError, DropRefusedError, SettingsError) as error:
        # It is an alarm by itself once an ack is late; the next minute tries again.
        log.warning("drop_failed", cause=str(error))
    await app.alarms.look()


async def remind(ctx: dict[str, Any]) -> None:
    """Record the reminders of the appointments ahead."""
    await application(ctx).notices.reminders(EMAIL_WITHIN, MAIL_WITHIN)


async def watch_deadlines(ctx: dict[str, Any]) -> None:
    """Call out what is at risk, and write down what was breached."""
    await application(ctx).deadlines.look()


async def tell_locked(ctx: dict[str, Any]) -> None:
    """Tell those whose sign-in was locked since."""
    await application(ctx).sign_in.tell_locked()


async def tidy(ctx: dict[str, Any]) -> None:
    """Remove sessions, forms and sign-in standings that no longer say anything."""
    app = application(ctx)
    async with app.engine.begin() as connection:
        await app.sessions.forget(connection)
        await app.acts.forget(connection)
        await app.sign_in.forget(connection)


def cron_table() -> list[CronJob]:
    """What runs by the clock: reminders at 8:00; tidying up at 3:20; every minute the sweep, the
    print drop and those who were locked out, and after 17:30 on business days whatever is left of
    closing the batch: a minute that was missed costs nothing."""
    return [
        cron(sweep, second=0, unique=True, max_tries=1),
        cron(remind, hour=8, minute=0, second=0, unique=True, max_tries=1),
        cron(watch_deadlines, second=50, unique=True, max_tries=1),
        cron(tell_locked, second=45, unique=True, max_tries=1),
        cron(tidy, hour=3, minute=20, second=0, unique=True, max_tries=1),
        cron(serve_drop, second=15, unique=True, max_tries=1, timeout=3600),
        cron(close_batch, second=30, unique=True, max_tries=1, timeout=3600),
    ]
