"""Drawing letters: where they stand, what is held, what the PDF promises."""

import io
import re
import subprocess
from dataclasses import replace
from datetime import date

import pikepdf
import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.mail.barcode_drawing import CLEAR_ABOVE, CLEAR_BESIDE, INCHES_HIGH, INCHES_WIDE
from engine.mail.composing import (
    ComposedPart,
    ComposingError,
    compose_part,
    render_letter_pdf,
    render_letter_png,
)
from engine.mail.letters import Letter, Paragraph
from engine.mail.sheet_inks import BARCODE_CORNER
from engine.mail.sheet_marks import sheet_mark
from engine.mail.typeface import undrawable_characters
from engine.mail.typesetting import LayoutRefusedError, typesetter
from tests.mail.reference_barcode import encoded
from tests.mail.sample_letters import (
    ENGLISH_PIN,
    RECIPIENT,
    SPANISH_APPOINTMENT,
    SPANISH_PIN,
    both,
    in_large_print,
    letter,
    long,
)
from tests.mail.test_barcode_drawing import _read as read_bars
from tests.mail.test_words import HOSTILE

DAY = date(2026, 11, 23)
BATCH = "ccss_test_letters_20261123_001"
BARS = encoded("00700123456000000001", "958140042")


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
        letter(long(SPANISH_PIN, times=6), long(times=6), piece_id="d"),
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
    for refused in (letter(name="Ana 漢"), letter(addr1="X" * 90)):
        with pytest.raises(ComposingError) as caught:
            render_letter_pdf(refused, DAY)
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
    are set, and each half and each tagline carries its language."""
    with pikepdf.open(io.BytesIO(compose(both()).pdf)) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "2"
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == BATCH
            assert metadata["xmp:CreateDate"].startswith("2026-11-23")
        assert b"<xmpTPg:NPages>2</" in pdf.Root.Metadata.read_bytes()
        assert bool(pdf.Root.MarkInfo.Marked)
        assert str(pdf.Root.Lang) == "es-US"
        assert _languages(pdf.Root.StructTreeRoot.K) == {"es-US", "en-US", "vi"}
        assert b"/Lang(tl)" in pdf.pages[0].Contents[0].read_bytes()
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
    with pytest.raises(LayoutRefusedError) as caught:
        typesetter().pdf({"title": "Kilroy"})
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
        letter(name="Ana Paz", addr1="12345 Northwest Martin Luther King Junior"),
        in_large_print(both()),
        replace(letter(name="Ana Paz"), imb="F" * 65),
    ],
    ids=["one page", "two languages", "short", "three pages", "unit above", "large", "barcode"],
)
def test_the_window_shows_the_address_and_nothing_else(sample: Letter) -> None:
    """In the finished PDF, the box x 1.0–4.25, y 2.5–3.125 holds every line of the address; the
    band y 2.0–3.55 holds nothing besides; the clear zone of the envelope side is clear."""
    front = words_on(compose(sample).pdf)[0]
    band = [word for word in front if word[4] > 2.0 and word[2] < 3.55]
    said = " ".join(sample.recipient.lines()).split()
    assert sorted(word[0] for word in band) == sorted(said)
    for _, left, top, right, bottom in band:
        assert 1.0 - 1e-6 <= left < right <= 4.25
        assert 2.5 <= top < bottom <= 3.125
    clear = [w for w in front if w[3] > 8.5 - 4.75 and w[4] > 3.667 - 0.625 and w[2] < 3.667]
    assert clear == []


@pytest.mark.parametrize(
    "sample",
    [letter(), both(), letter(long()), in_large_print(both())],
    ids=["one", "two", "long", "large"],
)
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
        compose(letter(name="Ana Paz", addr1="12345 Northwest Martin Luther King Junior")).pdf
    )
    assert "APT 14B\n12345 NORTHWEST MARTIN LUTHER KING JUNIOR\nSACRAMENTO" in above


@pytest.mark.needs("pdftotext")
def test_a_puerto_rican_address_has_its_urbanization() -> None:
    """The urbanization stands between the name and the delivery line."""
    to = replace(
        RECIPIENT,
        name="Ana Paz",
        urbanization="Urb Las Gladiolas",
        addr1="150 Calle A",
        addr2="",
        city="San Juan",
        state="PR",
    )
    text = text_of(compose(replace(letter(), recipient=to)).pdf)
    assert "ANA PAZ\nURB LAS GLADIOLAS\n150 CALLE A\nSAN JUAN PR 95814-0042" in text


@pytest.mark.needs("pdftotext")
def test_a_pin_is_one_unbroken_word() -> None:
    """Whoever copies the PIN, or has it read aloud, gets its digits and nothing between them."""
    for page in words_on(compose(both()).pdf):
        assert [word for word, *_ in page].count("402719") == 1


@pytest.mark.parametrize("name", ["Ana Paz", "Íñigo Núñez-Ibáñez"])
def test_our_barcode_reads_back_under_three_lines_of_address(name: str) -> None:
    """The 65 bars stand in the window, readable, with blank paper around them, and are no part of
    what is read aloud; a fourth line of address is one too many."""
    part = compose(
        replace(letter(name=name), imb=BARS),
        replace(letter(name="Ana Paz " * 8, piece_id="4"), imb=BARS),
    )
    assert [(piece.piece_id, piece.flag) for piece in part.held] == [("4", "TOO_MANY_LINES")]
    ppi = 600
    with pypdfium2.PdfDocument(part.pdf) as pdf:
        front = pdf[0].render(scale=ppi / 72, grayscale=True).to_pil()
    left, top = BARCODE_CORNER
    right, foot = left + INCHES_WIDE, top + INCHES_HIGH
    bars_at = tuple(round(side * ppi) for side in (left, top, right, foot))
    assert read_bars(front.crop(bars_at), ppi) == BARS
    assert left >= 1.0 + CLEAR_BESIDE
    assert right <= 4.25 - CLEAR_BESIDE
    assert foot <= 3.125 - CLEAR_ABOVE
    around = (left - CLEAR_BESIDE, top - CLEAR_ABOVE, right + CLEAR_BESIDE, foot + CLEAR_ABOVE)
    front.paste(255, (bars_at[0] - 2, bars_at[1] - 2, bars_at[2] + 2, bars_at[3] + 2))
    assert front.crop(tuple(round(side * ppi) for side in around)).getextrema() == (255, 255)


def test_large_print_is_large() -> None:
    """In the edition for those who asked for it nothing is smaller than 18 point but the two
    addresses, which the post reads; the other edition has nothing below 8.5."""
    for edition, least, sizes in ((True, 18.0, {8.5, 9.0}), (False, 8.5, set())):
        samples = (letter(), both(), letter(long(), piece_id="c"))
        part = compose(*(replace(sample, large=edition) for sample in samples))
        with pikepdf.open(io.BytesIO(part.pdf)) as pdf:
            small = {size for page in pdf.pages for size in _sizes(page) if size < least}
        assert small == sizes


def _sizes(page: pikepdf.Page) -> set[float]:
    return {
        float(str(instruction.operands[1]))
        for instruction in pikepdf.parse_content_stream(page)
        if str(instruction.operator) == "Tf"
    }


@pytest.mark.parametrize("sample", [in_large_print(both()), in_large_print(letter(long()))])
def test_large_print_flows_over_sheets_and_each_is_marked(sample: Letter) -> None:
    """A large-print letter takes the sheets it needs; its window is like any other."""
    part = compose(sample)
    (piece,) = part.pieces
    assert piece.sheet_count > 1
    assert len(piece.sheet_marks) == piece.sheet_count
    assert piece.page_count == 2 * piece.sheet_count


@pytest.mark.needs("pdftotext")
def test_pages_are_counted_through_the_whole_piece() -> None:
    """Page x of y runs through both halves, each in its language; each page says how to reach us,
    and the first where the other language begins."""
    first = replace(long(SPANISH_PIN, times=6), overleaf="English on page {page}")
    pages = text_of(compose(letter(), letter(first, long(times=12), piece_id="b")).pdf).split("\f")
    labels = ["Page 1 of 1", "", "Página 1 de 4", "Página 2 de 4", "Page 3 of 4", "Page 4 of 4"]
    for page, label in zip(pages, labels, strict=False):
        assert label in page
        assert label == "" or "1-866-901-3212" in page
    assert "English on page 3" in pages[2]
    for page, word in ((pages[2], "Demostración"), (pages[4], "Demonstration")):
        assert word in page


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
