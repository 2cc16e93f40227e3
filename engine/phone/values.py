"""What the sentences of the phone line have places for, as it is said in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from engine.calendar.deadlines import OFFICE_CLOSES
from engine.calendar.office_hours import OFFICE_OPENS, next_opening
from engine.clock import Clock
from engine.i18n import Language, number
from engine.phone import spoken
from engine.phone.calls import Call
from engine.phone.menus import Menus, Takes
from engine.settings import Settings


@dataclass(frozen=True, eq=False)
class Values:
    """The values of every sentence, of the agency's profile, the settings and a call."""

    settings: Settings
    menus: Menus
    clock: Clock

    def digits(self, takes: Takes) -> int:
        """How many digits a number has that is entered."""
        settings = self.settings
        return settings.pin_digits if takes == "pin" else settings.participant_id_digits

    def of(self, call: Call, language: Language, key: str = "") -> dict[str, str]:
        """Every value by its name; `key` where one is pressed for what is said."""
        opening = spoken.weekday(next_opening(self.clock()).date(), language)
        of_call = {
            "number": spoken.digits(call.number, language),
            "due": spoken.weekday(date.fromisoformat(call.due), language) if call.due else "",
            "key": spoken.key(key, language) if key else "",
            "next_open": opening,
        }
        return {**_standing(self, language), **of_call}


@cache
def _standing(values: Values, language: Language) -> Mapping[str, str]:
    """What is the same in every call."""
    agency, settings = values.settings.agency, values.settings
    return {
        "programme": agency.programme(language),
        "agency": agency.name(language),
        "phone": spoken.digits(agency.phone, language),
        "tty": spoken.digits(agency.tty, language),
        "abroad": spoken.digits(agency.phone_abroad, language),
        "site": spoken.website(agency.site, language),
        "opens": spoken.hour(OFFICE_OPENS, language),
        "closes": spoken.hour(OFFICE_CLOSES, language),
        "pin_digits": number(settings.pin_digits, language),
        "number_digits": number(settings.participant_id_digits, language),
        "agent_key": spoken.key(values.menus.agent.keys[0], language),
    }
