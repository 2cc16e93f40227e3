"""Which language a page speaks: its path says so; before that, the reader's browser."""

from typing import Final

from starlette.requests import Request

from engine.communications.catalogue import (
    LANGUAGES,
)
from engine.i18n import Language

COOKIE: Final = "language"
"""Remembers the language last read; it holds `en` or `es` and nothing about the reader."""


def language_of(request: Request) -> Language:
    """By the path's first part, else the language last read, else what the browser asks for."""
    first = request.url.path.partition("/")[2].partition("/")[0]
    for candidate in (first, request.cookies.get(COOKIE)):
        for language in LANGUAGES:
            if candidate == language:
                return language
    return asked_for(request.headers.get("Accept-Language", ""))


def asked_for(accept_language: str) -> Language:
    """The better liked of our languages in an Accept-Language header (RFC 9110, 12.5.4)."""
    liked: dict[str, float] = {}
    for item in accept_language.split(","):
        tag, _, parameter = item.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        liked[primary] = max(liked.get(primary, 0.0), _weight(parameter))
    spanish, english = (liked.get(name, liked.get("*", 0.0)) for name in ("es", "en"))
    return "es" if spanish > english else "en"


def other(language: Language) -> Language:
    """The language that the button at the top right leads to."""
    return "en" if language == "es" else "es"


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
