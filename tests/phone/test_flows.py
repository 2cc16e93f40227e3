"""The flows of the phone line, walked with a telephone, in both languages."""

from typing import Final

import pytest

from engine.i18n import Language
from engine.phone.handset import Handset, Hearing
from engine.phone.prompts import sentence

LANGUAGES: Final[tuple[Language, ...]] = ("en", "es")
NEW: Final = "592710"
both = pytest.mark.parametrize("language", LANGUAGES)


async def walk(handset: Handset, *answers: str) -> Hearing:
    """Call, and answer so: `#123` presses keys, `-` keeps silent, all else is said."""
    if not handset.hearing.action:
        await handset.call()
    for answer in answers:
        if answer == "-":
            await handset.wait()
        elif answer.startswith("#"):
            await handset.press(answer[1:])
        else:
            await handset.say(answer)
    return handset.hearing


def said(key: str, language: Language, **values: str) -> str:
    """A sentence of the line as it is heard."""
    return sentence(key, language, values)


def by_key(language: Language) -> str:
    """The key of a language, as the newer and the older brochure have it."""
    return "#1" if language == "en" else "#2"
