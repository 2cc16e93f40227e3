"""The sample PDF of an enrolment: a letter like those that will come, which prints a code."""

import hashlib
from datetime import date
from typing import Final

from engine.assets import TEMPLATES
from engine.communications.rendering import Renderer
from engine.i18n import Language
from engine.mail.composing import render_letter_pdf
from engine.mail.letters import Half, Letter, Recipient
from engine.mail.words import parse_words
from engine.portal.layout import Layout

_TEMPLATE: Final = "ecommunications_sample.html"
_NOBODY: Final = Recipient(
    name="", addr1="", addr2="", urbanization="", city="", state="", zip5="", zip4=""
)
"""It says nothing of its reader: it is opened on shared screens, and kept where it was opened."""


def sample_pdf(
    layout: Layout,
    renderer: Renderer,
    language: Language,
    code: str,
    *,
    return_address: tuple[str, ...],
    day: date,
) -> bytes:
    """One tagged page in `language`, drawn as all our letters are. The letters of `code` stand
    apart, so that a screen reader spells them. Raises ComposingError or WordsError."""
    words = parse_words(
        layout.environments[language].get_template(_TEMPLATE).render(code=" ".join(code)), language
    )
    frame = renderer.letter_frame(language)
    letter = Letter(
        piece_id="sample",
        template_id="ecommunications_sample",
        template_version=hashlib.sha256(
            (TEMPLATES / "portal" / _TEMPLATE).read_bytes()
        ).hexdigest()[:12],
        recipient=_NOBODY,
        return_address=return_address,
        halves=(
            Half(
                language=language,
                agency=frame.agency,
                programme=frame.programme,
                title=words.title,
                date_line=frame.date_line(day),
                blocks=words.blocks,
                page_label=frame.page_label,
                contact_line=frame.contact_line,
                demonstration=frame.demonstration,
                overleaf=None,
            ),
        ),
        taglines=(),
    )
    return render_letter_pdf(letter, day)
