"""A payment history as a file to keep: a PDF for people, a CSV for spreadsheets."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any, Final

from engine.caseload.at_a_glance import Reader
from engine.caseload.payments import Choice, History
from engine.i18n import Language, long_date, money
from engine.mail.typeface import undrawable_characters
from engine.portal.pdf_press import press

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """What goes into a file. `words` are those of templates/portal/payments_words.txt."""

    language: Language
    words: Mapping[str, Any]
    reader: Reader
    choice: Choice
    history: History
    printed_on: date

    def csv(self) -> bytes:
        """UTF-8 with a byte order mark, by which spreadsheets know it, and lines as in RFC 4180:
        dates as YYYY-MM-DD, amounts as plain dollars."""
        written = StringIO()
        writer = csv.writer(written)
        writer.writerow(map(_plain, self._headings("csv_amount")))
        for line in self.history.lines:
            amount = f"{line.amount_cents // 100}.{line.amount_cents % 100:02d}"
            method = self.words["methods"][line.method]
            cells = (line.paid_on.isoformat(), line.case_number, method, amount)
            writer.writerow(map(_plain, cells))
        return written.getvalue().encode("utf-8-sig")

    async def pdf(self) -> bytes:
        """A tagged PDF/A-2a and PDF/UA-1. Raises NotDrawnError."""
        return await press("payment_history").pdf(self._document())

    def _headings(self, amount: str) -> tuple[str, ...]:
        words = self.words
        return words["date"], words["case_number"], words["method"], words[amount]

    def _document(self) -> dict[str, Any]:
        words, day = self.words, self.printed_on
        rows = [
            (
                long_date(line.paid_on, self.language),
                line.case_number,
                words["methods"][line.method],
                money(line.amount_cents, self.language),
            )
            for line in self.history.lines
        ]
        return {
            "language": self.language,
            "title": f"{words['title']}: {words['ways'][self.choice.direction]}",
            "date": (day.year, day.month, day.day),
            "agency": words["agency"],
            "programme": words["programme"],
            "demonstration": words["demonstration"],
            "footer": words["title"],
            "page_label": words["page_label"],
            "facts": self._facts(),
            "reader": " · ".join(value for _, value in self._named()),
            "headings": self._headings("amount"),
            "rows": rows,
            "nothing": words["nothing"],
            "total": words["total"]
            .replace("{number}", str(self.history.number))
            .replace("{total}", money(self.history.total_cents, self.language)),
        }

    def _facts(self) -> list[tuple[str, str]]:
        """What stands above the table."""
        words = self.words
        return [
            *self._named(),
            (words["period"], words["period_said"]),
            (words["printed_on"], long_date(self.printed_on, self.language)),
        ]

    def _named(self) -> list[tuple[str, str]]:
        """Whose it is. A name that the typeface cannot draw is left to the number."""
        name = (self.words["name"], self.reader.name)
        number = (self.words["participant_id"], self.reader.number)
        return [number] if undrawable_characters(self.reader.name) else [name, number]


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
