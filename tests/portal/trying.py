"""Trying what should not work: a form, one field at a time; and a close look at what comes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Final, Self
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from tests.portal.filled_forms import FORM_TYPE, FORMS, Reader, forms_of
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal

MOST: Final = 9_999
"""So many times a form can be filled in as another one; then over again."""
HIDDEN: Final = ("form_token", "form_id")
CHOICES: Final = {
    "anyway", "method", "none", "notices", "reminders", "safe", "starts_at", "tell_old",
    "text_version",
}  # fmt: skip
"""Fields that take a few answers, and nothing like them: fewer texts are tried in these."""
SANE: Final = {"form_token": {403}, "form_id": {400}, "List-Unsubscribe": {200, 400}}
"""What is answered to a hidden field that is not as it was drawn; other fields have more to say."""
ENDS_A_SESSION: Final = {"/log-out", "/choose-pin", "/profile/pin"}
_FAILURE: Final = re.compile(r"Traceback \(most|File &#34;/|\b[A-Z]\w+(?:Error|Exception)\b")


def wrong_with(answer: httpx.Response, language: str, text: str = "", before: str = "") -> str:
    """What is wrong with a page, if anything: it is whole and in its language, shows nothing of
    ours that failed, and has `text` in it as words alone. `before` is the page without it."""
    page = answer.text
    faults = {
        "no page": not answer.headers["Content-Type"].startswith("text/html"),
        "not whole": not re.fullmatch(r"<!doctype html>.*</html>\s*", page, re.DOTALL),
        "another language": f'<html lang="{language}"' not in page,
        "a failure": _FAILURE.search(page) is not None,
        "not escaped": _markup(text) and len(text) > 5 and text in page and text not in before,
    }
    said = [fault for fault, found in faults.items() if found]
    return ", ".join(said) or (_runs(Page(page)) if _markup(text) else "")


def _markup(text: str) -> bool:
    """Whether a text could become an element or an attribute."""
    return not {"<", ">", '"'}.isdisjoint(text)


def _runs(page: Page) -> str:
    """What a browser would run or obey of a page that no template of ours says."""
    for element in page.elements:
        if element.tag == "script" and not element.attributes.get("src", "").startswith("/static/"):
            return "a script"
        for name, value in element.attributes.items():
            led = name in {"href", "src", "action", "formaction"}
            if name.startswith("on") or name == "style":
                return f"an attribute {name}"
            if led and not value.startswith(("/", "#", "tel:", "?")):
                return f"a way to {value[:20]}"
    return ""


class Tries:
    """What is tried at the forms of one portal, and what came of it that should not.

    It is no dataclass: Hypothesis would tell everything that the portal holds with every example.
    """

    def __init__(self, portal: Portal, reader: Reader) -> None:
        self.portal = portal
        self.reader = reader
        self.wrong: dict[str, list[str]] = {}
        self._number = 0

    async def every_field(self, place: str, texts: Sequence[str]) -> None:
        """Each of `texts` in each field of the form sent to `place`, the others filled in well; a
        few of them where a text is not what is asked for."""
        trying = await Trying.at(self.portal, self.reader, place)
        names = (*FORMS[place].typed, *FORMS[place].more, *HIDDEN)
        tried = [(name, text) for name in names for text in _for(name, texts)]
        for turn, (name, text) in enumerate(tried):
            self._number = self._number % MOST + 1
            language = "es" if turn % 2 else "en"
            fault = await trying.one(name, text, language, self._number)
            if fault:
                said = f"{name}={text[:30]!r}: {trying.status}, {fault}"
                self.wrong.setdefault(place, []).append(said)
            if trying.status in {204, 303} and place in ENDS_A_SESSION:
                trying = await Trying.at(self.portal, self.reader, place)


def _for(name: str, texts: Sequence[str]) -> Sequence[str]:
    if name in HIDDEN:
        return texts[:5]
    return texts[::3] if name in CHOICES else texts


@dataclass
class Trying:
    """One form, open in one browser."""

    reader: Reader
    place: str
    browser: httpx.AsyncClient
    status: int = 0
    _opened: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    @classmethod
    async def at(cls, portal: Portal, reader: Reader, place: str) -> Self:
        """In a browser of the reader's."""
        return cls(reader, place, await reader.comes(portal, place))

    async def one(self, name: str, text: str, language: str, number: int) -> str:
        """Send the form with `text` in one field; what is wrong with what comes of it, if anything
        is."""
        before, hidden = await self._open(language)
        if name in HIDDEN and name not in hidden:
            return ""
        given = {"form_id": str(uuid4())} if "form_id" in hidden else {}
        fields = hidden | given | self.reader.fills(self.place, number) | {name: text}
        path = f"/{language}{self.reader.path(self.place)}"
        answer = await self._send(path, fields)
        # An address that letters may not find is asked about, and sent again as it is.
        if answer.status_code == 422 and (asked := _asked_again(answer.text, path)):
            answer = await self._send(path, fields | asked)
        self.status = answer.status_code
        fault = _unfit(answer, name, text, language, before)
        if fault or answer.status_code != 303:
            return fault
        return await self._read(answer.headers["Location"], name, text, before)

    async def _open(self, language: str) -> tuple[str, dict[str, str]]:
        """The page of the form, and the form's hidden fields."""
        if language not in self._opened:
            self._opened[language] = await self.reader.opens(self.browser, self.place, language)
        return self._opened[language]

    async def _send(self, path: str, fields: Mapping[str, str]) -> httpx.Response:
        body = urlencode(fields, errors="replace")
        return await self.browser.post(path, content=body, headers={"Content-Type": FORM_TYPE})

    async def _read(self, landed: str, name: str, text: str, before: str) -> str:
        """What is wrong with the pages that show what was kept, in one language and the other."""
        form = FORMS[self.place]
        other = "en" if landed.startswith("/es/") else "es"
        for path in (landed, *(f"/{other}{shown}" for shown in form.shown)):
            page = await self.browser.get(path)
            fault = wrong_with(page, path[1:3], text, before)
            if page.status_code != 200:
                fault = str(page.status_code)
            elif not fault and path != landed and name == form.exact and not _said(page, text):
                fault = "not what was typed"
            if fault:
                return f"{path}: {fault}"
        return ""


