"""A telephone without a telephone network: it posts what a caller does as a voice platform would,
signed, over HTTP, and understands the markup of the answers."""

import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

import httpx
from twilio.request_validator import RequestValidator

from engine.errors import ConnectError
from engine.i18n import Language
from engine.phone.markup import Line
from engine.phone.paths import CALL, STATUS
from engine.phone.twiml import LOCALES, SIGNATURE

NUMBER: Final = "+19165550142"
"""The number it calls from, one that is set aside for fiction."""
_LANGUAGES: Final[dict[str, Language]] = {locale: name for name, locale in LOCALES.items()}


class LineFailedError(ConnectError):
    """The line answered with no markup: what a caller would hear as an error."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the line says, and what it waits for: an answer of `digits_most` keys at most or of
    words, the end of a conversation with `agent`, or nothing more, as it hung up."""

    lines: tuple[Line, ...]
    action: str = ""
    digits_most: int = 0
    agent: str = ""
    barge_in: bool = False

    @property
    def hung_up(self) -> bool:
        """Whether the line ended the call."""
        return not self.action

    @property
    def text(self) -> str:
        """All that is said."""
        return " ".join(line.text for line in self.lines)


@dataclass(slots=True)
class Handset:
    """One telephone. `base_url` is the address that the line takes its signatures to be for."""

    client: httpx.AsyncClient
    base_url: str
    token: str
    number: str = NUMBER
    call_id: str = field(default_factory=lambda: f"CA{secrets.token_hex(16)}")
    hearing: Hearing = Hearing(())

    async def call(self) -> Hearing:
        """Dial the line."""
        return await self._post(CALL)

    async def press(self, keys: str) -> Hearing:
        """Press keys, as far as the line takes them."""
        taken = keys[: self.hearing.digits_most].rstrip("#")
        return await self._post(self.hearing.action, Digits=taken)

    async def say(self, words: str) -> Hearing:
        """Say words, which the platform has understood."""
        return await self._post(self.hearing.action, SpeechResult=words, Confidence="0.9")

    async def wait(self) -> Hearing:
        """Keep silent until the line has enough of it."""
        return await self._post(self.hearing.action)

    async def after_agent(self, status: str = "completed") -> Hearing:
        """The conversation with an agent ended so, or never began: busy, no-answer, failed."""
        return await self._post(self.hearing.action, DialCallStatus=status)

    async def hang_up(self) -> None:
        """Hang up; the platform tells the line."""
        await self.send(STATUS, self.fields(CallStatus="completed"))
        self.hearing = Hearing(())

    def fields(self, **more: str) -> dict[str, str]:
        """The fields of a webhook of this call."""
        return {"CallSid": self.call_id, "From": self.number, "CallStatus": "in-progress"} | more

    async def send(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Post a webhook, signed."""
        signed = urljoin(self.base_url, path)
        validator = RequestValidator(self.token)
        signature = validator.compute_signature(signed, fields)
        return await self.client.post(path, data=fields, headers={SIGNATURE: signature})

    async def _post(self, path: str, **more: str) -> Hearing:
        self.hearing = understood(await self.send(path, self.fields(**more)))
        return self.hearing


def understood(response: httpx.Response) -> Hearing:
    """What a caller hears of an answer. Raises LineFailedError where it is none of the line's."""
    if response.status_code != 200 or not response.headers["Content-Type"].startswith("text/xml"):
        raise LineFailedError(f"the line answered {response.status_code} and no markup")
    reading = _Reading()
    reading.feed(response.text)
    return reading.hearing()


class _Reading(HTMLParser):
    """Reads the elements of an answer. A parser of HTML is enough, and expands no entities that a
    document defines by itself; it writes all names in lower case."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self.lines: list[Line] = []
        self.number = ""
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.found[tag] = {name: value or "" for name, value in attrs}
        self._within = tag

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if tag == self._within:
            self._within = ""

    def handle_data(self, data: str) -> None:
        """What stands in an element."""
        if self._within == "say":
            self.lines.append(Line(data, _LANGUAGES[self.found["say"]["language"]]))
        elif self._within == "number":
            self.number = data

    def hearing(self) -> Hearing:
        """All of it."""
        lines, gather, dial = tuple(self.lines), self.found.get("gather"), self.found.get("dial")
        if gather is not None:
            most, barge_in = int(gather["numdigits"]), gather["bargein"] == "true"
            return Hearing(lines, gather["action"], most, barge_in=barge_in)
        if dial is not None:
            return Hearing(lines, dial["action"], agent=self.number)
        return Hearing(lines)
