"""The same letters as ReportLab draws them, in one document without tags: the same words,
typeface, places and marks."""

import io
from collections.abc import Sequence
from html import escape

from reportlab.lib.colors import Color
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, ListFlowable, ListItem, Spacer, Table
from reportlab.platypus import Paragraph as Text

from engine.mail.letters import (
    Action,
    Block,
    Bullets,
    Facts,
    Half,
    Heading,
    Letter,
    Paragraph,
    Secret,
    Steps,
)
from engine.mail.letters import Table as LetterTable
from engine.mail.sheet_marks import MODULE_INCHES, mark_modules, sheet_mark
from engine.mail.typeface import FONT_FOLDER

_INCH = 72.0
_HEIGHT = 11 * _INCH
_TINT = Color(0.95, 0.95, 0.95)
_SANS = "PublicSans"
_PLAIN = ParagraphStyle("plain", fontName=_SANS, fontSize=11, leading=14, spaceAfter=9)
_ITEM = ParagraphStyle("item", fontName=_SANS, fontSize=11, leading=14, spaceAfter=3)
_TITLE = ParagraphStyle("title", fontName=_SANS, fontSize=20, leading=24, spaceAfter=12)
_HEADING = ParagraphStyle("heading", fontName=_SANS, fontSize=12, leading=15, spaceAfter=6)
_SMALL = ParagraphStyle("small", fontName=_SANS, fontSize=9, leading=11, spaceAfter=6)
_PIN = ParagraphStyle("pin", fontName=_SANS, fontSize=24, leading=30)


def one_document(letters: Sequence[Letter], batch: str) -> bytes:
    """All of `letters` in one PDF."""
    registerFont(TTFont(_SANS, str(FONT_FOLDER / "PublicSans[wght].ttf")))
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=(8.5 * _INCH, _HEIGHT), pageCompression=1)
    canvas.setTitle(batch)
    for seq, letter in enumerate(letters, 1):
        _draw(canvas, seq, letter, batch)
    canvas.save()
    return made.getvalue()


def _draw(canvas: Canvas, seq: int, letter: Letter, batch: str) -> None:
    pages = 0
    for number, half in enumerate(letter.halves):
        story = _story(half)
        top = 3.65 if number == 0 else 1.5
        while story:
            pages += 1
            if number == 0 and pages == 1:
                _first_page(canvas, seq, letter, batch)
            _foot(canvas, half, pages, len(letter.halves))
            frame = Frame(_INCH, 1.05 * _INCH, 6.5 * _INCH, _HEIGHT - (top + 1.05) * _INCH, 0, 0)
            frame.addFromList(story, canvas)
            canvas.showPage()
            top = 1.05
    if pages % 2:
        canvas.showPage()


def _first_page(canvas: Canvas, seq: int, letter: Letter, batch: str) -> None:
    _lines(canvas, letter.return_address, 0.5)
    _lines(canvas, letter.recipient.lines(), 2.6)
    size = MODULE_INCHES * _INCH
    path = canvas.beginPath()
    for row, cells in enumerate(mark_modules(sheet_mark(batch, seq, 1, 1))):
        for column, ink in enumerate(cells):
            if ink:
                path.rect(7.76 * _INCH + column * size, _HEIGHT - 29 - row * size, size, size)
    canvas.drawPath(path, stroke=0, fill=1)


def _lines(canvas: Canvas, lines: Sequence[str], top: float) -> None:
    text = canvas.beginText(_INCH, _HEIGHT - top * _INCH)
    text.setFont(_SANS, 9, 11)
    text.textLines("\n".join(lines))
    canvas.drawText(text)


def _foot(canvas: Canvas, half: Half, page: int, pages: int) -> None:
    canvas.setFont(_SANS, 8)
    canvas.drawString(_INCH, 0.6 * _INCH, half.contact_line)
    label = half.page_label.format(page=page, pages=pages)
    canvas.drawRightString(7.5 * _INCH, 0.45 * _INCH, label)


def _story(half: Half) -> list[Flowable]:
    story: list[Flowable] = [
        Text(f"{escape(half.agency)}<br/>{escape(half.programme)}", _SMALL),
        Text(escape(half.date_line), _PLAIN),
        Text(escape(half.title), _TITLE),
    ]
    for block in half.blocks:
        story += _block(block)
    story.append(Text(escape(f"{half.demonstration or ''} {half.overleaf or ''}"), _SMALL))
    return story


def _block(block: Block) -> list[Flowable]:
    if isinstance(block, Paragraph):
        return [Text(escape(block.text), _PLAIN)]
    if isinstance(block, Heading):
        return [Text(escape(block.text), _HEADING)]
    if isinstance(block, Bullets | Steps):
        return [_list(block)]
    if isinstance(block, Facts):
        cells = [[Text(escape(cell), _ITEM) for cell in row] for row in block.rows]
        return [Table(cells, colWidths=[1.9 * _INCH, 4.6 * _INCH]), Spacer(0, 9)]
    if isinstance(block, LetterTable):
        lines = [[Text(escape(cell), _ITEM) for cell in row] for row in block.rows]
        return [Table(lines), Spacer(0, 9)]
    return [_apart(_inside(block)), Spacer(0, 9)]


def _list(block: Bullets | Steps) -> ListFlowable:
    items = [ListItem(Text(escape(item), _ITEM)) for item in block.items]
    if isinstance(block, Bullets):
        return ListFlowable(items, bulletType="bullet", start="–", bulletFontName=_SANS)
    return ListFlowable(items, bulletType="1", bulletFontName=_SANS)


def _inside(block: Action | Secret) -> list[Flowable]:
    if isinstance(block, Secret):
        return [Text(escape(block.label), _SMALL), Text(block.value, _PIN)]
    said = [Text(escape(line), _ITEM) for line in block.lines]
    return [Text(escape(block.heading), _HEADING), *said]


def _apart(inside: list[Flowable]) -> Table:
    style = [("BACKGROUND", (0, 0), (-1, -1), _TINT), ("LINEBEFORE", (0, 0), (0, -1), 3.5, "black")]
    return Table([[inside]], colWidths=[6.5 * _INCH], style=style)
