"""Letters struck from a mould: glyph for glyph and tag for tag as if each were laid out."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise, product
from typing import Any

import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from engine.communications.catalogue import LANGUAGES, LETTERS, Facts, StatementFacts
from engine.communications.rendering import Renderer
from engine.mail.composing import ComposedPart, compose_part, render_letter_pdf
from engine.mail.drafting import SAMPLE_ADDRESS, Draft, draft_letter
from engine.mail.letters import Bullets, Half, Letter, Paragraph, Table
from engine.mail.typeface import undrawable_characters
from engine.mail.typesetting import typesetter
from engine.settings import Agency
from tests.mail.sample_letters import (
    ENGLISH_PIN,
    RETURN_ADDRESS,
    SPANISH_APPOINTMENT,
    both,
    in_large_print,
    letter,
    long,
)

DAY = date(2026, 11, 23)
RENDERER = Renderer(Agency(), "https://connect.example")
NAMES = ("Ana Paz", "Íñigo Muñoz", "Guadalupe Hernández-Ávila Castañeda", "O. AVATAR-WAVY")


def greeted(half: Half, name: str) -> Half:
    """The same half to somebody else."""
    return replace(half, blocks=(Paragraph(f"Dear {name}:"), *half.blocks[1:]))


def of_all_kinds() -> list[Letter]:
    """Two languages and one, one page and several, both editions; four readers of each."""
    return [
        replace(one, piece_id=f"{kind}-{name}", recipient=replace(one.recipient, name=name))
        for name in NAMES
        for kind, one in enumerate(
            (
                letter(greeted(ENGLISH_PIN, name)),
                letter(greeted(SPANISH_APPOINTMENT, name), greeted(ENGLISH_PIN, name)),
                letter(greeted(long(times=20), name)),
                in_large_print(both()),
                in_large_print(letter(greeted(SPANISH_APPOINTMENT, name))),
            )
        )
    ]


def recorded(half: Half, rows: int, least: int) -> Half:
    """The same half with a table of so many rows, whose amounts have different widths."""
    said = tuple(
        (f"September {1 + number % 30}, 2026", f"{number:015d}", f"${least + 37 * number:,}.50")
        for number in range(rows)
    )
    return replace(half, blocks=(*half.blocks, Table(("Date", "Case number", "Amount"), said)))


def of_tables() -> list[Letter]:
    """Tables of one row, and of several pages, in both editions; three readers of each."""
    return [
        replace(one, piece_id=f"{rows}-{least}-{one.large}")
        for rows in (1, 40)
        for least in (0, 950, 99_999)
        for usual in [letter(recorded(SPANISH_APPOINTMENT, rows, least))]
        for one in (usual, in_large_print(usual))
    ]


def of_the_catalogue() -> list[Letter]:
    """Every notice that goes by mail, in English in large print and in Spanish in the usual
    edition, to two readers; and statements of no payment, and of forty."""
    return [
        draft_letter(RENDERER, draft, RETURN_ADDRESS, DAY)
        for notice, language in product(LETTERS, LANGUAGES)
        for nth, facts in enumerate(_told(notice.sample))
        for draft in [
            Draft(
                piece_id=f"{notice.key}-{language}-{nth}",
                notice=notice,
                language=language,
                facts=facts,
                secret=notice.sample_secret,
                address=SAMPLE_ADDRESS,
                large=language == "en",
            )
        ]
    ]


def _told(sample: Facts) -> Iterator[Facts]:
    yield sample
    yield sample.model_copy(update={"name": "Ana Paz"})
    if isinstance(sample, StatementFacts):
        yield sample.model_copy(update={"lines": ()})
        yield sample.model_copy(update={"lines": sample.lines * 20})


def compose(*letters: Letter) -> ComposedPart:
    """The letters in one part."""
    return compose_part(letters, batch_id="ccss_test_letters_20261123_001", document_date=DAY)


@pytest.fixture
def laid_out(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many letters each document that Typst is asked for has."""
    asked: list[int] = []
    drawing = typesetter()
    draw = drawing.pdf

    def counted(what: Mapping[str, Any]) -> bytes:
        asked.append(len(what["letters"]))
        return draw(what)

    monkeypatch.setattr(drawing, "pdf", counted)
    return asked


def pictures(pdf: bytes) -> list[Image.Image]:
    """Every page in dots, without what only the inserter reads."""
    found = []
    with pypdfium2.PdfDocument(pdf) as opened:
        for page in opened:
            picture: Image.Image = page.render(scale=1.5, grayscale=True).to_pil()
            picture.paste(255, (820, 30, picture.width, 110))
            found.append(picture)
    return found


