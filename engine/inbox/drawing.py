"""A notice as the PDF its reader keeps: the words of its letter, tagged, addressed to no place."""

from dataclasses import dataclass
from datetime import date
from io import BytesIO

import pikepdf

from engine.communications.claims import Claimed
from engine.communications.ports import PostalAddress
from engine.communications.rendering import Renderer
from engine.mail.composing import render_letter_pdf
from engine.mail.drafting import Draft, draft_letter


@dataclass(frozen=True, slots=True)
class Drawn:
    """A PDF and how many pages it has."""

    pdf: bytes
    pages: int


def draw(renderer: Renderer, item: Claimed, return_address: tuple[str, ...], day: date) -> Drawn:
    """The document of `item`, dated `day`; raises ComposingError, RenderError or WordsError.

    Where the window would show an address it shows the reader's name alone: a document is opened
    on shared screens, and where somebody lives is nobody's business there.
    """
    nowhere = PostalAddress(
        name=item.facts.name, addr1="", addr2="", urbanization="", city="", state="", zip5="",
        zip4="", confidential=False,
    )  # fmt: skip
    draft = Draft(
        piece_id=f"document-{item.delivery_id}",
        notice=item.notice,
        language=item.language,
        facts=item.facts,
        secret=None,
        address=nowhere,
    )
    pdf = render_letter_pdf(draft_letter(renderer, draft, return_address, day), day)
    with pikepdf.open(BytesIO(pdf)) as opened:
        return Drawn(pdf, len(opened.pages))
