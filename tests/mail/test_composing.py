"""Drawing letters: where they stand, what is held, what the PDF promises."""

import io
import re
import subprocess
from dataclasses import replace
from datetime import date

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.mail import typesetting
from engine.mail.composing import (
    ComposedPart,
    ComposingError,
    compose_part,
    render_letter_pdf,
    render_letter_png,
)
from engine.mail.letters import Letter, Paragraph
from engine.mail.sheet_marks import sheet_mark
from engine.mail.typeface import undrawable_characters
from tests.mail.sample_letters import (
    ENGLISH_PIN,
    SPANISH_APPOINTMENT,
    SPANISH_PIN,
    both,
    letter,
    long,
)
from tests.mail.test_words import HOSTILE

DAY = date(2026, 11, 23)
BATCH = "ccss_test_letters_20261123_001"


def compose(*letters: Letter, first_seq: int = 1) -> ComposedPart:
    """The letters in one part."""
    return compose_part(letters, batch_id=BATCH, document_date=DAY, first_seq=first_seq)


def text_of(pdf: bytes, *options: str) -> str:
    """What pdftotext reads."""
    command = ["pdftotext", *options, "-", "-"]
    return subprocess.run(command, input=pdf, capture_output=True, check=True).stdout.decode()


def words_on(pdf: bytes) -> list[list[tuple[str, float, float, float, float]]]:
    """By page, every word and its box in inches from the top left: x, y, right, bottom."""
    pages = text_of(pdf, "-bbox").split("<page ")[1:]
    box = re.compile(r'xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">(.*?)</word>')
    return [
        [(word, *(float(side) / 72 for side in sides)) for *sides, word in box.findall(page)]
        for page in pages
    ]


def test_every_piece_begins_on_a_front() -> None:
    """Lengths of one, two and three sheets: first pages are odd, blank backs are counted, and
    the PDF has as many pages as are claimed."""
    part = compose(
        letter(piece_id="a"),
        both(piece_id="b"),
        letter(long(times=40), piece_id="c"),
        letter(long(SPANISH_PIN), long(), piece_id="d"),
        letter(piece_id="e"),
        first_seq=7,
    )
    assert [
        (p.piece_id, p.seq, p.first_page, p.page_count, p.sheet_count) for p in part.pieces
    ] == [
        ("a", 7, 1, 2, 1),
        ("b", 8, 3, 2, 1),
        ("c", 9, 5, 4, 2),
        ("d", 10, 9, 4, 2),
        ("e", 11, 13, 2, 1),
    ]
    assert part.pieces[2].sheet_marks == (sheet_mark(BATCH, 9, 1, 2), sheet_mark(BATCH, 9, 2, 2))
    with pikepdf.open(io.BytesIO(part.pdf)) as pdf:
        assert len(pdf.pages) == part.pages == 14
    assert part.sheets == 7


def test_the_same_letters_give_the_same_bytes() -> None:
    """A hash of a part means something: it is the hash of its letters, batch and date."""
    letters = [letter(piece_id="a"), both(piece_id="b")]
    assert compose(*letters).pdf == compose(*letters).pdf
    assert compose(*letters).pdf != compose(*letters[:1]).pdf


def test_only_what_cannot_be_drawn_is_held() -> None:
    """An emoji, an address too long for its window, a cell like a formula: each piece is held by
    its id and flag, the others are numbered without a gap, and no reason quotes an address."""
    part = compose(
        letter(piece_id="a"),
        letter(piece_id="emoji", name="Ana 😀 Paz"),
        letter(piece_id="wide", addr1="1" * 60),
        letter(piece_id="lines", urbanization="Urb Las Gladiolas", name="María " * 12),
        letter(piece_id="formula", city="=Sacramento"),
        letter(piece_id="b"),
    )
    assert [(piece.piece_id, piece.seq) for piece in part.pieces] == [("a", 1), ("b", 2)]
    assert {(held.piece_id, held.flag) for held in part.held} == {
        ("emoji", "UNRENDERABLE"),
        ("wide", "TOO_MANY_LINES"),
        ("lines", "TOO_MANY_LINES"),
        ("formula", "UNRENDERABLE"),
    }
    assert part.pdf == compose(letter(piece_id="a"), letter(piece_id="b")).pdf
    details = " ".join(held.detail for held in part.held)
    assert "U+1F600" in details
    assert not any(word in details for word in ("Ana", "Paz", "María", "Gladiolas", "1111"))


