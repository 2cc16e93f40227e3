"""`index.csv`, as the vendor's programs read it."""

import csv
import io
from dataclasses import replace

import pytest

from engine.mail.index import COLUMNS, IndexFile, IndexRow, RefusedCellError

ROW = IndexRow(
    seq=1,
    piece_id="piece-a",
    part_file="part-001.pdf",
    first_page=1,
    page_count=2,
    sheet_count=1,
    template_id="temporary_pin",
    template_version="1",
    lang="es",
    mail_class="first_class",
    name='María "Mari" Núñez, hija',
    urbanization="",
    addr1="1200 Example Street",
    addr2="",
    city="Sacramento",
    state="CA",
    zip5="95814",
    zip4="",
    address_flags="",
    imb31="",
    sheet_mark="1|ccss_test_letters_20261123_001|1|1|1",
)


def test_rows_read_back() -> None:
    """Commas, quotation marks and ñ survive; lines end as RFC 4180 has them."""
    file = IndexFile()
    file.add([ROW])
    written = file.content()
    assert written.count(b"\r\n") == 2
    assert written.endswith(b"\r\n")
    (row,) = csv.DictReader(io.StringIO(written.decode(), newline=""))
    assert row == {column: str(getattr(ROW, column)) for column in COLUMNS}


def test_columns_are_the_contracts() -> None:
    """In its order."""
    assert ",".join(COLUMNS) == (
        "seq,piece_id,part_file,first_page,page_count,sheet_count,template_id,template_version,"
        "lang,mail_class,name,urbanization,addr1,addr2,city,state,zip5,zip4,address_flags,imb31,"
        "sheet_mark"
    )


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "a\nb", "\ta", "a\x00b"])
def test_a_cell_like_a_formula_is_refused(name: str) -> None:
    """It is refused and not escaped, by its piece and column and without being quoted."""
    with pytest.raises(RefusedCellError) as caught:
        IndexFile().add([replace(ROW, name=name)])
    assert "piece-a: name" in str(caught.value)
    assert repr(name)[1:-1] not in str(caught.value).replace("piece-a", "")
