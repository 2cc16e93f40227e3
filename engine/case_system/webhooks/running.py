"""Posting the feed to an endpoint: in its order, a batch at a time, until it is taken.

At least once: what was taken is written down after it was, and a worker may die between the two. A
batch that was offered and not taken is offered again as the same message under the same id. An
endpoint has a lease, so that no two workers post to it beside each other, and a job, so that none
waits for another.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.case_system.feed.reading import Feed, Page, PlaceRemovedError, Wanted
from engine.case_system.feed.telling import told
from engine.case_system.identifiers import Identifiers
from engine.case_system.webhooks.posting import Answer, Poster
from engine.clock import Clock
from engine.communications.retries import Backoff
from engine.database import driver_connection
from engine.errors import InputError
from engine.security.webhook_signing import SIGNING_SECRET, key_of, signed_headers

log: Final = structlog.get_logger()

AT_ONCE: Final = 100
"""Events of one message, at the most."""
SLICE_SECONDS: Final = 30.0
"""How long one job posts to one endpoint before others have their turn."""
_LEASE: Final = timedelta(minutes=1)
BACKOFF: Final = Backoff(first=5, most=3600)

# Whoever waits for nothing is not asked: its place is at the feed's end.
_DUE: Final = """
SELECT id FROM webhook_endpoint
WHERE disabled_at IS NULL AND next_attempt_at <= $1
      AND position < (SELECT position FROM feed_head)
      AND (leased_until IS NULL OR leased_until < clock_timestamp())
ORDER BY id
"""
_CLAIM: Final = """
UPDATE webhook_endpoint SET lease_token = $2, leased_until = clock_timestamp() + $3::interval
WHERE id = $1 AND disabled_at IS NULL AND next_attempt_at <= $4
      AND (leased_until IS NULL OR leased_until < clock_timestamp())
RETURNING id, url, notices, position, offered_to, failures, failing_since
"""
_KEYS: Final = f"""
SELECT {SIGNING_SECRET.read()} AS secret FROM webhook_secret
WHERE endpoint_id = $1 AND (ends_at IS NULL OR ends_at > $2) ORDER BY id DESC
"""  # noqa: S608  joined from constants of ours
_TAKEN: Final = """
UPDATE webhook_endpoint SET position = $3, offered_to = NULL, failures = 0, failing_since = NULL,
       last_answer = coalesce($4, last_answer), taken_at = coalesce($5, taken_at),
       leased_until = clock_timestamp() + $6::interval
WHERE id = $1 AND lease_token = $2 AND disabled_at IS NULL
RETURNING id
"""
_OFFER: Final = """
UPDATE webhook_endpoint SET offered_to = $3, leased_until = clock_timestamp() + $4::interval
WHERE id = $1 AND lease_token = $2 AND disabled_at IS NULL
RETURNING id
"""
_FAILED: Final = """
UPDATE webhook_endpoint SET failures = failures + 1, failing_since = coalesce(failing_since, $3),
       last_answer = $4, next_attempt_at = $5, disabled_at = CASE WHEN $6::text IS NOT NULL
       THEN $3 END, disabled_why = $6
