"""Pages from templates: every word in the reader's language, every value escaped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from engine.assets import TEMPLATES
from engine.clock import pacific_date
from engine.communications.catalogue import LANGUAGES
from engine.i18n import (
    Language,
    clock_time,
    full_date,
    long_date,
    money,
    number,
    translations,
)
from engine.portal.compiling import OneLanguage
from engine.portal.doors import PORTAL
from engine.portal.language import COOKIE, other
from engine.portal.statics import StaticFiles
from engine.settings import Settings

_A_YEAR_OF_SECONDS: Final = 365 * 24 * 60 * 60
_SIGNED_OUT: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "signed_in": False,
        "in_session": False,
        "nav": "",
        "said": None,
        "unread": 0,
        "session_seconds": 0,
        "warn_after_seconds": 0,
        "holds_session": False,
        "door": PORTAL,
    }
)
"""What the frame of a page is told unless a visit knows better."""


_OWN_NAMES: Final[Mapping[Language, str]] = MappingProxyType({"en": "English", "es": "Español"})
"""Each language as its own readers call it, on whichever page it is offered."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Draws pages in both languages."""

    environments: Mapping[Language, Environment]
    secure: bool

    @classmethod
    def of(cls, settings: Settings, statics: StaticFiles) -> "Layout":
        """The layout under the agency's names, with the theme in `statics`."""
        return cls(
            {language: _environment(language, settings, statics) for language in LANGUAGES},
            settings.public_url.startswith("https://"),
        )

    def page(
        self,
        language: Language,
        template: str,
        path: str,
        status: int = 200,
        *,
        query: str = "",
        **values: Any,
    ) -> HTMLResponse:
        """`template` as the page at `path`, which is without its language: `/forgot-pin`.

        `query` goes along to the same page in the other language, which is remembered by a cookie.
        """
        asked = f"{path}?{query}" if query else path
        body = (
            self.environments[language]
            .get_template(template)
            .render(
                path=path,
                here=f"/{language}{path}",
                there=f"/{other(language)}{asked}",
                **{**_SIGNED_OUT, **values},
            )
        )
        response = HTMLResponse(
            body,
            status,
            headers={"Content-Language": language},
        )
        response.set_cookie(
            COOKIE,
            language,
            max_age=_A_YEAR_OF_SECONDS,
            httponly=True,
            samesite="lax",
            secure=self.secure,
        )
        return response


def _environment(language: Language, settings: Settings, statics: StaticFiles) -> Environment:
    words = translations(language)
    environment = OneLanguage(
        words.gettext,
        loader=FileSystemLoader(TEMPLATES / "portal"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.install_gettext_translations(  # type: ignore[attr-defined]  # the extension adds it
        words, newstyle=True
    )
    agency = settings.agency
    environment.globals |= {
        "language": language,
        "other_language": other(language),
        "agency": agency,
        "agency_name": agency.name(language),
        "programme": agency.programme(language),
        "digits": settings.participant_id_digits,
        "kiosk": settings.kiosk,
        "kiosk_seconds": settings.kiosk_idle_minutes * 60,
        "quick_exit_url": settings.quick_exit_url,
        "email_cooling_hours": settings.email_cooling_hours,
        "address_cooling_days": settings.address_cooling_days,
        "static": statics.url,
        "theme_colour": statics.colour("navy"),
        "own_names": _OWN_NAMES,
    }
    environment.filters |= {
        "full_date": partial(_date_in_a_sentence, language),
        "long_date": partial(long_date, language=language),
        "clock_time": partial(clock_time, language=language),
        "money": partial(money, language=language),
        "number": partial(number, language=language),
        "in_words": _in_words,
        "day_of": date.fromisoformat,
        "pacific_day": pacific_date,
    }
    return environment


def _in_words(faults: Mapping[str, str], words: Mapping[str, str]) -> dict[str, str]:
    """Field → what is wrong with it, in the words a template has for each fault."""
    return {field: words[fault] for field, fault in faults.items()}


def _date_in_a_sentence(language: Language, day: date) -> str:
    """`Tuesday, November 24, 2026`; in Spanish a weekday has no capital inside a sentence."""
    said = full_date(day, language)
    return said[0].lower() + said[1:] if language == "es" else said
