"""The cron table, in Pacific time. A unique job id lets one worker of many run each."""

from typing import Any, Final

import structlog
from arq.cron import CronJob, cron

from engine.email.incoming.maildir import read_maildir
from engine.errors import SettingsError
from engine.mail.drops.port import DropRefusedError, DropUnavailableError
from jobs.tasks import application

log: Final = structlog.get_logger()

_REMINDED: Final = frozenset(range(8, 18))
"""At 8:00, and each hour until shortly before the batch closes: what was missed is caught up on the
same day, and a letter that an import overtook is still stopped."""

_NUMBERED: Final = frozenset(range(2, 60, 5))
"""How long an event waits, at the most, until whoever asks hears of it."""

_TOLD: Final = frozenset(range(5, 60, 10))
"""Soon enough for whoever waits for a smarthost to come back."""


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
    await app.drop_alarms.look()


async def remind(ctx: dict[str, Any]) -> None:
    """Record the reminders of this day, and stop those that no longer hold."""
    await application(ctx).reminders.run()


async def read_returns(ctx: dict[str, Any]) -> None:
    """Take in what came back, where a mail system delivers it into a Maildir."""
    app = application(ctx)
    if app.settings.bounce_maildir is not None:
        await read_maildir(app.returns, app.settings.bounce_maildir)


async def watch_deadlines(ctx: dict[str, Any]) -> None:
    """Call out what is at risk, and write down what was breached."""
    await application(ctx).deadlines.look()


async def watch_deliveries(ctx: dict[str, Any]) -> None:
    """Call out dead smarthosts and webhooks, tokens that end, and what cannot be read or built; and
    say that a worker lives."""
    app = application(ctx)
    await app.worker_watch.look()
    await app.smarthost_reports.look()
    await app.poison.look()
    await app.webhook_watch.look()
    await app.token_watch.look()


async def tell_alarms(ctx: dict[str, Any]) -> None:
    """Tell the operators what they have not heard yet."""
    await application(ctx).teller.run()


async def number_events(ctx: dict[str, Any]) -> None:
    """Give what became of deliveries and promises its place in the feed, and ring for the webhooks
    that wait for it."""
    app = application(ctx)
    await app.numbering.run()
    await app.doorbell.ring_for_webhooks(await app.webhook_run.due())


async def inbox_unopened(ctx: dict[str, Any]) -> None:
    """Remind of documents that nobody opened, and send by mail what has waited for too long."""
    await application(ctx).unopened.run()


async def record_statements(ctx: dict[str, Any]) -> None:
    """Record the statements of the month before, once a business day of this one has begun."""
    await application(ctx).statements.record_when_due()


async def finish_cancelling(ctx: dict[str, Any]) -> None:
    """Cancel what came back from workers, or was left, of campaigns that were cancelled."""
    await application(ctx).campaigns.finish_cancelling()


async def tell_locked(ctx: dict[str, Any]) -> None:
    """Tell those whose sign-in was locked since."""
    await application(ctx).sign_in.tell_locked()


async def tidy(ctx: dict[str, Any]) -> None:
    """Remove sessions, forms, sign-in standings and samples that no longer say anything."""
    app = application(ctx)
    async with app.engine.begin() as connection:
        await app.sessions.forget(connection)
        await app.acts.forget(connection)
        await app.sign_in.forget(connection)
        await app.consent_samples.forget(connection)


def cron_table() -> list[CronJob]:
    """What runs by the clock: reminders from 8:00 on; unopened documents at 9:20; tidying up at
    3:20; statements at 6:00; every ten seconds the telling of alarms, every five the feed; the
    sweep every quarter of a minute; every minute the print drop, what is called out, cancelled
    campaigns and those who were locked out, and after 17:30 on business days whatever is left of
    closing the batch: a minute that was missed costs nothing."""
    return [
        cron(sweep, second={0, 15, 30, 45}, unique=True, max_tries=1),
        cron(
            remind, hour=set(_REMINDED), minute=0, second=0, unique=True, max_tries=1, timeout=3600
        ),
        cron(read_returns, second=20, unique=True, max_tries=1, timeout=3600),
        cron(watch_deadlines, second=50, unique=True, max_tries=1),
        cron(watch_deliveries, second=40, unique=True, max_tries=1),
        cron(number_events, second=set(_NUMBERED), unique=True, max_tries=1, timeout=600),
        cron(tell_alarms, second=set(_TOLD), unique=True, max_tries=1, timeout=600),
        cron(tell_locked, second=45, unique=True, max_tries=1),
        cron(inbox_unopened, hour=9, minute=20, second=0, unique=True, max_tries=1, timeout=3600),
        cron(record_statements, hour=6, minute=0, second=0, unique=True, max_tries=1, timeout=3600),
        cron(finish_cancelling, second=35, unique=True, max_tries=1, timeout=3600),
        cron(tidy, hour=3, minute=20, second=0, unique=True, max_tries=1),
        cron(serve_drop, second=15, unique=True, max_tries=1, timeout=3600),
        cron(close_batch, second=30, unique=True, max_tries=1, timeout=3600),
    ]
