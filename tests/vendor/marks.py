"""The Data Matrix on each sheet: rendered as it will print, decoded, compared with the index."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Lock
from typing import Any, TypeVar

from tests.vendor.verify_batch import Fault, Row

US_LETTER = (612, 792)
# The contract's section 5, in points from the top left corner, with a tenth of an inch around it:
# the mark stands from x 7.76 to 8.25 in at most, and from y 0.4 in.
LEFT, TOP, RIGHT, BOTTOM = 7.66 * 72, 0.3 * 72, 8.35 * 72, 1.0 * 72
RESOLUTIONS = (150, 300)
_ONE_AT_A_TIME = Lock()  # PDFium is not made for threads

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Sampling:
    """Which marks are looked at: every `nth`, and the first and last of each part; 0 for none."""

    nth: int = 1

    @classmethod
    def read(cls, text: str) -> "Sampling":
        """From `all`, `none` or a number. ValueError for anything else."""
        return cls({"all": 1, "none": 0}[text] if text in {"all", "none"} else int(text))

    def of(self, things: Sequence[Thing]) -> list[Thing]:
        """The sheets or pieces of a part to look at."""
        if self.nth == 0:
            return []
        last = len(things) - 1
        return [thing for at, thing in enumerate(things) if at % self.nth == 0 or at == last]


@dataclass(frozen=True)
class Sheet:
    """The front of one sheet: its page from 0, and what its mark should say."""

    page: int
    says: str
    piece_id: str


def can_be_read() -> bool:
    """Whether the two libraries are here that draw a page and read a mark."""
    return all(find_spec(name) is not None for name in ("pypdfium2", "zxingcpp"))


def sheets_of(part_file: str, batch_id: str, rows: Sequence[Row]) -> list[Sheet]:
    """The fronts of a part, in their order."""
    return [
        Sheet(
            page=int(row["first_page"]) - 1 + 2 * (sheet - 1),
            says=f"1|{batch_id}|{row['seq']}|{sheet}|{row['sheet_count']}",
            piece_id=row["piece_id"],
        )
        for row in rows
        if row["part_file"] == part_file
        for sheet in range(1, int(row["sheet_count"]) + 1)
    ]


def mark_faults(
    batch_id: str, rows: Sequence[Row], parts: Mapping[str, bytes], sampling: Sampling
) -> Iterator[Fault]:
    """Sheets whose mark is missing or of another piece, and pages that are not US Letter."""
    for name, pdf in parts.items():
        chosen = sampling.of(sheets_of(name, batch_id, rows))
        for sheet, (size, read) in zip(chosen, look(pdf, [s.page for s in chosen]), strict=True):
            where = f"{name}: page {sheet.page + 1}"
            if size != US_LETTER:
                yield Fault("OTHER", f"{where} is not US Letter", sheet.piece_id)
            if read != [sheet.says]:
                text = f"{where}: its mark says {' and '.join(read) or 'nothing'}"
                yield Fault("MARK_MISMATCH", text, sheet.piece_id)


def look(pdf: bytes, pages: Sequence[int]) -> list[tuple[tuple[int, int], list[str]]]:
    """The size of each page in points, and what the marks in its corner say."""
    return each_page(pdf, pages, _look_at)


def each_page(pdf: bytes, pages: Sequence[int], what: Callable[[Any], Thing]) -> list[Thing]:
    """What is found on each of these pages, counted from 0."""
    if not pages:
        return []
    import pypdfium2  # noqa: PLC0415  a vendor may do without; see can_be_read

    library: Any = pypdfium2
    with _ONE_AT_A_TIME:
        document = library.PdfDocument(pdf)
        try:
            return [what(document[page]) for page in pages]
        finally:
            document.close()


def _look_at(page: Any) -> tuple[tuple[int, int], list[str]]:
    import zxingcpp  # noqa: PLC0415  as above

    width, height = page.get_size()
    corner = (LEFT, max(height - BOTTOM, 0), max(width - RIGHT, 0), TOP)
    read: list[str] = []
    for dpi in RESOLUTIONS:
        drawn = page.render(scale=dpi / 72, crop=corner, grayscale=True)
        found = zxingcpp.read_barcodes(
            drawn.to_pil(),
            formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.DataMatrix),
            try_rotate=False,
        )
        drawn.close()
        read = [mark.text for mark in found]
        if read:
            break
    page.close()
    return (round(width), round(height)), read
