"""`connect phone`: the menus of the phone line as a tree, and a telephone to walk them with."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Final

import httpx
import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from engine.cli.phone_audio import Recording, speaks
from engine.cli.plain import say
from engine.errors import InputError, SettingsError
from engine.phone.checking import checked_menus
from engine.phone.handset import NUMBER, Handset, Hearing
from engine.phone.hearing import plain_keys
from engine.phone.menus import AGENT, OURS, Doing, End, Entry, Menu, Menus, Message, Words
from engine.phone.prompts import PROMPTS
from engine.settings import load_settings

app = typer.Typer(
    help="The phone line: its menus, and a telephone in the terminal.", no_args_is_help=True
)
_console: Final = Console(highlight=False)
_WIDE: Final = 250
"""Columns of a file or a pipe, in which nothing of a tree is cut off."""
_KEYS: Final = "keys, words, or just Enter to keep silent; Ctrl-D hangs up"
_RINGING: Final = "Enter: the agent is done; busy: nobody answers"
_ANSWER_SECONDS: Final = 20
"""A voice platform waits 15 for an answer."""


@app.command()
def tree(
    menus: Annotated[
        Path | None, typer.Option("--menus", help="A file of menus; else those in use.")
    ] = None,
) -> None:
    """Check the menus, and draw them: keys, words in both languages, and where each leads."""
    path = menus or load_settings().phone_menus or OURS
    checked = checked_menus(path)
    root = Tree(Text(f"menus {checked.version}"))
    agent = checked.agent
    root.add(Text(f"anywhere: {_chosen_by(agent)} → an agent, or the hours"))
    _Drawing(checked).draw(root, checked.start)
    shown = _console if _console.is_terminal else Console(width=_WIDE, file=_console.file)
    shown.print(root)


@app.command()
def call(
    url: Annotated[
        str | None, typer.Option(help="Where the line is served; else where the settings say.")
    ] = None,
    signed_for: Annotated[
        str | None, typer.Option(help="The address it believes signatures for, if another.")
    ] = None,
    number: Annotated[str, typer.Option("--from", help="The number to call from.")] = NUMBER,
    audio: Annotated[
        Path | None,
        typer.Option("--audio", metavar="FILE.wav", help="Write what is said to a file."),
    ] = None,
) -> None:
    """Call the line: it is shown what is said, and you press keys or say words."""
    settings = load_settings()
    token = settings.phone_token()
    if token is None:
        raise SettingsError("PHONE_AUTH_TOKEN is not set: there is no phone line to call")
    if audio is not None and not speaks():
        raise InputError("--audio needs espeak-ng, which is not installed here")
    recording = Recording()
    url = url or settings.phone_url()
    asyncio.run(_call(url, signed_for or url, token, number, recording))
    if audio is not None:
        say(_console, f"{audio}: {recording.write(audio):.0f} seconds")


async def _call(url: str, base: str, token: str, number: str, recording: Recording) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=_ANSWER_SECONDS) as client:
        handset = Handset(client, base, token, number)
        try:
            _hear(await handset.call(), recording)
            say(_console, f"({_KEYS})", "dim")
            while not handset.hearing.hung_up:
                _hear(await _answered(handset), recording)
        except EOFError:
            await handset.hang_up()
        except httpx.TransportError as error:
            raise InputError(
                f"the line at {url} does not answer ({type(error).__name__}): `make run` serves one"
            ) from None
    say(_console, "The call is over.", "dim")


async def _answered(handset: Handset) -> Hearing:
    """What the line says to what is typed."""
    if handset.hearing.agent:
        say(_console, f"(it rings at {handset.hearing.agent}; {_RINGING})", "dim")
        typed = await _typed()
        return await handset.after_agent("busy" if typed == "busy" else "completed")
    typed = await _typed()
    if not typed:
        return await handset.wait()
    keys = "".join(typed.split())
    if keys == "#" or plain_keys(keys):
        return await handset.press(keys)
    return await handset.say(typed)


async def _typed() -> str:
    """A line from the terminal, or from a file of answers, which is shown as it would be typed."""
    typed = await asyncio.to_thread(input, "> " if sys.stdin.isatty() else "")
    return typed.strip()


def _hear(hearing: Hearing, recording: Recording) -> None:
    for line in hearing.lines:
        say(_console, f"[{line.language}] {line.text}")
        recording.add(line)


class _Drawing:
    """Draws each place once; where it comes again, its name alone."""

    def __init__(self, menus: Menus) -> None:
        self.menus = menus
        self.drawn: set[str] = set()

    def draw(self, tree: Tree, name: str, by: str = "") -> None:
        """The place `name`, which `by` leads to, and what lies beyond it."""
        lead = f"{by} → " if by else ""
        if name == AGENT or name in self.drawn:
            tree.add(Text(f"{lead}{name} ↑" if name != AGENT else f"{lead}an agent"))
            return
        self.drawn.add(name)
        place = self.menus.places[name]
        branch = tree.add(Text(f"{lead}{name}: {_said(place)}"))
        match place:
            case Message(to=to):
                self.draw(branch, to)
            case Doing(outcomes=outcomes) | Entry(outcomes=outcomes):
                for outcome, to in outcomes.items():
                    self.draw(branch, to, outcome)
        for choice in self.menus.choices_at(name):
            self.draw(branch, choice.to, _chosen_by(choice))


def _said(place: Menu | Entry | Doing | Message | End) -> str:
    """The prompt of a place, or what is done there."""
    if isinstance(place, Doing):
        return f"({place.deed})"
    if place.prompt is None:
        return "in both languages"
    return f"“{PROMPTS[place.prompt]}”" + (f" ({place.deed})" if isinstance(place, Entry) else "")


def _chosen_by(words: Words) -> str:
    """`2 or 9 spanish / español`: the keys, and the first word of each language."""
    return f"{' or '.join(words.keys)} {words.en[0]} / {words.es[0]}"
