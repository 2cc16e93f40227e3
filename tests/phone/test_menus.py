"""Menus are checked before the line is served: each thing that may be wrong with them is named."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from engine.bootstrap import Application
from engine.errors import SettingsError
from engine.phone import prompts
from engine.phone.checking import OUTCOMES, checked_menus, faults_of
from engine.phone.deeds import Deeds
from engine.phone.door import phone_door
from engine.phone.menus import OURS, MenuError, Menus, read_menus
from engine.phone.prompts import PROMPTS
from engine.settings import load_settings

Change = Callable[[dict[str, Any]], None]


def test_ours_can_be_served() -> None:
    """The menus in the package have no fault, and say every prompt that is not the line's own."""
    menus = checked_menus(OURS)
    said = {prompt for place in menus.places.values() for prompt in place.prompts}
    own = {
        *("demonstration", "welcome", "begin_again", "trouble", "call_later"),
        *("not_heard", "not_understood", "take_your_time"),
        *menus.agent.prompts,
        *(key for key in PROMPTS if key.startswith(("payment_", "no_payments"))),
        *("expected_monthly", "nothing_expected"),
    }
    assert said | own == PROMPTS.keys()


def _choice(place: str, number: int = 0) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda menus: menus["places"][place]["choices"][number]


def _set(where: Callable[[dict[str, Any]], dict[str, Any]], **values: Any) -> Change:
    return lambda menus: where(menus).update(values)


def _place(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda menus: menus["places"][name]


FAULTS: dict[str, tuple[Change, str]] = {
    "key twice": (_set(_choice("main", 1), keys=["1"]), "main: the key 1 means two things"),
    "key of the agent": (_set(_choice("main"), keys=["0"]), "main: the key 0 means two things"),
    "word twice": (_set(_choice("main", 1), es=["págos"]), "main: 'pagos' means two things"),
    "word of the agent": (_set(_choice("main"), en=["Agent"]), "main: 'agent' means two things"),
    "no letter": (_set(_choice("main"), en=["¡!"]), "main: a word of 'en' has no letter"),
    "digit in an entry": (_set(_choice("pin"), keys=["4"]), "pin: the digit 4 chooses something"),
    "no such place": (_set(_choice("main"), to="nowhere"), "main: leads to 'nowhere'"),
    "no such start": (lambda menus: menus.update(start="goodbye"), "start: 'goodbye' is no place"),
    "no end for the lost": (
        lambda menus: menus["agent"].update(otherwise="main"),
        "agent.otherwise: 'main' is no place that ends a call",
    ),
    "place named agent": (
        lambda menus: menus["places"].update(agent=menus["places"]["goodbye"]),
        "places.agent: the name stands for the agent",
    ),
    "no such deed": (_set(_place("pin"), deed="guess"), "pin: 'guess' is no deed"),
    "deed of another kind": (
        _set(_place("request_pin"), deed="sign_in"),
        "request_pin: 'sign_in' is no deed of this kind",
    ),
    "outcome left out": (
        lambda menus: menus["places"]["pin"]["outcomes"].pop("temporary"),
        "pin: does not say where the outcome 'temporary' leads",
    ),
    "outcome that never comes": (
        lambda menus: menus["places"]["pin"]["outcomes"].update(maybe="main"),
        "pin: 'maybe' never comes of 'sign_in'",
    ),
    "no such prompt": (_set(_place("main"), prompt="mane"), "main: there is no prompt 'mane'"),
    "value not known": (_set(_place("main"), prompt="yes"), "main: 'yes' says 'key'"),
    "dead end": (
        _set(_place("not_let_in"), to="not_let_in"),
        "not_let_in: no way from here leads to an end",
    ),
    "circle": (
        lambda menus: (
            menus["places"]["about_numbers"].update(to="office_hours"),
            menus["places"]["recent_payments"]["outcomes"].update(told="recent_payments"),
        )[0],
        "recent_payments: goes round in a circle",
    ),
    "in vain": (
        lambda menus: menus["places"].update(attic=menus["places"]["goodbye"]),
        "attic: nothing leads here",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_is_named(name: str) -> None:
    """With its place, and with nothing else beside it but what follows from it."""
    change, expected = FAULTS[name]
    menus = tomllib.loads(OURS.read_text(encoding="utf-8"))
    change(menus)
    assert any(fault.startswith(("places.", "start", "agent")) for fault in _faults(menus))
    assert [fault for fault in _faults(menus) if expected in fault]


def _faults(menus: dict[str, Any]) -> list[str]:
    return list(faults_of(Menus.model_validate(menus)))


def test_a_prompt_without_a_translation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears English in a Spanish call because a word was forgotten."""
    monkeypatch.setattr(prompts, "PROMPTS", {**PROMPTS, "main": "Never translated."})
    (fault,) = faults_of(read_menus())
    assert fault == "places.main: es: no translation of 'Never translated.'"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("version = ", "is not TOML"),
        ('version = "1"\nstart = "a"\n', "places: Field required"),
        (OURS.read_text(encoding="utf-8").replace('keys = ["1"]', 'keys = ["#"]'), "keys.0"),
        (OURS.read_text(encoding="utf-8").replace("deed = ", "dede = "), "Extra inputs"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_menus_is_named(
    tmp_path: Path, written: str | None, expected: str
) -> None:
    """Its name, and what is wrong with its form."""
    path = tmp_path / "menus.toml"
    if written is not None:
        path.write_text(written, encoding="utf-8")
    with pytest.raises(MenuError, match=re.escape(str(path))) as caught:
        checked_menus(path)
    assert expected in str(caught.value)


def test_every_deed_has_its_outcomes() -> None:
    """What the menus may name is what can be done."""
    assert {f"_{deed}" for deed in OUTCOMES} <= set(dir(Deeds))


async def test_the_line_is_not_served_with_faulty_menus(
    application: Application, tmp_path: Path
) -> None:
    """A process that cannot lead a call does not start; without a token there is no line at all."""
    path = tmp_path / "menus.toml"
    path.write_text(OURS.read_text(encoding="utf-8").replace('to = "payments"', 'to = "x"'))
    faulty = application.settings.model_copy(update={"phone_menus": path})
    with pytest.raises(MenuError):
        phone_door(_with(application, faulty))
    closed = application.settings.model_copy(update={"profile": "production"})
    assert phone_door(_with(application, closed)) is None


def _with(application: Application, settings: Any) -> Application:
    return replace(application, settings=settings)


def test_production_wants_an_agent_who_answers() -> None:
    """A line that is served to parents connects them with somebody, and is signed for by a token
    that is the agency's own."""
    known = load_settings().phone_token()
    settings = load_settings(
        phone_auth_token=SecretStr(known or ""), phone_base_url="http://connect.example"
    )
    faults = " ".join(settings.production_faults())
    for name in ("PHONE_AUTH_TOKEN", "PHONE_AGENT_NUMBER", "PHONE_BASE_URL"):
        assert name in faults
    for wrong in ({"phone_auth_token": ""}, {"phone_agent_number": "911"}, {"phone_base_url": "x"}):
        with pytest.raises(SettingsError, match="PHONE_"):
            load_settings(**wrong)