def words(pdf: bytes) -> list[list[str]]:
    """The words of every page, in the order of the alphabet."""
    with pypdfium2.PdfDocument(pdf) as opened:
        return [sorted(page.get_textpage().get_text_range().split()) for page in opened]


@pytest.mark.parametrize(
    "kinds", [of_all_kinds, of_tables, pytest.param(of_the_catalogue, marks=pytest.mark.full)]
)
def test_a_struck_letter_looks_as_if_it_were_laid_out(kinds: Callable[[], list[Letter]]) -> None:
    """Page by page and dot by dot, what is struck from a mould is what Typst draws of the letter
    alone: kerning, line breaks, headers, page numbers, amounts at a right edge."""
    letters = kinds()
    part = compose(*letters)
    struck = pictures(part.pdf)
    for one, piece in zip(letters, part.pieces, strict=True):
        for nth, page in enumerate(pictures(render_letter_pdf(one, DAY)), piece.first_page - 1):
            assert ImageChops.difference(struck[nth], page).getextrema() == (0, 0), one.piece_id


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.text(
            alphabet=st.characters(
                min_codepoint=0x20, max_codepoint=0x17F, exclude_characters="\xad"
            ),
            min_size=1,
            max_size=90,
        ).filter(lambda text: text.strip() and not undrawable_characters(text)),
        min_size=2,
        max_size=6,
    )
)
def test_whatever_latin_text_there_is_looks_as_if_it_were_laid_out(texts: list[str]) -> None:
    """Ligatures, kerning, characters beyond Latin 1, lines broken anywhere: dot by dot the same."""
    letters = [
        letter(
            replace(ENGLISH_PIN, blocks=(*ENGLISH_PIN.blocks, Paragraph(text), Bullets((text,)))),
            piece_id=str(number),
        )
        for number, text in enumerate(texts)
    ]
    part = compose(*letters)
    struck = pictures(part.pdf)
    for one, piece in zip(letters, part.pieces, strict=True):
        for nth, page in enumerate(pictures(render_letter_pdf(one, DAY)), piece.first_page - 1):
            assert ImageChops.difference(struck[nth], page).getextrema() == (0, 0)


@pytest.mark.parametrize("kinds", [of_all_kinds, of_tables])
def test_a_struck_letter_says_what_a_laid_out_one_says(kinds: Callable[[], list[Letter]]) -> None:
    """The same words can be copied from it, and it has the same kinds of element in the same
    order."""
    letters = kinds()
    part = compose(*letters)
    struck_words = words(part.pdf)
    for one, piece in zip(letters, part.pieces, strict=True):
        for nth, page in enumerate(words(render_letter_pdf(one, DAY)), piece.first_page - 1):
            assert struck_words[nth] == page
    with pikepdf.open(io.BytesIO(part.pdf)) as pdf:
        struck = [list(_tags(node)) for node in pdf.Root.StructTreeRoot.K[0].K]
    for one, said in zip(letters, struck, strict=True):
        with pikepdf.open(io.BytesIO(render_letter_pdf(one, DAY))) as pdf:
            alone = list(_tags(pdf.Root.StructTreeRoot.K[0]))
        assert [tag for tag in said if tag not in {"/Part", "/Sect"}] == alone[1:]


def test_a_notice_takes_one_sheet() -> None:
    """In the usual edition, Spanish on the front and its English half on the back; but for a
    statement of so many payments that they fill pages."""
    usual = [letter for letter in of_the_catalogue() if not letter.large]
    sheets = {piece.piece_id: piece.sheet_count for piece in compose(*usual).pieces}
    assert {piece: count for piece, count in sheets.items() if count > 1} == {
        "monthly_statement-es-3": 3
    }


def test_every_tagged_piece_has_its_element_and_its_text() -> None:
    """The parent tree is whole: each number on each page is owned by the one element that names
    it, on that page; and the file has no fault of syntax."""
    with pikepdf.open(io.BytesIO(compose(*of_all_kinds(), *of_tables()).pdf)) as pdf:
        assert pdf.check_pdf_syntax() == []
        root = pdf.Root.StructTreeRoot
        owners = {int(key): owned for key, owned in pairs(root.ParentTree.Nums)}
        pages = {int(page.obj.StructParents): page for page in pdf.pages if "/Contents" in page}
        assert owners.keys() == pages.keys()
        assert len(pages) == int(root.ParentTreeNextKey)
        for key, page in pages.items():
            assert sorted(_numbers(page)) == list(range(len(owners[key])))
            for number, element in enumerate(owners[key]):
                assert (page.obj.objgen, number) in _owned(element)


