"""*Forgot PIN?*: the same answer and the same work for everyone, and the rest in a worker."""

import hmac
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.calendar.deadlines import due_by
from engine.caseload.carried_pins import CarriedPins
from engine.caseload.personal import NAME, NAMES_APART
from engine.clock import Clock, pacific_date
from engine.communications.catalogue import (
    TEMPORARY_PIN,
    Channel,
    TemporaryPinFacts,
)
from engine.communications.claims import Reader
from engine.communications.doorbell import Doorbell
from engine.communications.outbox import Obligation, Outbox, Transaction
from engine.communications.ports import Recipients, Unreachable
from engine.communications.routing import Route, in_order
from engine.database import driver_connection
from engine.i18n import Language
from engine.security.audit import Audit, Entry

log: Final = structlog.get_logger()

Method = Literal["email", "mail"]

_LOOK_UP = f"SELECT id, {NAMES_APART} AS names FROM participant WHERE external_id = $1"  # noqa: S608
_RECEIVE = """
INSERT INTO pin_request (participant_id, method, language, requested_at)
VALUES ($1, $2, $3, $4) RETURNING id
"""
_TAKE = f"""
SELECT pin_request.id, participant_id, method, requested_at, participant.language, confidential,
       {NAME} AS name
FROM pin_request LEFT JOIN participant ON participant.id = participant_id
WHERE pin_request.id = $1 AND settled_at IS NULL
FOR UPDATE OF pin_request SKIP LOCKED
"""  # noqa: S608  joined from constants of ours
_SETTLED = "UPDATE pin_request SET settled_at = $2, outcome = $3 WHERE id = $1"
_UNSETTLED = """
SELECT id FROM pin_request
WHERE settled_at IS NULL AND (requested_at < $1 OR requested_at > $2) ORDER BY id LIMIT 10000
"""
# A letter that travels, or waits to, still brings its PIN: another would void it on the way.
_LETTER_TRAVELS = """
SELECT EXISTS (
    SELECT FROM communication JOIN delivery ON communication_id = communication.id
    WHERE participant_id = $1 AND notice = 'temporary_pin' AND channel = 'mail'
      AND delivery.state IN ('owed', 'sending', 'batched', 'handed_over', 'mailed')
      AND delivery.due_by >= $2
      AND EXISTS (SELECT FROM pin_credential WHERE delivery_id = delivery.id
                  AND used_at IS NULL AND voided_at IS NULL)
)
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """What the page answers, whoever asked: the method's own promise."""

    method: Method
    due: date


@dataclass(frozen=True, slots=True)
class PinRequests:
    """Receives requests at the portal's pace, and settles them at the worker's."""

    engine: AsyncEngine
    outbox: Outbox
    doorbell: Doorbell
    carried: CarriedPins
    audit: Audit
    recipients: Recipients
    clock: Clock

    async def receive(
        self,
        first_name: str,
        last_name: str,
        external_id: str,
        method: Method,
        language: Language,
        *,
        network: str | None = None,
    ) -> Promise:
        """Take a request down. The statements run, and the answer, do not depend on a match.

        Whoever asks is unknown, though they know a participant's name and number.
        """
        typed = f"{first_name}\n{last_name}"
        return await self._receive(
            external_id, method, language, network, lambda names: _same_name(names, typed)
        )

    async def receive_by_number(
        self, external_id: str, method: Method, language: Language, *, network: str | None = None
    ) -> Promise:
        """The same of somebody on the telephone, who is asked for the number alone: a PIN goes
        nowhere but to what is on file, and how often is for the caller to limit."""
        return await self._receive(external_id, method, language, network, lambda _names: True)

    async def _receive(
        self,
        external_id: str,
        method: Method,
        language: Language,
        network: str | None,
        is_theirs: Callable[[str], bool],
    ) -> Promise:
        now = self.clock()
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            row = await driver.fetchrow(_LOOK_UP, external_id)
            same = is_theirs(row["names"] if row else "\n")
            participant_id = row["id"] if row and same else None
            request_id = await driver.fetchval(_RECEIVE, participant_id, method, language, now)
            await self.audit.append(
                connection,
                Entry("unknown", "pin.requested", participant_id, {"method": method}, network),
            )
        await self.doorbell.ring_for_pin_requests([request_id])
        return self.promise(method)

    def promise(self, method: Method) -> Promise:
        """When something asked for now should arrive."""
        return Promise(method, due_by(self.clock(), TEMPORARY_PIN.days[Channel(method)]))

    async def settle(self, request_ids: Sequence[int]) -> int:
        """Issue a PIN for each request that may have one; how many communications came of it."""
        recorded = 0
        for request_id in request_ids:
            try:
                async with self.outbox.transaction() as transaction:
                    recorded += await self._settle(transaction, request_id)
            except Exception:
                # Whatever it was, it is still unsettled: the sweep asks for it again.
                log.exception("pin_request_not_settled", request=request_id)
        return recorded

    async def unsettled(self, older_than_seconds: float = 40) -> list[int]:
        """Requests whose doorbell was lost; and those of what is now the future, if the clock was
        put back."""
        now = self.clock()
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(
                _UNSETTLED,
                now - timedelta(seconds=older_than_seconds),
                now + timedelta(seconds=5),
            )
        return [row["id"] for row in rows]

    async def _settle(self, transaction: Transaction, request_id: int) -> int:
        driver = await driver_connection(transaction.connection)
        row = await driver.fetchrow(_TAKE, request_id)
        if row is None:
            return 0
        outcome = await self._outcome(transaction, row)
        await driver.execute(_SETTLED, request_id, self.clock(), outcome)
        log.info("pin_request_settled", request=request_id, outcome=outcome)
        return int(outcome == "recorded")

    async def _outcome(self, transaction: Transaction, row: Any) -> str:
        if row["participant_id"] is None:
            return "no_match"
        connection = transaction.connection
        driver = await driver_connection(connection)
        # Two requests of one participant are settled one after the other.
        await driver.execute(
            "SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE", row["participant_id"]
        )
        travels = await driver.fetchval(
            _LETTER_TRAVELS, row["participant_id"], pacific_date(self.clock())
        )
        if row["method"] == "mail" and travels:
            return "letter_travels"
        await self.carried.cancel(connection, row["participant_id"], "newer_pin")
        await transaction.record(
            Obligation(
                key=f"temporary_pin:{row['id']}",
                notice=TEMPORARY_PIN,
                participant_id=row["participant_id"],
                language=row["language"],
                facts=TemporaryPinFacts(name=row["name"]),
                route=await self._route(connection, row),
                requested_at=row["requested_at"],
            )
        )
        return "recorded"

    async def _route(self, connection: AsyncConnection, row: Any) -> Route:
        """The chosen method first; from email to mail only where mail is safe.

        A confidential participant's request never turns into a letter by itself.
        """
        if row["method"] == "mail":
            return in_order(Channel.MAIL)
        participant = row["participant_id"]
        reader = Reader(participant, secret=True)
        mail = (await self.recipients.mail(connection, [reader]))[reader]
        if row["confidential"] or isinstance(mail, Unreachable):
            return in_order(Channel.EMAIL)
        return in_order(Channel.EMAIL, Channel.MAIL)


def _same_name(stored: str, typed: str) -> bool:
    """Compare without regard to case, accents or spacing, in time that does not tell."""
    return hmac.compare_digest(_plain(stored), _plain(typed))


def _plain(name: str) -> bytes:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    kept = (
        c if c.isalnum() or c == "\n" else " " for c in decomposed if not unicodedata.combining(c)
    )
    return "\n".join(" ".join(part.split()) for part in "".join(kept).split("\n")).encode()
