"""Every notice in both languages, from the catalogue's preview samples: emails and letters."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from engine.caseload.temporary_pins import last_day
from engine.communications.catalogue import CATALOGUE, LANGUAGES, Channel, Notice, Secret
from engine.communications.rendering import EmailWords, Renderer
from engine.email.message import Envelope, build_message
from engine.i18n import Language
from engine.mail.composing import render_letter_pdf, render_letter_png
from engine.mail.drafting import SAMPLE_ADDRESS, Draft, draft_letter
from engine.mail.letters import Letter
from engine.settings import Settings

SAMPLE_DAY: Final = date(2026, 11, 23)
"""Previews are dated, so that the same words give the same bytes."""

_SAMPLE_MOMENT: Final = datetime(2026, 11, 23, 18, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Gallery:
    """Draws the preview samples of the catalogue."""

    settings: Settings
    renderer: Renderer

    def email(self, notice: Notice, language: Language) -> EmailWords:
        """The words of the sample email."""
        return self.renderer.email(notice, language, notice.sample, _secret(notice, Channel.EMAIL))

    def email_message(self, notice: Notice, language: Language) -> bytes:
        """The sample email as it goes over the wire."""
        return build_message(
            self.email(notice, language),
            Envelope(
                sender=self.settings.mail_from,
                recipient="maria@example.com",
                message_id=f"<preview.{notice.key}.{language}@{self.settings.return_path_domain}>",
                date=_SAMPLE_MOMENT,
            ),
        )

    def letter(self, notice: Notice, language: Language, *, large: bool = False) -> Letter:
        """The sample letter, before its layout; `large` is the edition in large print."""
        draft = Draft(
            piece_id=f"preview-{notice.key}-{language}",
            notice=notice,
            language=language,
            facts=notice.sample,
            secret=_secret(notice, Channel.MAIL),
            address=SAMPLE_ADDRESS,
            large=large,
        )
        return draft_letter(self.renderer, draft, self.settings.agency.return_address, SAMPLE_DAY)

    def letter_pdf(self, notice: Notice, language: Language, *, large: bool = False) -> bytes:
        """The sample letter as its reader may keep it."""
        return render_letter_pdf(self.letter(notice, language, large=large), SAMPLE_DAY)

    def letter_pictures(
        self,
        notice: Notice,
        language: Language,
        ppi: float = 72,
        *,
        large: bool = False,
        window: bool = False,
    ) -> list[bytes]:
        """The pages of the sample letter as PNG pictures, with the envelope's `window` drawn over
        the first or not."""
        letter = self.letter(notice, language, large=large)
        return render_letter_png(letter, SAMPLE_DAY, ppi=ppi, window=window)


def _secret(notice: Notice, channel: Channel) -> Secret | None:
    """The sample secret, lasting as one does that is sent on the day of the previews."""
    if notice.sample_secret is None:
        return None
    return replace(notice.sample_secret, works_until=last_day(channel, _SAMPLE_MOMENT))


def every_notice(channel: Channel | None = None) -> Iterator[tuple[Notice, Language]]:
    """Each notice of the catalogue that goes by `channel`, or any, in each language."""
    for notice in CATALOGUE.values():
        if channel is None or channel in notice.days:
            for language in LANGUAGES:
                yield notice, language
