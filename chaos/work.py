"""The demonstration's work, in the proportions of a chaos run: most of it payment notices by email
or by mail, some as documents of the inbox, some reminders, some PINs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from engine.bootstrap import Application
from engine.caseload.pin_requests import Method
from engine.clock import pacific_date
from engine.communications.catalogue import Channel
from engine.communications.outbox import Obligation
from engine.communications.routing import in_order
from engine.database import driver_connection
from engine.i18n import Language
from engine.stack.visitors import visitors_from
from tests.promises import EMAIL_THEN_MAIL, payment

_DAYS: Final = 3
"""Of so many days the caseload's own payments are told, as documents where people are enrolled:
each takes a tenth of a second to draw."""
_ASKERS: Final = 40
"""Of so many participants one asks for a PIN: each costs an Argon2id hash, by design."""
_AT_ONCE: Final = 1_000


def participants_for(communications: int) -> int:
    """How many sample participants so many communications are spread over."""
    return max(12, communications * 3 // 5)


async def owe(application: Application, caseload: Path, communications: int) -> None:
    """Have so many communications owed, a few more or less: not every PIN becomes one."""
    now = application.clock()
    await application.notices.payments_since(pacific_date(now) - timedelta(days=_DAYS))
    await application.reminders.run()
    asked = await _ask(application, caseload)
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        people = [row["id"] for row in await driver.fetch("SELECT id FROM participant ORDER BY id")]
        owed = asked + await driver.fetchval("SELECT count(*) FROM communication")
    rest = [
        replace(one, requested_at=now) for one in _payments(people, max(0, communications - owed))
    ]
    for start in range(0, len(rest), _AT_ONCE):
        async with application.outbox.transaction() as transaction:
            await transaction.record_all(rest[start : start + _AT_ONCE])


async def _ask(application: Application, caseload: Path) -> int:
    asked = 0
    for visitor in list(visitors_from(caseload))[::_ASKERS]:
        method: Method = "mail" if visitor.method == "mail" else "email"
        language: Language = "es" if visitor.language == "es" else "en"
        await application.pin_requests.receive(
            visitor.first_name, visitor.last_name, visitor.participant_id, method, language
        )
        asked += 1
    return asked


def _payments(people: list[int], number: int) -> Iterator[Obligation]:
    """Three of five by email, and by mail where that fails; the others by mail. Half in Spanish."""
    for turn in range(number):
        route = EMAIL_THEN_MAIL if turn % 5 < 3 else in_order(Channel.MAIL)
        notice = payment(people[turn % len(people)], route, f"chaos:{turn}")
        yield notice if turn % 2 else replace(notice, language="en")
