"""Notices into words: strict templates, compiled once, in the reader's language."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, TemplateError, UndefinedError, select_autoescape
from markupsafe import Markup

from engine.assets import TEMPLATES
from engine.communications.catalogue import LANGUAGES, Facts, Notice, Secret
from engine.communications.templates import WordsLoader, catalogue_entries, template_names
from engine.errors import ConnectError
from engine.i18n import (
    Language,
    clock_time,
    full_date,
    long_date,
    money,
    month,
    month_day,
    number,
    translations,
)
from engine.settings import Agency

EMAIL_FACTS: Final = frozenset(
    {"starts_at", "was_at", "what", "happened_at", "waiting_since", "locked_at", "token", "hours"}
)
"""The facts an email may say: no other reaches its templates, so none can be written there."""

# A list of messages previews the first words of each, on a locked screen too. What follows the
# neutral first line there is made of characters that show nothing, so that no PIN is previewed.
_PREVIEW_BLANK: Final = "\u034f\u200c\u00a0" * 90
_NO_BREAK: Final = "\u00a0"
_VERSION_DIGITS: Final = 12


class RenderError(ConnectError):
    """A notice cannot be put into words: nothing is sent until its template or facts are mended."""


_RENDERING_FAULTS: Final = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class EmailWords:
    """What an email says, twice; `sender_name` is the name that stands beside its sender."""

    language: Language
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    sender_name: str = ""


@dataclass(frozen=True, slots=True)
class LetterFrame:
    """What stands around the words of a letter, in one language.

    `page_label` has places for {page} and {pages}. `overleaf` tells whoever reads this language
    on which {page} it begins, and belongs in the other language's half. `demonstration` is what
    an unofficial profile says on every page.
    """

    language: Language
    agency: str
    programme: str
    contact_line: str
    page_label: str
    overleaf: str
    demonstration: str | None

    def date_line(self, day: date) -> str:
        """The day of the letter: `November 23, 2026`."""
        return long_date(day, self.language)


class Renderer:
    """Renders every notice of the catalogue under one agency's names."""

    def __init__(self, agency: Agency, public_url: str, templates: Path = TEMPLATES) -> None:
        """`public_url` is the portal's home page, the only link an email has."""
        self._agency = agency
        self._loader = WordsLoader(templates)
        self._environments = {
            language: _environment(self._loader, language, agency, public_url)
            for language in LANGUAGES
        }
        self._digests: dict[str, str] = {}

    def email(
        self,
        notice: Notice,
        language: Language,
        facts: Facts,
        secret: Secret | None = None,
        unsubscribe: str | None = None,
    ) -> EmailWords:
        """The subject, text and HTML of one email, without anything private but `secret`.

        `unsubscribe` is the link by which its reader stops notices of this kind, which only those
        that are optional have. Raises RenderError, which names the notice, the language, the
        template and what it lacks, and never a value; MissingTranslationError when the catalogue
        lacks a string.
        """
        _require(notice, facts, secret)
        if unsubscribe is not None and not notice.optional:
            raise RenderError(f"{notice.key}: it is not optional, and nobody unsubscribes from it")
        values = _values(sayable(facts), secret) | {"unsubscribe": unsubscribe}
        draw = partial(self._draw, notice, language, values=values)
        subject = draw(f"email/{notice.key}/subject.txt")
        if len(subject.splitlines()) != 1:
            raise RenderError(f"{notice.key} ({language}): the subject is not one line")
        return EmailWords(
            language=language,
            subject=subject,
            text=draw(f"email/{notice.key}/body.txt"),
            html=draw(f"email/{notice.key}/body.html"),
            sender_name=self._agency.programme(language),
        )

    def letter(
        self, notice: Notice, language: Language, facts: Facts, secret: Secret | None = None
    ) -> str:
        """The words of one half of a letter, as the small HTML that a letter is read from.

        Raises RenderError and MissingTranslationError, as `email` does.
        """
        _require(notice, facts, secret)
        return self._draw(
            notice, language, f"mail/{notice.key}/letter.html", values=_values(facts, secret)
        )

    def letter_frame(self, language: Language) -> LetterFrame:
        """What stands around a letter's words in `language`."""
        gettext, agency = translations(language).gettext, self._agency
        # A number stays on the line of what it is the number of.
        whole = (
            gettext("TTY: %(tty)s.") % {"tty": agency.tty},
            gettext("Outside the U.S.: %(abroad)s.") % {"abroad": agency.phone_abroad},
        )
        contact = (
            gettext("Questions? Call %(phone)s, toll-free.") % {"phone": agency.phone},
            *(sentence.replace(" ", _NO_BREAK) for sentence in whole),
        )
        return LetterFrame(
            language=language,
            agency=agency.name(language),
            programme=agency.programme(language),
            contact_line=" ".join(contact),
            page_label=gettext("Page {page} of {pages}"),
            overleaf=gettext("This letter in English begins on page {page}."),
            demonstration=None
            if agency.official
            else gettext("Demonstration. This letter does not come from a government agency."),
        )

    def taglines(self, languages: Sequence[Language]) -> tuple[tuple[str, str], ...]:
        """That help is to be had in other languages than a letter's `languages`, and at which
        number: BCP 47 tags and texts. Empty where the profile names none."""
        others = tuple(
            (language, text)
            for language, text in self._agency.taglines.items()
            if language not in languages
        )
        return (*others, (languages[0], self._agency.phone)) if others else ()

    def version(self, notice: Notice) -> str:
        """Twelve hex digits that change when the words of `notice` do, in any language."""
        return self.digest(notice)[:_VERSION_DIGITS]

    def digest(self, notice: Notice) -> str:
        """The SHA-256 of the sources of a notice's templates and of their catalogue entries."""
        if notice.key not in self._digests:
            environment = self._environments["en"]
            sources = self._loader.sources(environment, template_names(notice.key, notice.days))
            entries = catalogue_entries(environment, sources.values())
            whole = hashlib.sha256(repr((sorted(sources.items()), entries)).encode())
            self._digests[notice.key] = whole.hexdigest()
        return self._digests[notice.key]

    def _draw(
        self, notice: Notice, language: Language, template: str, values: Mapping[str, Any]
    ) -> str:
        where = f"{notice.key} ({language}), {template}"
        try:
            return self._environments[language].get_template(template).render(values)
        except UndefinedError as error:
            raise RenderError(f"{where}: {error.message}") from None
        except _RENDERING_FAULTS as error:
            # Their texts may quote a value.
            raise RenderError(f"{where}: {type(error).__name__}") from None


