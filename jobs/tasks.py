"""What a ring of the doorbell does. Every task is safe to run twice, and names ids only."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from engine.bootstrap import Application
from engine.communications.catalogue import Urgency


def application(ctx: dict[str, Any]) -> Application:
    """The application that the worker process opened at its start."""
    opened = ctx["application"]
    assert isinstance(opened, Application)  # noqa: S101  narrows what arq's context holds
    return opened


async def deliver(ctx: dict[str, Any], delivery_ids: list[int]) -> int:
    """Deliver what is due of `delivery_ids`; how many this worker took."""
    with _courtesy(ctx):
        return await application(ctx).dispatcher.deliver(delivery_ids)


async def settle_pin_requests(ctx: dict[str, Any], request_ids: list[int]) -> int:
    """Issue the PINs that were asked for; how many communications came of it."""
    with _courtesy(ctx):
        return await application(ctx).pin_requests.settle(request_ids)


def _courtesy(ctx: dict[str, Any]) -> AbstractContextManager[None]:
    """Bulk work of this process steps aside for a job of the urgent queue."""
    urgent = ctx.get("queue") == Urgency.URGENT
    return application(ctx).courtesy.urgent() if urgent else nullcontext()
