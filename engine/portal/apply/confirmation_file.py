"""The confirmation of an application as a PDF: what an office asks its applicant to bring."""

import json
from typing import Any

from jinja2 import Template

from engine.applications.numbers import written
from engine.applications.submitting import Submitted
from engine.clock import pacific_date
from engine.i18n import Language, long_date
from engine.mail.typeface import undrawable_characters
from engine.portal.pdf_press import press


async def confirmation_pdf(words: Template, done: Submitted, language: Language) -> bytes:
    """A tagged PDF/A-2a and PDF/UA-1; `words` is templates/portal/apply/confirmation_words.txt in
    `language`. Raises NotDrawnError."""
    return await press("application_received").pdf(_document(words, done, language))


def _document(words: Template, done: Submitted, language: Language) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(words.render())
    day = pacific_date(done.submitted_at)
    record = done.record
    name = f"{record.applicant.first_name} {record.applicant.last_name}"
    facts = [
        (said["received_on"], long_date(day, language)),
        (said["kind"], said["kinds"][done.kind]),
        (said["children"], str(len(record.children))),
        (said["documents"], str(len(record.documents))),
    ]
    # A name that the typeface cannot draw is left to the number.
    named = [] if undrawable_characters(name) else [(said["name"], name)]
    return said | {
        "language": language,
        "date": (day.year, day.month, day.day),
        "number": written(done.number),
        "facts": [*named, *facts],
    }
