"""From the answers of a draft to the record that is submitted: of the pages that are asked now."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from engine.applications import records
from engine.applications.flow import Step, first_open, steps
from engine.applications.questions import Section, Told
from engine.applications.uploads import Upload
from engine.errors import InputError
from engine.i18n import Language


def assemble(
    told: Told, uploads: Iterable[Upload], *, number: str, language: Language, at: datetime
) -> records.Application:
    """The record of a draft that is answered. Raises InputError for one that is not, naming the
    page."""
    if (missing := first_open(told)) is not None:
        raise InputError(f"the application is not whole: {missing} has no answer")
    asked = steps(told)
    other = _answers(told, (step for step in asked if not step.page.each), "other")
    return records.Application.model_validate(
        {
            "number": number,
            "kind": told.kind,
            "language": language,
            "confidential": told.protected,
            "submitted_at": at,
            "safety": _answers(told, asked, "safety"),
            "applicant": _answers(told, asked, "you"),
            "case": _answers(told, asked, "case"),
            "children": _each(told, asked, "children"),
            "other_parents": _each(told, asked, "other"),
            **other,
            "documents": [
                records.Document(
                    kind=each.kind,
                    media_type=each.media_type,
                    octets=each.octets,
                    sha256=each.sha256,
                )
                for each in uploads
            ],
        }
    )


def _each(told: Told, asked: list[Step], section: Section) -> list[dict[str, Any]]:
    """The answers of a section that is asked of several, one by one."""
    numbers = dict.fromkeys(
        step.number for step in asked if step.page.section == section and step.number is not None
    )
    return [
        _answers(told, (step for step in asked if step.number == number), section)
        for number in numbers
    ]


def _answers(told: Told, asked: Iterable[Step], section: Section) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for step in asked:
        if step.page.section != section:
            continue
        values = dict(told.answers[step.slot])
        if step.page.nest:
            found[step.page.nest] = values or None
        else:
            found |= values
    return found
