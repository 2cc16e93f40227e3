"""The menus of the phone line as data: places, what is said there, and where each answer leads."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import SettingsError
from engine.i18n import Language

OURS: Final = Path(__file__).with_name("menus.toml")
AGENT: Final = "agent"
"""The place that is none: whoever is led there is connected with an agent, or told the hours."""

Takes = Literal["participant_id", "pin"]
Key = Annotated[str, Field(pattern=r"^[0-9*]$")]
"""The pound key ends a number, and chooses nothing."""


class MenuError(SettingsError):
    """The menus cannot be served: the text names the file, the place and what is wrong there."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Part):
    """What chooses something: keys, and words of each language."""

    keys: Annotated[tuple[Key, ...], Field(min_length=1)]
    en: Annotated[tuple[str, ...], Field(min_length=1)]
    es: Annotated[tuple[str, ...], Field(min_length=1)]

    def words(self, language: Language) -> tuple[str, ...]:
        """The words of `language`."""
        return self.es if language == "es" else self.en


class Choice(Words):
    """One answer, what is said of it, and where it leads; it may settle the language of the call,
    or how a new PIN is sent."""

    prompt: str
    to: str
    language: Language | None = None
    method: Literal["email", "mail"] | None = None


class Menu(_Part):
    """A place where one of its choices is waited for. Without a prompt of its own it is said in
    all languages, each choice in the one that it settles."""

    kind: Literal["menu"]
    prompt: str | None = None
    choices: Annotated[tuple[Choice, ...], Field(min_length=1)]

    @property
    def prompts(self) -> Iterator[str]:
        """The keys of all that is said here."""
        if self.prompt is not None:
            yield self.prompt
        yield from (choice.prompt for choice in self.choices)

    @property
    def onward(self) -> Iterator[str]:
        """Where it leads."""
        yield from (choice.to for choice in self.choices)


class Entry(_Part):
    """A place where a number is waited for, and handed to a deed; `help` is said to whoever was
    not understood twice."""

    kind: Literal["entry"]
    takes: Takes
    prompt: str
    help: str | None = None
    deed: str
    outcomes: Mapping[str, str]
    choices: tuple[Choice, ...] = ()

    @property
    def prompts(self) -> Iterator[str]:
        """The keys of all that is said here."""
        yield self.prompt
        if self.help is not None:
            yield self.help
        yield from (choice.prompt for choice in self.choices)

    @property
    def onward(self) -> Iterator[str]:
        """Where it leads."""
        yield from self.outcomes.values()
        yield from (choice.to for choice in self.choices)


class Doing(_Part):
    """A place where something is done, and nothing waited for."""

    kind: Literal["deed"]
    deed: str
    outcomes: Mapping[str, str]

    @property
    def prompts(self) -> Iterator[str]:
        """A deed says what it finds by itself."""
        yield from ()

    @property
    def onward(self) -> Iterator[str]:
        """Where it leads."""
        yield from self.outcomes.values()


class Message(_Part):
    """A place where something is said, and the call goes on."""

    kind: Literal["message"]
    prompt: str
    to: str

    @property
    def prompts(self) -> Iterator[str]:
        """The key of what is said here."""
        yield self.prompt

    @property
    def onward(self) -> Iterator[str]:
        """Where it leads."""
        yield self.to


class End(_Part):
    """A place where something is said, and the call is over."""

    kind: Literal["end"]
    prompt: str

    @property
    def prompts(self) -> Iterator[str]:
        """The key of what is said here."""
        yield self.prompt

    @property
    def onward(self) -> Iterator[str]:
        """Nowhere."""
        yield from ()


Place = Annotated[Menu | Entry | Doing | Message | End, Field(discriminator="kind")]


class Agent(Words):
    """What asks for an agent, everywhere, and the prompts of the ways it may go; `otherwise` is the
    place that ends a call in which nobody understands anybody and no agent is in."""

    connecting: str
    closed: str
    hours: str
    unreachable: str
    otherwise: str

    @property
    def prompts(self) -> Iterator[str]:
        """The keys of all that may be said."""
        yield from (self.connecting, self.closed, self.hours, self.unreachable)


class Menus(_Part):
    """One version of the whole tree."""

    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,40}$")]
    start: str
    agent: Agent
    places: Mapping[str, Place]

    def choices_at(self, name: str) -> tuple[Choice, ...]:
        """What can be chosen at a place, besides an agent."""
        place = self.places[name]
        return place.choices if isinstance(place, Menu | Entry) else ()


def read_menus(path: Path = OURS) -> Menus:
    """The menus in a TOML file, as far as their form goes; `engine.phone.checking` looks at what
    they say. Raises MenuError, which names the file, the place and the fault."""
    try:
        return Menus.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise MenuError(f"{path}: cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MenuError(f"{path}: is not TOML: {error}") from None
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise MenuError("\n  ".join((f"{path}: the menus cannot be served", *faults))) from None