def sayable(facts: Facts) -> dict[str, Any]:
    """What of `facts` an email may say, by name in a fixed order: its words hang on nothing else
    but a secret and a link."""
    return {name: getattr(facts, name) for name in _sayable_names(type(facts))}


@cache
def _sayable_names(facts: type[Facts]) -> tuple[str, ...]:
    return tuple(sorted(EMAIL_FACTS & facts.model_fields.keys()))


def _require(notice: Notice, facts: Facts, secret: Secret | None) -> None:
    if not isinstance(facts, notice.facts):
        raise RenderError(f"{notice.key}: its facts must be {notice.facts.__name__}")
    if notice.carries_secret and secret is None:
        raise RenderError(f"{notice.key}: it carries a secret, and was given none")
    if secret is not None and not notice.carries_secret:
        raise RenderError(f"{notice.key}: it carries no secret, and was given one")
    if secret is not None and not secret.value.isalnum():
        raise RenderError(f"{notice.key}: its secret is not one unbroken word")


def _values(facts: object, secret: Secret | None) -> dict[str, Any]:
    if secret is None:
        return {"facts": facts}
    return {"facts": facts, "secret": secret.value, "works_until": secret.works_until}


def _environment(
    loader: WordsLoader, language: Language, agency: Agency, public_url: str
) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.install_gettext_translations(  # type: ignore[attr-defined]  # the extension adds it
        translations(language), newstyle=True
    )
    environment.globals |= {
        "language": language,
        "official": agency.official,
        "programme": agency.programme(language),
        "agency_name": agency.name(language),
        "phone": agency.phone,
        "tty": agency.tty,
        "phone_abroad": agency.phone_abroad,
        "site": agency.site,
        # A narrow screen may break the address where nobody can mistake the break for a hyphen.
        "site_in_pieces": Markup("/<wbr>").join(agency.site.split("/")),
        "home": public_url,
        "portal": public_url.rstrip("/"),
        "preview_blank": _PREVIEW_BLANK,
    }
    environment.filters |= {
        filter_.__name__: partial(filter_, language=language)
        for filter_ in (clock_time, full_date, long_date, money, month, month_day, number)
    }
    return environment