def _unfit(answer: httpx.Response, name: str, text: str, language: str, before: str) -> str:
    """What is wrong with the answer to a form, if anything is."""
    if answer.status_code not in SANE.get(name, {200, 204, 303, 404, 409, 422}):
        return "not that status"
    if answer.status_code == 204:
        return "not empty" if answer.content else ""
    if answer.status_code == 303:
        led = re.fullmatch(rf"/{language}/[a-z/-]*", answer.headers["Location"])
        return "" if led else f"to {answer.headers['Location'][:40]}"
    again = "" if _again(answer.text, name, text) else "came back as something else"
    return wrong_with(answer, language, text, before) or again


def _said(page: httpx.Response, text: str) -> bool:
    """Whether a page shows what was typed, to the letter."""
    return _letters(text) in _letters(Page(page.text).words)


def _again(page: str, name: str, text: str) -> bool:
    """Whether a field that was drawn again holds what was typed, as far as it holds anything."""
    found = re.search(rf'<(?:input|textarea)[^>]* name="{name}"[^>]*>', page)
    if not found or re.search(r'type="(?:radio|hidden|password)"', found[0]):
        return True
    [control, *_] = Page(found[0]).elements
    held = control.attributes.get("value", "")
    if control.tag == "textarea":
        held = unescape(page[found.end() :].partition("</textarea>")[0])
    return _letters(text).startswith(_letters(held))


def _letters(text: str) -> str:
    """A text as it was sent, without its blanks and its capitals: some forms put in their own."""
    return "".join(text.encode(errors="replace").decode().split()).casefold()


def _asked_again(page: str, path: str) -> dict[str, str]:
    """What a form says besides that was drawn again with a question."""
    for form in forms_of(page):
        if form.action == path and "anyway" in form.hidden:
            return form.hidden
    return {}
