"""Payments made and expected, as they are told on the telephone: few, the latest first."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from engine.caseload.cases import CaseSummary
from engine.caseload.payments import Choice, Direction, History
from engine.i18n import Language
from engine.phone import spoken
from engine.phone.calls import Call

RECENT: Final = 3
"""More amounts in a row than these nobody keeps in mind."""


def choices_on(today: date) -> tuple[Choice, Choice, Choice]:
    """What was made, what was sent, and what has a day to come."""
    return (
        Choice(Direction.MADE, until=today),
        Choice(Direction.SENT, until=today),
        Choice(Direction.SENT, since=today + timedelta(days=1)),
    )


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells payments, in `call`, to whoever has part in `cases`."""

    call: Call
    language: Language
    today: date
    cases: list[CaseSummary]

    def tell(self, made: History, sent: History, dated: History) -> None:
        """What was made, what was sent, what is expected; that there is none, to a reader whose
        role would have some."""
        self._past(made, "payment_made", "payer", "no_payments_made")
        self._past(sent, "payment_sent", "payee", "no_payments_sent")
        self._expected(dated)
        if not self.call.said:
            self.call.say("no_payments")

    def _past(self, history: History, prompt: str, role: str, none: str) -> None:
        for line in history.lines:
            self._line(prompt, line.amount_cents, line.paid_on)
        if not history.lines and self._is(role):
            self.call.say(none)

    def _expected(self, dated: History) -> None:
        """What is on its way with a day, and what is ordered by the month."""
        for line in dated.lines:
            self._line("payment_expected", line.amount_cents, line.paid_on)
        monthly = [
            (case.number[-4:], cents)
            for case in self.cases
            if case.open and case.role == "payee"
            if (cents := sum(account.monthly_cents for account in case.accounts))
        ]
        for last_digits, cents in monthly:
            self.call.say(
                "expected_monthly",
                case=spoken.digits(last_digits, self.language),
                amount=spoken.amount(cents, self.language),
            )
        if not dated.lines and not monthly and self._is("payee"):
            self.call.say("nothing_expected")

    def _line(self, prompt: str, cents: int, on: date) -> None:
        self.call.say(
            prompt,
            amount=spoken.amount(cents, self.language),
            date=spoken.day(on, self.language, self.today),
        )

    def _is(self, role: str) -> bool:
        return any(case.role == role for case in self.cases)
