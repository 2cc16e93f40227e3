"""A stored batch leaves as it is: nobody who comes after it was stored can say that a letter in it
was cancelled."""

import pytest

from engine.bootstrap import Application
from engine.communications.outcomes import Outcome
from engine.communications.states import Event
from tests import people
from tests.communications.test_campaigns import BY, record
from tests.database_rows import delivery_ids, fetch
from tests.mail.print_shop import by_mail, deliver, gather, store_batch


async def letters(application: Application) -> list[object]:
    """Where each letter stands."""
    rows = await fetch(application, "SELECT state FROM delivery WHERE channel = 'mail' ORDER BY id")
    return [row["state"] for row in rows]


async def cancelled_events(application: Application) -> list[object]:
    """Whether each that was recorded changed its delivery."""
    rows = await fetch(
        application, "SELECT changed FROM delivery_event WHERE event = 'cancelled' ORDER BY id"
    )
    return [row["changed"] for row in rows]


async def test_a_letter_in_a_stored_batch_is_handed_over(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That somebody wanted it cancelled is on record, and that it was not; one that is gathered
    later is cancelled as ever."""
    await gather(application, *by_mail(2))
    await store_batch(application, monkeypatch)
    await gather(application, *by_mail(1, first=3))
    stored, _, later = await delivery_ids(application, "batched")
    async with application.engine.begin() as connection:
        recorded = await application.outcomes.record(
            connection, [Outcome(id_, Event.CANCELLED, "newer") for id_ in (stored, later)]
        )
    assert list(recorded.moved) == [later]
    assert await cancelled_events(application) == [False, True]
    await application.handover.run()
    assert await letters(application) == ["handed_over", "handed_over", "cancelled"]


async def test_a_campaign_is_cancelled_but_for_what_leaves(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every minute asks again what is unsent of it, and leaves the stored letters alone."""
    await people.add(application.engine, *by_mail(2))
    assert await record(application) == 2
    await deliver(application)
    await store_batch(application, monkeypatch)
    assert await application.campaigns.cancel("november", *BY) == 0
    assert await application.campaigns.finish_cancelling() == 0
    assert await cancelled_events(application) == []
    await application.handover.run()
    assert await letters(application) == ["handed_over", "handed_over"]
