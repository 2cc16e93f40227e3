"""What a caseworker does for participants by hand; all of it is in the audit trail.

Nothing is read or changed here without the account of whoever does it.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload import caseworker_replies
from engine.caseload.caseworker_replies import Replied, StaffThread, Waiting
from engine.caseload.personal import FIELDS, REPORT
from engine.caseload.sign_in import SignIn
from engine.caseload.welcome import Welcomed, welcome
from engine.clock import Clock
from engine.communications.held import HeldDesk
from engine.communications.outbox import Outbox, Transaction
from engine.database import driver_connection
from engine.errors import InputError
from engine.security.audit import Audit, Detail, Entry

UNTRUSTED: Final = frozenset(
    {
        "address_too_new",
        "address_untold",
        "email_not_confirmed",
        "email_too_new",
        "email_untold",
    }
)
"""Why a PIN is held that would go to a contact which its reader changed by themselves."""
_ACCOUNT_MOST: Final = 64

_REPORTS: Final = """
SELECT other_party_report.id, county, participant_id, reported_at
FROM other_party_report JOIN support_case ON support_case.id = case_id
WHERE read_at IS NULL ORDER BY other_party_report.id LIMIT $1
"""
_REPORT: Final = f"""
SELECT other_party_report.id, participant_id, participant.external_id AS participant_number,
       support_case.external_id AS case_number, county, {REPORT.read()} AS facts, reported_at,
       read_at, read_by
FROM other_party_report
JOIN participant ON participant.id = participant_id
JOIN support_case ON support_case.id = case_id
WHERE other_party_report.id = $1 FOR NO KEY UPDATE OF other_party_report
"""  # noqa: S608  joined from constants of ours
_READ: Final = """
UPDATE other_party_report SET read_at = $2, read_by = $3 WHERE id = $1 AND read_at IS NULL
"""
_HELD: Final = """
SELECT participant_id, notice, reason, channel
FROM communication JOIN delivery ON communication_id = communication.id
     AND delivery.step = communication.step AND meets_obligation
WHERE communication.id = $1 AND communication.state = 'held'
"""
_CONTACT: Final = f"""
SELECT contact_point.id, kind, created_at, changed_by, {FIELDS} AS fields
FROM contact_point JOIN participant ON participant.id = participant_id
WHERE participant_id = $1 AND kind = $2 AND superseded_at IS NULL
      AND (kind <> 'mail' OR substitute = confidential)
