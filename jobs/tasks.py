"""What a ring of the doorbell does. Every task is safe to run twice, and names ids only.

What another version of the program has enqueued may say more, and is taken by what is understood;
what cannot be read is dropped, as the sweep rings again.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import structlog

from engine.bootstrap import Application
from engine.communications.catalogue import Urgency

log: Final = structlog.get_logger()

_MOST: Final = 2**63 - 1


def application(ctx: dict[str, Any]) -> Application:
    """The application that the worker process opened at its start."""
    opened = ctx["application"]
    assert isinstance(opened, Application)  # noqa: S101  narrows what arq's context holds
    return opened


async def deliver(
    ctx: dict[str, Any], delivery_ids: object = None, *_: object, **_more: object
) -> int:
    """Deliver what is due of `delivery_ids`; how many this worker took."""
    ids = _ids("deliver", delivery_ids)
    with _courtesy(ctx):
        taken = await application(ctx).dispatcher.deliver(ids) if ids else 0
    if taken and ctx.get("queue") == Urgency.BULK:
        await application(ctx).sweep.refill()
    return taken


async def settle_pin_requests(
    ctx: dict[str, Any], request_ids: object = None, *_: object, **_more: object
) -> int:
    """Issue the PINs that were asked for; how many communications came of it."""
    ids = _ids("settle_pin_requests", request_ids)
    with _courtesy(ctx):
        return await application(ctx).pin_requests.settle(ids) if ids else 0


async def post_to_webhook(
    ctx: dict[str, Any], endpoint_ids: object = None, *_: object, **_more: object
) -> int:
    """Post to webhook endpoints what waits for them; how many events they took."""
    ids = _ids("post_to_webhook", endpoint_ids)
    return await application(ctx).webhook_run.post(ids) if ids else 0


def _ids(job: str, given: object) -> list[int]:
    """What a job names, if it is ids that the database can hold; nothing of it otherwise."""
    named = given if isinstance(given, list) else [given]
    ids = [id_ for id_ in named if type(id_) is int and 0 < id_ <= _MOST]
    if not isinstance(given, list) or len(ids) < len(named):
        log.warning("job_unreadable", job=job)
        return []
    return ids


def _courtesy(ctx: dict[str, Any]) -> AbstractContextManager[None]:
    """Bulk work of this process steps aside for a job of the urgent queue."""
    urgent = ctx.get("queue") == Urgency.URGENT
    return application(ctx).courtesy.urgent() if urgent else nullcontext()
