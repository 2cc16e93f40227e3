"""Whether menus can be served: no dead end, no key that means two things, no missing word."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

from engine.communications.catalogue import LANGUAGES
from engine.errors import InputError, MissingTranslationError
from engine.phone.hearing import plain_words
from engine.phone.menus import AGENT, Doing, End, Entry, Menu, MenuError, Menus, Message, read_menus
from engine.phone.prompts import translated, values_of

OUTCOMES: Final[Mapping[str, frozenset[str]]] = {
    "read_number": frozenset({"read"}),
    "sign_in": frozenset({"full", "temporary", "refused", "refused_often", "too_many"}),
    "request_pin": frozenset({"promised", "too_many"}),
    "recent_payments": frozenset({"told", "choose_first", "signed_out"}),
    "check_current": frozenset({"right", "wrong", "choose_first", "too_many", "signed_out"}),
    "check_new": frozenset({"good", "easy", "of_the_number", "same", "too_many", "signed_out"}),
    "change_pin": frozenset({"changed", "differs", "signed_out"}),
}
"""Deed → what may come of it; engine.phone.deeds does them."""
NEEDS_NUMBER: Final = frozenset(
    {"read_number", "sign_in", "check_current", "check_new", "change_pin"}
)
"""The deeds of an entry; the others are done without anything entered."""
ALWAYS_KNOWN: Final = frozenset(
    {"agent_key", "programme", "agency", "phone", "tty", "abroad", "site", "opens", "closes"}
    | {"next_open", "pin_digits", "number_digits", "number", "due"}
)
"""Values that a prompt may have places for, wherever it is said; a choice's has `key` besides."""


def checked_menus(path: Path) -> Menus:
    """The menus of a file, if they can be served. Raises MenuError, which names every fault."""
    menus = read_menus(path)
    if faults := list(faults_of(menus)):
        raise MenuError("\n  ".join((f"{path}: the menus cannot be served", *faults)))
    return menus


def faults_of(menus: Menus) -> Iterator[str]:
    """What keeps `menus` from being served, one line a fault, each with its place."""
    targets = list(_targets(menus))
    yield from targets
    yield from _deeds(menus)
    yield from _choices(menus)
    yield from _prompts(menus)
    if not targets:
        yield from _dead_ends(menus)
        yield from _circles(menus)
        yield from _unreachable(menus)


def _targets(menus: Menus) -> Iterator[str]:
    """Every branch leads somewhere."""
    if AGENT in menus.places:
        yield f"places.{AGENT}: the name stands for the agent, and is no place"
    if not isinstance(menus.places.get(menus.start), Menu | Entry):
        yield f"start: {menus.start!r} is no place that waits for an answer"
    if not isinstance(menus.places.get(menus.agent.otherwise), End):
        yield f"agent.otherwise: {menus.agent.otherwise!r} is no place that ends a call"
    for name, place in menus.places.items():
        for to in place.onward:
            if to != AGENT and to not in menus.places:
                yield f"places.{name}: leads to {to!r}, which is no place"


def _deeds(menus: Menus) -> Iterator[str]:
    """Every deed is one we know, and all that may come of it leads on."""
    for name, place in menus.places.items():
        if not isinstance(place, Entry | Doing):
            continue
        known = OUTCOMES.get(place.deed)
        if known is None or (place.deed in NEEDS_NUMBER) != isinstance(place, Entry):
            yield f"places.{name}: {place.deed!r} is no deed of this kind of place"
            continue
        for outcome in sorted(known - place.outcomes.keys()):
            yield f"places.{name}: does not say where the outcome {outcome!r} leads"
        for outcome in sorted(place.outcomes.keys() - known):
            yield f"places.{name}: {outcome!r} never comes of {place.deed!r}"


def _choices(menus: Menus) -> Iterator[str]:
    """No key, and no word of a language, means two things in one place."""
    agent_words = [word for language in LANGUAGES for word in menus.agent.words(language)]
    for name, place in menus.places.items():
        choices = menus.choices_at(name)
        if isinstance(place, Entry):
            digits = sorted({key for choice in choices for key in choice.keys if key.isdigit()})
            yield from (
                f"places.{name}: the digit {key} chooses something, and begins a number"
                for key in digits
            )
        keys = [*menus.agent.keys, *chain.from_iterable(choice.keys for choice in choices)]
        yield from (f"places.{name}: the key {key} means two things" for key in _repeated(keys))
        for language in LANGUAGES:
            words = [plain_words(word) for choice in choices for word in choice.words(language)]
            words += map(plain_words, agent_words)
            yield from (f"places.{name}: {word!r} means two things" for word in _repeated(words))
            if "" in words:
                yield f"places.{name}: a word of {language!r} has no letter in it"


def _prompts(menus: Menus) -> Iterator[str]:
    """Every prompt is there in both languages, and has what it says."""
    for where, prompt, is_choice in _said(menus):
        known = ALWAYS_KNOWN | ({"key"} if is_choice else set())
        try:
            unknown = values_of(prompt) - known
            for language in LANGUAGES:
                translated(prompt, language)
        except (InputError, MissingTranslationError) as error:
            yield f"{where}: {error}"
        else:
            yield from (
                f"{where}: {prompt!r} says {value!r}, which is not known there"
                for value in sorted(unknown)
            )


def _said(menus: Menus) -> Iterator[tuple[str, str, bool]]:
    """Where, which prompt, and whether it is a choice's."""
    yield from (("agent", prompt, False) for prompt in menus.agent.prompts)
    for name, place in menus.places.items():
        of_choices = {choice.prompt for choice in menus.choices_at(name)}
        for prompt in place.prompts:
            yield f"places.{name}", prompt, prompt in of_choices


def _dead_ends(menus: Menus) -> Iterator[str]:
    """From every place a caller can come to an end by answering; an agent is one."""
    ending = {AGENT, *(name for name, place in menus.places.items() if isinstance(place, End))}
    more = ending
    while more:
        more = {
            name
            for name, place in menus.places.items()
            if name not in ending and not ending.isdisjoint(place.onward)
        }
        ending |= more
    yield from (
        f"places.{name}: no way from here leads to an end"
        for name in menus.places
        if name not in ending
    )


def _circles(menus: Menus) -> Iterator[str]:
    """Nothing is said or done round and round without a caller being asked."""
    for start in menus.places:
        here, seen = [start], set[str]()
        while here:
            name = here.pop()
            if isinstance(menus.places.get(name), Message | Doing) and name not in seen:
                seen.add(name)
                here += menus.places[name].onward
            elif name == start and seen:
                yield f"places.{start}: goes round in a circle without waiting for an answer"
                break


def _unreachable(menus: Menus) -> Iterator[str]:
    """No place is there in vain."""
    reached, new = {menus.agent.otherwise}, {menus.start}
    while new:
        reached |= new
        onward = chain.from_iterable(menus.places[name].onward for name in new)
        new = {name for name in onward if name != AGENT} - reached
    yield from (
        f"places.{name}: nothing leads here" for name in menus.places if name not in reached
    )


def _repeated(items: list[str]) -> list[str]:
    return sorted({item for item in items if items.count(item) > 1})
