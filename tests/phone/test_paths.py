"""Every path of the tree, in both languages, through a telephone.

Each choice of each place is taken by its key and by its first word, and each outcome of each deed
is brought about: where it leads is where the menus say. The fuller tier does so in both languages;
the ordinary one takes turns.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.communications.catalogue import LANGUAGES
from engine.database import driver_connection
from engine.i18n import Language
from engine.phone.calls import Call
from engine.phone.menus import AGENT, OURS, Doing, End, Entry, Message, read_menus
from engine.security.sessions import Stage
from tests.conftest import FULL
from tests.phone.line import NEWCOMER, PAYEE, PIN, TEMPORARY, PhoneLine, populate

MENUS: Final = read_menus(OURS)
NEW: Final = "592710"
EASY: Final = "123456"
Prepared = tuple[Call, str]
"""How the call stands, and what is pressed."""
Prepare = Callable[[PhoneLine, Language], Awaitable[Prepared]]


def where(name: str) -> str:
    """The place that waits for an answer at the end of the messages that begin at `name`."""
    place = MENUS.places.get(name)
    return where(place.to) if isinstance(place, Message) else name


async def stands_at(line: PhoneLine, call_id: str) -> str:
    """Where a call is now: a place, an agent, or the end it came to."""
    call = await line.kept.find(call_id)
    assert call is not None
    return AGENT if call.standing == "connecting" else call.place


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_choice_leads_where_the_menus_say(line: PhoneLine, language: Language) -> None:
    """By its key and by its first word, an agent everywhere among them; another prompt is heard
    than before, or the call is over."""
    for name in MENUS.places:
        for choice in (*MENUS.choices_at(name), MENUS.agent):
            to = getattr(choice, "to", AGENT)
            if not MENUS.choices_at(name) or isinstance(MENUS.places.get(to), Doing):
                continue
            for said in ("", choice.words(language)[0]):
                spoken = None if name == MENUS.start else language
                handset = await line.at(Call(name, language=spoken, number=PAYEE.external_id))
                await (handset.say(said) if said else handset.press(choice.keys[0]))
                assert await stands_at(line, handset.call_id) == where(to), (name, said)
                assert handset.hearing.hung_up == isinstance(MENUS.places.get(where(to)), End)


async def _number(_line: PhoneLine, _language: Language) -> Prepared:
    return Call(""), PAYEE.external_id


def _signs_in(number: str, pin: str, refusals: int = 0) -> Prepare:
    async def prepare(_line: PhoneLine, _language: Language) -> Prepared:
        return Call("", number=number, refusals=refusals), pin

    return prepare


async def _guessed(line: PhoneLine, _language: Language) -> Prepared:
    """One telephone has tried one number as often as it may."""
    rate = line.application.settings.sign_in_rate_per_participant
    handset = line.telephone(CALLER)
    for _ in range(int(rate.partition("/")[0])):
        await line.application.throttle.allow(
            "sign_in.participant", PAYEE.external_id, line.caller(handset.number), rate=rate
        )
    return Call("", number=PAYEE.external_id), PIN


async def _asked(line: PhoneLine, _language: Language) -> Prepared:
    """One telephone has asked for as many PINs as it may."""
    rate = line.application.settings.forgot_pin_rate
    for _ in range(int(rate.partition("/")[0])):
        await line.application.throttle.allow("forgot_pin.network", line.caller(CALLER), rate=rate)
    return Call("", number=PAYEE.external_id), "1"


def _signed_in(
    pressed: str, participant: int = 1, stage: Stage = Stage.FULL, **stands: str | bool
) -> Prepare:
    async def prepare(line: PhoneLine, _language: Language) -> Prepared:
        token = await line.session_of(participant, stage)
        chosen = str(stands.get("chosen", ""))
        hashed = await line.application.chosen_pins.hash(chosen) if chosen else ""
        return Call("", token=token, proved=bool(stands.get("proved")), chosen=hashed), pressed

    return prepare


def _signed_out(pressed: str) -> Prepare:
    async def prepare(_line: PhoneLine, _language: Language) -> Prepared:
        return Call("", token="of no session", proved=True, chosen="x"), pressed

    return prepare


def _changed_often(pressed: str, scope: str, rate: str, stage: Stage) -> Prepare:
    async def prepare(line: PhoneLine, _language: Language) -> Prepared:
        for _ in range(int(rate.partition("/")[0])):
            await line.application.throttle.allow(scope, "1", rate=rate)
        return Call("", token=await line.session_of(1, stage), proved=True), pressed

    return prepare


CALLER: Final = "+19165550199"
OUTCOMES: Final[dict[tuple[str, str], Prepare]] = {
    ("participant_id", "read"): _number,
    ("reset_number", "read"): _number,
    ("pin", "full"): _signs_in(PAYEE.external_id, PIN),
    ("pin", "temporary"): _signs_in(NEWCOMER.external_id, TEMPORARY),
    ("pin", "refused"): _signs_in(PAYEE.external_id, "000001"),
    ("pin", "refused_often"): _signs_in(PAYEE.external_id, "000001", refusals=2),
    ("pin", "too_many"): _guessed,
    ("request_pin", "promised"): _signs_in(PAYEE.external_id, "1"),
    ("request_pin", "too_many"): _asked,
    ("recent_payments", "told"): _signed_in("3"),
    ("recent_payments", "choose_first"): _signed_in("3", stage=Stage.PIN_CHANGE),
    ("recent_payments", "signed_out"): _signed_out("3"),
    ("current_pin", "right"): _signed_in(PIN),
    ("current_pin", "wrong"): _signed_in("000001"),
    ("current_pin", "choose_first"): _signed_in(PIN, stage=Stage.PIN_CHANGE),
    ("current_pin", "too_many"): _changed_often(PIN, "change_pin", "5/15minute", Stage.FULL),
    ("current_pin", "signed_out"): _signed_out(PIN),
    ("new_pin", "good"): _signed_in(NEW, proved=True),
    ("new_pin", "easy"): _signed_in(EASY, stage=Stage.PIN_CHANGE),
    ("new_pin", "of_the_number"): _signed_in(PAYEE.external_id[2:8], proved=True),
    ("new_pin", "same"): _signed_in(PIN, proved=True),
    ("new_pin", "too_many"): _changed_often(
        NEW, "choose_pin.phone", "20/15minute", Stage.PIN_CHANGE
    ),
    ("new_pin", "signed_out"): _signed_in(NEW),
    ("confirm_pin", "changed"): _signed_in(NEW, proved=True, chosen=NEW),
    ("confirm_pin", "differs"): _signed_in(NEW, proved=True, chosen="592711"),
    ("confirm_pin", "signed_out"): _signed_out(NEW),
}
"""Place and outcome → what brings it about. A deed that waits for no answer is come to from the
choice that leads to it."""
LED_TO_BY: Final = {"request_pin": "confirm_reset", "recent_payments": "payments"}


def in_turns() -> Iterator[tuple[str, str, Language]]:
    """Every outcome, in all languages or in one after the other."""
    for number, (place, outcome) in enumerate(OUTCOMES):
        for turn, language in enumerate(LANGUAGES):
            if FULL or number % len(LANGUAGES) == turn:
                yield place, outcome, language


async def test_every_outcome_leads_where_the_menus_say(
    line: PhoneLine, database: AsyncEngine, emptying: str, redis: Redis
) -> None:
    """Each from a call and a caseload of its own, and none is left out."""
    assert OUTCOMES.keys() == {
        (name, outcome)
        for name, place in MENUS.places.items()
        if isinstance(place, Entry | Doing)
        for outcome in place.outcomes
    }
    for name, outcome, language in in_turns():
        await redis.flushall()
        async with database.begin() as connection:
            await (await driver_connection(connection)).execute(emptying)
        await populate(line.application)
        call, pressed = await OUTCOMES[name, outcome](line, language)
        call.place, call.language = LED_TO_BY.get(name, name), language
        handset = await line.at(call, CALLER)
        await handset.press(pressed)
        place = MENUS.places[name]
        assert isinstance(place, Entry | Doing)
        expected = where(place.outcomes[outcome])
        assert await stands_at(line, handset.call_id) == expected, (name, outcome)
        assert {said.language for said in handset.hearing.lines} == {language}
