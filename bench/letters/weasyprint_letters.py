"""The same letters as WeasyPrint draws them: the same words, typeface, places and marks."""

from collections.abc import Sequence
from html import escape

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

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
    Table,
)
from engine.mail.sheet_marks import mark_svg, sheet_mark
from engine.mail.typeface import FONT_FOLDER

_FONT = (FONT_FOLDER / "PublicSans[wght].ttf").as_uri()
_STYLE = f"""
@font-face {{ font-family: Public; src: url("{_FONT}"); font-weight: 100 900 }}
@page {{ size: letter; margin: 1.05in 1in;
  @bottom-left {{ content: string(contact); font: 8pt Public; white-space: nowrap }}
  @bottom-right {{ content: string(label); font: 8pt Public }} }}
body {{ font: 11pt/1.25 Public; margin: 0 }}
p, ul, ol, dl {{ margin: 0 0 9pt }} li {{ margin: 0 0 3pt }}
.letter {{ break-before: right }}
.half {{ break-before: page; position: relative;
  string-set: contact attr(data-contact), label attr(data-label) }}
.letter .half:first-child {{ break-before: auto; padding-top: 2.6in }}
.return, .address, .mark {{ position: absolute; left: 0; font-size: 9pt; line-height: 1.2 }}
.return {{ top: -0.6in }} .address {{ top: 1.45in }} .mark {{ left: 6.2in; top: -0.65in }}
h1 {{ font-size: 20pt; margin: 0 0 12pt }} h2 {{ font-size: 12pt; margin: 0 0 6pt }}
.apart {{ background: #f2f2f2; border-left: 3.5pt solid black; padding: 6pt 16pt 0;
  margin: 0 0 9pt }}
.apart b {{ display: block; padding-bottom: 6pt; font-size: 24pt; letter-spacing: 3pt }}
dl {{ border-top: 0.5pt solid #999; padding-top: 6pt }}
dt {{ float: left; clear: left; width: 1.9in }}
dd {{ margin-left: 1.9in; font-weight: 600 }}
.note {{ font-size: 9pt }}
"""


class Weasy:
    """WeasyPrint with what it may keep between documents."""

    def __init__(self) -> None:
        self._fonts = FontConfiguration()
        self._style = CSS(string=_STYLE, font_config=self._fonts)

    def one_document(self, letters: Sequence[Letter], batch: str) -> bytes:
        """All of `letters` in one tagged PDF."""
        sections = "".join(_letter(seq, letter, batch) for seq, letter in enumerate(letters, 1))
        html = f'<html lang="en"><title>{escape(batch)}</title><body>{sections}</body></html>'
        return self._drawn(html)

    def one_each(self, letters: Sequence[Letter], batch: str) -> list[bytes]:
        """A tagged PDF for each of `letters`."""
        return [self.one_document([letter], batch) for letter in letters]

    def _drawn(self, html: str) -> bytes:
        made: bytes = HTML(string=html).write_pdf(
            stylesheets=[self._style], font_config=self._fonts, pdf_variant="pdf/ua-1"
        )
        return made


def _letter(seq: int, letter: Letter, batch: str) -> str:
    mark = mark_svg(sheet_mark(batch, seq, 1, 1))
    first = (
        f'<div class="return">{"<br>".join(map(escape, letter.return_address))}</div>'
        f'<div class="address">{"<br>".join(map(escape, letter.recipient.lines()))}</div>'
        f'<div class="mark">{mark}</div>'
    )
    halves = "".join(
        _half(half, number, len(letter.halves), first if number == 1 else "")
        for number, half in enumerate(letter.halves, 1)
    )
    taglines = "".join(
        f'<p class="note" lang="{line.language}">{escape(line.text)}</p>'
        for line in letter.taglines
    )
    return f'<section class="letter">{halves}{taglines}</section>'


def _half(half: Half, page: int, pages: int, first: str) -> str:
    label = half.page_label.format(page=page, pages=pages)
    blocks = "".join(_block(block) for block in half.blocks)
    return (
        f'<div class="half" lang="{half.language}" data-contact="{escape(half.contact_line)}"'
        f' data-label="{escape(label)}">{first}'
        f"<p>{escape(half.agency)}<br>{escape(half.programme)}</p>"
        f"<p>{escape(half.date_line)}</p><h1>{escape(half.title)}</h1>{blocks}"
        f'<p class="note">{escape(half.demonstration or "")} {escape(half.overleaf or "")}</p>'
        "</div>"
    )


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Heading):
        return f"<h2>{escape(block.text)}</h2>"
    if isinstance(block, Bullets | Steps):
        kind = "ul" if isinstance(block, Bullets) else "ol"
        return f"<{kind}>{''.join(f'<li>{escape(item)}</li>' for item in block.items)}</{kind}>"
    if isinstance(block, Facts):
        rows = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in block.rows)
        return f"<dl>{''.join(rows)}</dl>"
    if isinstance(block, Table):
        lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in block.rows)
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
    return f'<div class="apart">{_apart(block)}</div>'


def _apart(block: Action | Secret) -> str:
    if isinstance(block, Secret):
        return f"{escape(block.label)}<b>{escape(block.value)}</b>"
    said = "".join(f"<p>{escape(line)}</p>" for line in block.lines)
    return f"<h2>{escape(block.heading)}</h2>{said}"