WHERE id = $1 AND lease_token = $2 AND disabled_at IS NULL
"""
_RELEASE: Final = """
UPDATE webhook_endpoint SET lease_token = NULL, leased_until = NULL
WHERE id = $1 AND lease_token = $2
"""


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: an id that a batch keeps, and its body."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class WebhookRun:
    """Posts to endpoints. One that is dead for `dead_after` is disabled."""

    engine: AsyncEngine
    feed: Feed
    poster: Poster
    identifiers: Identifiers
    dead_after: timedelta
    clock: Clock

    async def due(self) -> list[int]:
        """The endpoints that are to be posted to now."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_DUE, self.clock())
        return [row["id"] for row in rows]

    async def post(self, ids: Sequence[int]) -> int:
        """Post to each what waits for it, for a while; how many events were taken. An endpoint that
        another worker posts to, or that is not due, is left alone."""
        return sum([await self._serve(id_) for id_ in ids])

    async def test(self, id_: int) -> Answer:
        """Post one message that tells nothing, whatever state the endpoint is in."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            url = await driver.fetchval("SELECT url FROM webhook_endpoint WHERE id = $1", id_)
        if url is None:
            raise InputError("no webhook endpoint has this id")
        now = self.clock()
        body = _body("webhook.test", now, {"webhook": self.identifiers.shown("webhook", id_)})
        return await self._send(id_, url, Message(f"msg_test_{uuid4().hex}", body))

    async def _serve(self, id_: int) -> int:
        token = uuid4()
        claimed = await self._write(_CLAIM, id_, token, _LEASE, self.clock())
        if claimed is None:
            return 0
        endpoint = dict(claimed)
        ends, taken = time.monotonic() + SLICE_SECONDS, 0
        place, offered_to = endpoint["position"], endpoint["offered_to"]
        try:
            while time.monotonic() < ends:
                page = await self._page(endpoint, place, offered_to)
                if not page.events:
                    await self._write(_TAKEN, id_, token, page.position, None, None, _LEASE)
                    break
                if not await self._offer(endpoint, token, page):
                    break
                place, offered_to, taken = page.position, None, taken + len(page.events)
        finally:
            await self._write(_RELEASE, id_, token)
        return taken

    async def _page(self, endpoint: dict[str, Any], place: int, offered_to: int | None) -> Page:
        wanted = Wanted(endpoint["notices"])
        try:
            return await self.feed.page(place, AT_ONCE, wanted, offered_to)
        except PlaceRemovedError:
            log.warning("webhook_events_removed", webhook=endpoint["id"])
            return await self.feed.page(None, AT_ONCE, wanted)

    async def _offer(self, endpoint: dict[str, Any], token: UUID, page: Page) -> bool:
        """Post a batch; whether it was taken and the endpoint is still ours."""
        id_, last = endpoint["id"], page.events[-1].position
        if await self._write(_OFFER, id_, token, last, _LEASE) is None:
            return False
        answer = await self._send(id_, endpoint["url"], self._message(id_, page))
        now = self.clock()
        if answer.taken:
            endpoint |= {"failures": 0, "failing_since": None}
            done = await self._write(_TAKEN, id_, token, page.position, answer.said, now, _LEASE)
            return done is not None
        since = endpoint["failing_since"] or now
        dead = "dead" if now - since >= self.dead_after else None
        why = "gone" if answer.gone else dead
        # Whoever asks for more time gets it, up to what we would wait at the most.
        asked = min(answer.wait, timedelta(seconds=BACKOFF.most))
        wait = max(BACKOFF.delay(endpoint["failures"] + 1), asked)
        await self._write(_FAILED, id_, token, now, answer.said, now + wait, why)
        log.warning("webhook_not_taken", webhook=id_, said=answer.said, disabled=why)
        return False

    async def _send(self, id_: int, url: str, message: Message) -> Answer:
        now = self.clock()
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_KEYS, id_, now)
        keys = [key_of(str(row["secret"])) for row in rows]
        headers = signed_headers(*keys, message_id=message.id, at=now, body=message.body)
        return await self.poster.post(url, headers, message.body)

    def _message(self, id_: int, page: Page) -> Message:
        first, last = page.events[0].position, page.events[-1].position
        number = hashlib.sha256(f"{id_}:{first}:{last}".encode()).hexdigest()[:32]
        data = {
            "events": [told(event, self.identifiers) for event in page.events],
            "cursor": self.identifiers.shown("cursor", last),
        }
        return Message(f"msg_{number}", _body("events", page.events[-1].at, data))

    async def _write(self, statement: str, *given: object) -> Any:
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            return await driver.fetchrow(statement, *given)


def _body(kind: str, at: datetime, data: dict[str, Any]) -> bytes:
    """As Standard Webhooks sets it out."""
    content = {"type": kind, "timestamp": at.isoformat(timespec="milliseconds"), "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