def test_a_part_of_nothing_drawable_is_empty() -> None:
    """When every letter is held there is no PDF, and that is no error."""
    part = compose(letter(name="漢"))
    assert (part.pdf, part.pieces, len(part.held)) == (b"", (), 1)


def test_a_letter_the_layout_refuses_is_found_by_halving(monkeypatch: pytest.MonkeyPatch) -> None:
    """What gets past the character check fails alone, and the rest is composed."""
    monkeypatch.setattr("engine.mail.composing.undrawable_characters", lambda _: set())
    letters = [letter(piece_id=str(n), name="漢" if n == 5 else "Ana") for n in range(9)]
    part = compose(*letters)
    assert [held.piece_id for held in part.held] == ["5"]
    assert [piece.piece_id for piece in part.pieces] == ["0", "1", "2", "3", "4", "6", "7", "8"]


def test_a_broken_layout_is_an_error_and_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """When every letter fails it is not the letters' fault."""
    monkeypatch.setattr("engine.mail.composing.undrawable_characters", lambda _: set())
    with pytest.raises(ComposingError):
        compose(letter(piece_id="a", name="漢"), letter(piece_id="b", name="漢"))


def test_a_preview_of_an_undrawable_letter_says_why() -> None:
    """Alone, there is nobody else to compose: the reason is raised, without the name."""
    for recipient in ({"name": "Ana 漢"}, {"addr1": "X" * 90}):
        with pytest.raises(ComposingError) as caught:
            render_letter_pdf(letter(**recipient), DAY)
        assert "Ana" not in str(caught.value)
        assert "XXX" not in str(caught.value)


def test_a_part_has_a_most() -> None:
    """The contract allows 500 pieces a part, and a piece stands in it once."""
    with pytest.raises(ValueError, match="500"):
        compose(*[letter(piece_id=str(number)) for number in range(501)])
    with pytest.raises(ValueError, match="twice"):
        compose(letter(), letter())


def test_pdf_is_tagged_archival_and_in_its_languages() -> None:
    """PDF/A-2a and PDF/UA-1 are claimed, every glyph is embedded Public Sans, the title and date
    are set, and each half carries its language."""
    with pikepdf.open(io.BytesIO(compose(both()).pdf)) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "2"
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == BATCH
            assert metadata["xmp:CreateDate"].startswith("2026-11-23")
        assert bool(pdf.Root.MarkInfo.Marked)
        assert {str(pdf.Root.Lang), *_languages(pdf.Root.StructTreeRoot.K)} == {"es-US", "en-US"}
        assert _fonts(pdf) == {"PublicSans"}


def _languages(element: pikepdf.Object) -> set[str]:
    if isinstance(element, pikepdf.Array):
        return {language for child in element for language in _languages(child)}
    if not isinstance(element, pikepdf.Dictionary):
        return set()
    own = {str(element.Lang)} if "/Lang" in element else set()
    return own | (_languages(element.K) if "/K" in element else set())


def _fonts(pdf: pikepdf.Pdf) -> set[str]:
    """The families of every font used; each has its file inside."""
    families = set()
    for page in pdf.pages:
        for font in page.resources.get("/Font", {}).values():
            descriptor = font.DescendantFonts[0].FontDescriptor
            assert "/FontFile2" in descriptor
            families.add(str(font.BaseFont).split("+")[1].split("-")[0])
    return families


def test_a_bad_letter_is_never_quoted_by_an_error() -> None:
    """Typst's own messages quote what they refuse; ours do not, nor do their causes."""
    with pytest.raises(typesetting.LayoutRefusedError) as caught:
        typesetting.typesetter().pdf({"title": "Kilroy"})
    assert "Kilroy" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_pictures_leave_blank_backs_out() -> None:
    """A letter of one page is one picture, of two languages two."""
    assert len(render_letter_png(letter(), DAY, ppi=30)) == 1
    pictures = render_letter_png(both(), DAY, ppi=30)
    assert len(pictures) == 2
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


