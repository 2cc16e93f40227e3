"""Synthetic parents at the portal's own form: they load the page, fill it in and send it."""

import asyncio
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import httpx

from engine.errors import ConnectError

_AT_ONCE: Final = 8


class VisitError(ConnectError):
    """The portal did not take a request as it should have."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One parent who forgot the PIN."""

    first_name: str
    last_name: str
    participant_id: str
    language: str
    method: str


def visitors_from(folder: Path, limit: int | None = None) -> Iterator[Visitor]:
    """The participants of a sample caseload; two of three choose email, the third the post."""
    with (folder / "participants.csv").open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if limit is not None and number >= limit:
                return
            yield Visitor(
                first_name=row["first_name"],
                last_name=row["last_name"],
                participant_id=row["participant_id"],
                language=row["language"],
                method="mail" if number % 3 == 2 else "email",
            )


async def visit_all(portal_url: str, visitors: list[Visitor], visited: Callable[[], None]) -> None:
    """Send every visitor's form, some at a time; raises VisitError at the first wrong answer."""
    waiting = iter(visitors)

    async def lane() -> None:
        async with httpx.AsyncClient(base_url=portal_url, timeout=30) as client:
            for visitor in waiting:
                client.cookies.clear()
                await _visit(client, visitor)
                visited()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(lane())
    except* VisitError as failed:
        raise failed.exceptions[0] from None


async def _visit(client: httpx.AsyncClient, visitor: Visitor) -> None:
    path = f"/{visitor.language}/forgot-pin"
    page = await client.get(path)
    answer = await client.post(
        path,
        data={
            **hidden_fields(page.text),
            "first_name": visitor.first_name,
            "last_name": visitor.last_name,
            "participant_id": visitor.participant_id,
            "method": visitor.method,
        },
    )
    if answer.status_code != 303:
        raise VisitError(f"{path} answered {answer.status_code}, not 303")


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's form, the anti-forgery token among them."""
    form = _HiddenFields()
    form.feed(page)
    return form.fields


class _HiddenFields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden" and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""
