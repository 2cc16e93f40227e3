"""Tables and plots that read as they should."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from bench.findings import Findings, Sheet
from bench.plots import Bar, bars


def test_a_sheet_is_a_table_of_the_page() -> None:
    """Words to the left, figures to the right; a bar within a cell does not end it."""
    sheet = Sheet("Figures", ("what", "n"), [("a | b", "1"), ("c", "2")])
    assert sheet.markdown() == (
        "**Figures**\n\n| what | n |\n| --- | --: |\n| a \\| b | 1 |\n| c | 2 |"
    )


def test_what_was_not_reached_is_written_down(tmp_path: Path) -> None:
    """Where a figure is missed, the page says so as plainly as the terminal does."""
    findings = Findings("send", unmet=["3 times arq, and it was to be 20 times"], versions={})
    findings.write(tmp_path)
    assert "Not reached: 3 times arq" in (tmp_path / "send.md").read_text()
    assert json.loads((tmp_path / "send.json").read_text())["unmet"] == findings.unmet


def test_a_plot_is_drawn_to_one_scale() -> None:
    """Twice as much is twice as long, from zero; what is written is escaped, the note below."""
    drawn = bars("A & B", [Bar("<a>", 2, "2", ours=True), Bar("b", 1, "1")], "by one machine")
    tree = ET.fromstring(drawn)  # noqa: S314  our own drawing
    widths = [float(each.attrib["width"]) for each in tree.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[1] == 2 * widths[2]
    said = [each.text for each in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert said == ["A & B", "<a>", "2", "b", "1", "by one machine"]
