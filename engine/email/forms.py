"""Forms of emails, kept for the next reader of the same words.

An email says so little that most of a campaign says the same; what is a secret, or a reader's own
token, is rendered for its reader alone and kept nowhere.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from markupsafe import escape

from engine.communications.catalogue import Facts, Notice, Secret
from engine.communications.rendering import EmailWords, Renderer, sayable
from engine.email.message import Form
from engine.email.parts import LONGEST_FILL, Transfer
from engine.i18n import Language

MOST_KEPT: Final = 1024
"""About twelve megabytes: a month of appointments, in half hours and both languages."""
_CORE: Final = "ablankforthelinkofareader"
BLANK: Final = f"https://blank.invalid/{_CORE}"
"""What stands where a reader's link will: nothing that HTML would write in another way."""
_OWN: Final = frozenset({"token"})
"""Facts that one reader alone may know."""


@dataclass(frozen=True, slots=True)
class Forms:
    """Renders an email, or takes the form that an earlier one left."""

    renderer: Renderer
    sender: str
    kept: OrderedDict[Hashable, Form] = field(default_factory=OrderedDict)

    def of(
        self,
        notice: Notice,
        language: Language,
        facts: Facts,
        *,
        secret: Secret | None,
        link: str | None,
        transfer: Transfer,
    ) -> Form:
        """The form into which the reader's envelope is to be filled.

        Raises RenderError and MissingTranslationError, as the renderer does, and MessageError.
        """
        said = sayable(facts)
        if secret is not None or _OWN & said.keys() or not _fits(link):
            words = self.renderer.email(notice, language, facts, secret, link)
            return Form.of(words, self.sender, transfer)
        key = (notice.key, language, tuple(said.items()), link is None, transfer)
        if (form := self.kept.get(key)) is not None:
            self.kept.move_to_end(key)
            return form
        blank = None if link is None else BLANK
        words = self.renderer.email(notice, language, facts, None, blank)
        if blank is not None and not _can_be_cut(words):
            words = self.renderer.email(notice, language, facts, None, link)
            return Form.of(words, self.sender, transfer)
        form = self.kept[key] = Form.of(words, self.sender, transfer, blank)
        if len(self.kept) > MOST_KEPT:
            self.kept.popitem(last=False)
        return form


def _fits(link: str | None) -> bool:
    """Whether a link is no longer than the blank that lines are measured with."""
    return link is None or len(escape(link).encode()) <= LONGEST_FILL


def _can_be_cut(words: EmailWords) -> bool:
    """Whether the blank stands whole wherever something was made of it."""
    said = (words.subject, words.text.replace(BLANK, ""), words.html.replace(BLANK, ""))
    return not any(_CORE in part for part in said)
