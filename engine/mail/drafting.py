"""From a notice's frozen facts to a letter: the words rendered, parsed, and put in their frame."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from engine.communications.catalogue import Facts, Notice, Secret
from engine.communications.ports import PostalAddress
from engine.communications.rendering import Renderer
from engine.i18n import Language
from engine.mail.letters import Half, Letter, Recipient, Tagline
from engine.mail.words import parse_words

SAMPLE_ADDRESS: Final = PostalAddress(
    name="María Fernanda Núñez-Ibáñez",
    addr1="1200 Example Street",
    addr2="Apt 4",
    urbanization="",
    city="Sacramento",
    state="CA",
    zip5="95814",
    zip4="",
    confidential=False,
)
"""Whom previews and proofs are addressed to: nobody."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What one letter is made of, once its address and its secret are at hand.

    `imb` is the 65 bars of our own Intelligent Mail barcode, where there is one.
    """

    piece_id: str
    notice: Notice
    language: Language
    facts: Facts
    secret: Secret | None
    address: PostalAddress
    large: bool = False
    imb: str = ""


def letter_languages(language: Language) -> tuple[Language, ...]:
    """A letter to a reader of Spanish has an English half too, for whoever helps with it."""
    return ("en",) if language == "en" else ("es", "en")


def draft_letter(
    renderer: Renderer, draft: Draft, return_address: tuple[str, ...], day: date
) -> Letter:
    """The letter of `draft`, dated `day`; raises RenderError or WordsError on a faulty template."""
    languages = letter_languages(draft.language)
    return Letter(
        piece_id=draft.piece_id,
        template_id=draft.notice.key,
        template_version=renderer.version(draft.notice),
        recipient=Recipient(
            name=draft.address.name,
            addr1=draft.address.addr1,
            addr2=draft.address.addr2,
            urbanization=draft.address.urbanization,
            city=draft.address.city,
            state=draft.address.state,
            zip5=draft.address.zip5,
            zip4=draft.address.zip4,
        ),
        return_address=return_address,
        halves=tuple(
            _half(renderer, draft, language, following, day)
            for language, following in zip(languages, (*languages[1:], None), strict=True)
        ),
        taglines=tuple(Tagline(*line) for line in renderer.taglines(languages)),
        large=draft.large,
        imb=draft.imb,
    )


def _half(
    renderer: Renderer, draft: Draft, language: Language, following: Language | None, day: date
) -> Half:
    words = parse_words(
        renderer.letter(draft.notice, language, draft.facts, draft.secret), language
    )
    frame = renderer.letter_frame(language)
    return Half(
        language=language,
        agency=frame.agency,
        programme=frame.programme,
        title=words.title,
        date_line=frame.date_line(day),
        blocks=words.blocks,
        page_label=frame.page_label,
        contact_line=frame.contact_line,
        demonstration=frame.demonstration,
        overleaf=renderer.letter_frame(following).overleaf if following else None,
    )
