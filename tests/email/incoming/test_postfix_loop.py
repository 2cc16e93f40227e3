"""The whole loop over a real mail system: what Postfix bounces becomes a letter."""

import asyncio

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.email.incoming.receiver import serve_returns
from engine.email.incoming.recording import Returns
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.communications.test_outbox import payment
from tests.database_rows import fetch, states
from tests.postfix_server import postfix_server


@pytest.mark.needs("postfix")
async def test_what_postfix_bounces_goes_by_mail(
    settings: Settings, database: AsyncEngine, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken at the 250, bounced by Postfix itself, traced by our return path: the email that was
    met is owed as a letter, and the address is suppressed; a reader who exists keeps theirs."""
    recorded = asyncio.Event()
    take = Returns.take

    async def watched(*arguments: object, **named: object) -> object:
        taken = await take(*arguments, **named)  # type: ignore[arg-type]
        recorded.set()
        return taken

    monkeypatch.setattr(Returns, "take", watched)
    async with opened_in_parts(settings) as receiving:
        receiver = await serve_returns(
            receiving.returns, settings.complaints_address, host="127.0.0.1", port=0
        )
        async with postfix_server(receiver.port) as postfix:
            over = settings.model_copy(update={"smtp_url": SecretStr(postfix.url)})
            async with opened_in_parts(over) as application:
                persons = await people.add(
                    application.engine,
                    people.Person(email="reader@mail.example"),
                    people.Person(external_id="0000000002", email="nobody@mail.example"),
                )
                async with application.outbox.transaction() as transaction:
                    await transaction.record_all([payment(id_, f"key:{id_}") for id_ in persons])
                ids = [item.delivery_id for item in transaction.owed]
                await application.dispatcher.deliver(ids)
                async with asyncio.timeout(60):
                    await recorded.wait()
                assert (await states(application))[:3] == ["sent", "failed", "owed"]
                rows = await fetch(
                    application, "SELECT delivery_id, cause, reason FROM contact_suppression"
                )
        await receiver.stop()
    assert rows == [{"delivery_id": ids[1], "cause": "hard_bounce", "reason": "5.1.1 unknown_user"}]