def test_each_letter_is_a_part_of_the_document_in_its_languages() -> None:
    """Whoever reads the part's PDF aloud goes from letter to letter, and from half to half."""
    with pikepdf.open(io.BytesIO(compose(letter(piece_id="a"), both(piece_id="b")).pdf)) as pdf:
        letters = list(pdf.Root.StructTreeRoot.K[0].K)
        assert [str(one.S) for one in letters] == ["/Part", "/Part"]
        assert [[str(half.Lang) for half in one.K] for one in letters] == [
            ["en-US"],
            ["es-US", "en-US"],
        ]


def test_cells_of_a_table_have_the_names_of_their_columns() -> None:
    """Each name is the header of its column by scope; nothing is found by an identifier, which
    another letter of the part would have too; names that begin another page are not read again."""
    letters = of_tables()
    with pikepdf.open(io.BytesIO(compose(*letters).pdf)) as pdf:
        cells = [cell for cell in _elements(pdf.Root.StructTreeRoot.K[0]) if "/A" in cell]
        headers = [cell for cell in cells if cell.S == "/TH"]
        assert len(headers) == 3 * len(letters)
        assert all(header.A[0].Scope == "/Column" for header in headers)
        assert not any("/Headers" in attribute for cell in cells for attribute in cell.A)
        assert not any("/ID" in cell for cell in cells)
    page = words(compose(letters[-2]).pdf)[1]
    assert page.count("Date") == 1


def test_amounts_of_every_width_are_struck_from_one_mould(laid_out: list[int]) -> None:
    """They stand against the right edge, and the letter is laid out once."""
    brief = replace(ENGLISH_PIN, blocks=ENGLISH_PIN.blocks[:2])
    compose(*(letter(recorded(brief, 3, least), piece_id=str(least)) for least in (0, 950, 99_999)))
    assert laid_out == [0, 1]


def test_what_is_static_is_laid_out_once(laid_out: list[int]) -> None:
    """Forty readers with names of every length: each text is drawn alone, one letter is laid out,
    and nothing is laid out again for a name that takes more lines in the window."""
    part = compose(
        *(
            letter(
                greeted(ENGLISH_PIN, f"Ana {number}"),
                piece_id=str(number),
                name=" ".join(["Guadalupe"] * (1 + number % 6)),
            )
            for number in range(40)
        )
    )
    assert len(part.pieces) == 40
    assert laid_out == [0, 1]


def test_pages_share_what_they_have_in_common() -> None:
    """The content that does not change is in the file once, whatever the number of letters."""
    part = compose(*(letter(piece_id=str(number), name=f"Ana {number}") for number in range(5)))
    with pikepdf.open(io.BytesIO(part.pdf)) as pdf:
        shared = {page.obj.Contents[0].objgen for page in pdf.pages if "/Contents" in page}
        own = {page.obj.Contents[1].objgen for page in pdf.pages if "/Contents" in page}
    assert (len(shared), len(own)) == (1, 5)


def pairs(array: pikepdf.Object) -> Iterator[tuple[pikepdf.Object, pikepdf.Object]]:
    """The items of an array, two by two."""
    yield from list(pairwise(array))[::2]


def _owned(element: Any) -> list[tuple[Any, int]]:
    """The pages and numbers of the content that an element names."""
    return [
        (element.Pg.objgen, kid) if isinstance(kid, int) else (kid.Pg.objgen, int(kid.MCID))
        for kid in element.K
        if isinstance(kid, int) or "/MCID" in kid
    ]


def _tags(node: pikepdf.Object) -> Iterator[str]:
    yield str(node.S)
    for kid in node.get("/K", ()):
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield from _tags(kid)


def _elements(node: pikepdf.Object) -> Iterator[pikepdf.Object]:
    yield node
    for kid in node.get("/K", ()):
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield from _elements(kid)


def _numbers(page: pikepdf.Page) -> list[int]:
    opened = (
        instruction.operands[1]
        for instruction in pikepdf.parse_content_stream(page)
        if str(instruction.operator) == "BDC"
    )
    return [int(str(entry.MCID)) for entry in opened if "/MCID" in entry]