@pytest.mark.needs("pdftotext")
@pytest.mark.parametrize(
    "sample",
    [
        letter(),
        both(),
        letter(SPANISH_APPOINTMENT, addr2="", zip4=""),
        letter(long(times=40)),
        letter(name="Ana Paz", addr1="12345 Avenida de los Insurgentes Sur"),
    ],
    ids=["one page", "two languages", "short", "three pages", "unit above"],
)
def test_the_window_shows_the_address_and_nothing_else(sample: Letter) -> None:
    """In the finished PDF, the box x 1.0–4.25, y 2.5–3.125 holds every line of the address; the
    band y 2.0–3.55 holds nothing besides; the clear zone of the envelope side is clear."""
    front = words_on(compose(sample).pdf)[0]
    band = [word for word in front if word[4] > 2.0 and word[2] < 3.55]
    to = sample.recipient
    said = f"{to.name} {to.addr1} {to.addr2} {to.last_line}".upper().split()
    assert sorted(word[0] for word in band) == sorted(said)
    for _, left, top, right, bottom in band:
        assert 1.0 - 1e-6 <= left < right <= 4.25
        assert 2.5 <= top < bottom <= 3.125
    clear = [w for w in front if w[3] > 8.5 - 4.75 and w[4] > 3.667 - 0.625 and w[2] < 3.667]
    assert clear == []


@pytest.mark.parametrize("sample", [letter(), both(), letter(long())], ids=["one", "two", "long"])
def test_the_picture_of_the_window_is_clear_but_for_the_address(sample: Letter) -> None:
    """The same band by its ink, in the picture that needs no other program: none of it above,
    below or beside the address box, and some of it inside."""
    front = Image.open(io.BytesIO(render_letter_png(sample, DAY, ppi=200)[0])).convert("L")
    ink = front.point(lambda grey: 255 if grey < 250 else 0)
    band = ink.crop((0, int(2.0 * 200), ink.width, int(3.55 * 200)))
    left, top, right, bottom = (side / 200 for side in band.getbbox() or (0, 0, 0, 0))
    assert 1.0 <= left < right <= 4.25
    assert 2.5 <= top + 2.0 < bottom + 2.0 <= 3.125


@pytest.mark.needs("pdftotext")
def test_the_unit_ends_the_delivery_line_or_stands_above_it() -> None:
    """Publication 28: at the end where it fits, and else on the line above, never below."""
    fits = text_of(compose(letter(name="Ana Paz")).pdf)
    assert "1200 EXAMPLE STREET APT 14B\nSACRAMENTO CA 95814-0042" in fits
    above = text_of(
        compose(letter(name="Ana Paz", addr1="12345 Avenida de los Insurgentes Sur")).pdf
    )
    assert "APT 14B\n12345 AVENIDA DE LOS INSURGENTES SUR\nSACRAMENTO" in above


@pytest.mark.needs("pdftotext")
def test_a_puerto_rican_address_has_its_urbanization() -> None:
    """The urbanization stands between the name and the delivery line."""
    to = {"name": "Ana Paz", "urbanization": "Urb Las Gladiolas", "addr1": "150 Calle A"}
    text = text_of(compose(letter(**to, addr2="", city="San Juan", state="PR")).pdf)
    assert "ANA PAZ\nURB LAS GLADIOLAS\n150 CALLE A\nSAN JUAN PR 95814-0042" in text


@pytest.mark.needs("pdftotext")
def test_a_pin_is_one_unbroken_word() -> None:
    """Whoever copies the PIN, or has it read aloud, gets its digits and nothing between them."""
    for page in words_on(compose(both()).pdf):
        assert [word for word, *_ in page].count("402719") == 1


@pytest.mark.needs("pdftotext")
def test_pages_are_counted_by_language() -> None:
    """Each half numbers its own pages, in its own language, and says how to reach us."""
    pages = text_of(compose(letter(long(SPANISH_PIN), long(ENGLISH_PIN))).pdf).split("\f")
    labels = ["Página 1 de 2", "Página 2 de 2", "Page 1 of 2", "Page 2 of 2"]
    for page, label in zip(pages, labels, strict=False):
        assert label in page
        assert "1-866-901-3212" in page
    assert all("Demostración" in page for page in pages[:2])
    assert all("Demonstration" in page for page in pages[2:4])


@pytest.mark.needs("pdftotext")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.text(alphabet=st.characters(codec="latin-1"), min_size=1, max_size=60),
    )
)
def test_data_is_drawn_and_never_run(data: str) -> None:
    """Hostile words are set in type as they are: nothing is read, evaluated or dropped."""
    words = " ".join(data.split())
    if not _squeezed(words) or undrawable_characters(words):
        return
    half = replace(ENGLISH_PIN, title=words, blocks=(Paragraph(words),))
    drawn = text_of(render_letter_pdf(letter(half), DAY), "-raw")
    assert _squeezed(drawn).count(_squeezed(words)) >= 2
    assert "root:" not in drawn


def _squeezed(text: str) -> str:
    """Without white space, and without soft hyphens, which show only where a line breaks."""
    return "".join(text.split()).replace("\u00ad", "")