"""  # noqa: S608  joined from constants of ours
_VOUCH: Final = """
UPDATE contact_point SET vouched_at = $3
WHERE id = $2 AND participant_id = $1 AND kind = $4 AND superseded_at IS NULL RETURNING id
"""


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report about the other party of a case that nobody read yet."""

    id: int
    county: str
    participant_id: int
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A report; `read_at` and `read_by` tell who read it first, if somebody did before."""

    id: int
    participant_id: int
    participant_number: str
    case_number: str
    county: str
    facts: Mapping[str, Any]
    reported_at: datetime
    read_at: datetime | None
    read_by: str | None


@dataclass(frozen=True, slots=True)
class Released:
    """What goes on: its notice, why it was held, and whether its address was vouched for."""

    notice: str
    reason: str | None
    vouched: bool


@dataclass(frozen=True, slots=True)
class HeldContact:
    """Where something that is held would go: the number of the contact, and what is on file."""

    id: int
    kind: str
    created_at: datetime
    changed_by: str
    said: str


@dataclass(frozen=True, slots=True)
class StaffDesk:
    """The staff's acts."""

    outbox: Outbox
    audit: Audit
    sign_in: SignIn
    held: HeldDesk
    clock: Clock

    async def waiting(self, limit: int) -> list[Waiting]:
        """Messages that wait for a reply, soonest due first."""
        async with self.outbox.engine.connect() as connection:
            return await caseworker_replies.waiting(connection, limit)

    async def thread(self, message_id: int, account: str) -> StaffThread:
        """A message and its replies. Raises InputError where there is none."""
        async with self._acting(account) as act:
            found = await caseworker_replies.thread(act.connection, message_id)
            await act.done("message.shown", found.participant_id, message=message_id)
        return found

    async def reply(
        self, message_id: int, body: str, account: str, *, again: bool = False
    ) -> Replied:
        """Answer a message; see caseworker_replies.reply."""
        async with self._acting(account) as act:
            replied = await caseworker_replies.reply(
                act.transaction, message_id, act.account, body, self.clock(), again=again
            )
            await act.done(
                "message.answered", replied.participant_id, message=message_id, reply=replied.id
            )
        return replied

    async def reports(self, limit: int) -> list[ReportLine]:
        """Reports about other parties that nobody read yet, oldest first."""
        async with self.outbox.engine.connect() as connection:
            driver = await driver_connection(connection)
            return [ReportLine(**row) for row in await driver.fetch(_REPORTS, limit)]

    async def report(self, report_id: int, account: str) -> Report:
        """One report, which is read from now on. Raises InputError where there is none."""
        async with self._acting(account) as act:
            driver = await driver_connection(act.connection)
            row = await driver.fetchrow(_REPORT, report_id)
            if row is None:
                raise InputError(f"there is no report {report_id}; see: connect staff reports")
            await driver.execute(_READ, report_id, self.clock(), act.account)
            await act.done("other_party_report.read", row["participant_id"], report=report_id)
        return Report(**(dict(row) | {"facts": json.loads(row["facts"])}))

    async def contact(self, communication_id: int, account: str) -> HeldContact:
        """Where what is held would go now. Raises InputError for what is not held, or has no
        contact on file."""
        async with self._acting(account) as act:
            driver = await driver_connection(act.connection)
            held = await driver.fetchrow(_HELD, communication_id)
            if held is None:
                raise _not_held(communication_id)
            row = await driver.fetchrow(_CONTACT, held["participant_id"], held["channel"])
            if row is None:
                raise InputError(f"no {held['channel']} contact is on file for it")
            await act.done("contact.shown", held["participant_id"], contact=row["id"])
        return HeldContact(
            row["id"], row["kind"], row["created_at"], row["changed_by"], _said(row["fields"])
        )

    async def release(
        self, communication_id: int, account: str, *, vouch: int | None = None
    ) -> Released:
        """Send on what is held, on the channel on which it stopped; with `vouch` the caseworker
        answers for the contact of that number, which it was held for. Raises InputError for what
        is not held, and for a vouching that is not asked for or for what is not on file now."""
        async with self._acting(account) as act:
            driver = await driver_connection(act.connection)
            taken = await self._taken(driver, communication_id, vouch)
            owed = await self.held.take_up(act.connection, [communication_id])
            if not owed:
                raise _not_held(communication_id)
            act.transaction.owed.extend(owed.values())
            await act.done(
                "communication.released",
                taken["participant_id"],
                communication=communication_id,
                reason=taken["reason"],
                vouched=vouch,
            )
        return Released(taken["notice"], taken["reason"], vouch is not None)

    async def welcome(self, external_id: str, account: str) -> Welcomed:
        """Send a new participant the number, and apart from it the first PIN; see welcome."""
        async with self._acting(account) as act:
            welcomed = await welcome(act.transaction, external_id, self.clock())
            await act.done("participant.welcomed", welcomed.participant_id)
        return welcomed

    async def unlock(self, external_id: str, account: str) -> bool:
        """End the lock of a Participant ID Number; whether anything stood against it. Raises
        InputError where nobody has the number."""
        async with self._acting(account) as act:
            driver = await driver_connection(act.connection)
            participant_id = await driver.fetchval(
                "SELECT id FROM participant WHERE external_id = $1", external_id
            )
            if participant_id is None:
                raise InputError("no participant has this Participant ID Number")
            stood = await self.sign_in.unlock(act.connection, external_id, participant_id)
            await act.done("sign_in.unlocked", participant_id, stood=stood)
        return stood

    async def _taken(self, driver: Any, communication_id: int, vouch: int | None) -> Any:
        row = await driver.fetchrow(_HELD, communication_id)
        if row is None:
            raise _not_held(communication_id)
        if vouch is None:
            return row
        if row["reason"] not in UNTRUSTED:
            raise InputError(
                f"communication {communication_id} is held as {row['reason']}: vouching is for "
                "contacts that were changed in the portal; nothing was sent on"
            )
        named = (row["participant_id"], vouch, self.clock(), row["channel"])
        if not await driver.fetchval(_VOUCH, *named):
            raise InputError(
                f"contact {vouch} is not what is on file now; nothing was sent on. "
                f"See: connect staff contact {communication_id} --as ACCOUNT"
            )
        return row

    @asynccontextmanager
    async def _acting(self, account: str) -> AsyncIterator["_Acting"]:
        named = signed(account)
        async with self.outbox.transaction() as transaction:
            yield _Acting(transaction, self.audit, named)


@dataclass(frozen=True, slots=True)
class _Acting:
    """An act while it is done."""

    transaction: Transaction
    audit: Audit
    account: str

    @property
    def connection(self) -> AsyncConnection:
        """The transaction's."""
        return self.transaction.connection

    async def done(self, act: str, participant_id: int, **details: Detail) -> None:
        """Put it into the audit trail, last of all."""
        await self.audit.append(
            self.connection,
            Entry(f"staff:{self.account}", f"staff.{act}", participant_id, details),
        )


def _said(fields: Mapping[str, str]) -> str:
    """A contact's lines, as they are written."""
    lines = [fields.get(name) for name in ("email", "urbanization", "addr1", "addr2")]
    if "city" in fields:
        zip_code = "-".join(filter(None, (fields["zip5"], fields.get("zip4"))))
        lines.append(f"{fields['city']}, {fields['state']} {zip_code}")
    return "\n".join(filter(None, lines))


def signed(account: str) -> str:
    """The account of whoever acts. Raises InputError for one that cannot be kept on record."""
    named = account.strip()
    if not named or len(named) > _ACCOUNT_MOST or not named.isprintable():
        raise InputError(
            f"say whose account it is (--as): up to {_ACCOUNT_MOST} characters, kept on record"
        )
    return named


def _not_held(communication_id: int) -> InputError:
    return InputError(
        f"communication {communication_id} is not held; nothing was sent on. "
        "See: connect staff held"
    )
