"""Forms of the application site that are sent without a session."""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.responses import Response

from engine.portal.tokens import FORM_FIELD
from engine.portal.visit import Visit
from engine.request_bodies import read_fields

SHOW: Final = "show"
"""The button that shows a password as it is typed: without a script it sends the form, which is
drawn again as it was, with an empty field that hides nothing."""


def shows(fields: Mapping[str, str]) -> bool:
    """Whether the form is to be drawn with its password to be seen."""
    return fields.get(SHOW) == "1"


Draw = Callable[[Mapping[str, str], Mapping[str, str], int], Response]
"""Draws a form from its fields and its faults, with a status."""


async def read_form(
    visit: Visit, scope: str, rate: str, draw: Draw
) -> Mapping[str, str] | Response:
    """The fields of a form of ours that is to be acted on, counted by network first; else the form
    again: 403 for one that this browser did not fetch lately, 200 where a password is to be shown.
    """
    await visit.count(f"{scope}.network", visit.network, rate=rate, or_refuse=True)
    fields = await read_fields(visit.request)
    if not visit.tokens.form_is_ours(visit.request, fields.get(FORM_FIELD, "")):
        return draw(fields, {"": "form_expired"}, 403)
    if SHOW in fields:
        return draw(fields, {}, 200)
    return fields
