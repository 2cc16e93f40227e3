"""What one bench found: shown on the terminal, and kept as a table for docs/performance.md, a plot,
and figures for whoever compares runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.machine import machine, versions

OUT: Final = Path("var/bench")
"""Where every bench leaves what it found, unless it is told otherwise."""

_WIDTH: Final = 112


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its first column is words, the others are figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def drawn(self) -> Table:
        """For a terminal."""
        table = Table(title=self.title)
        for place, column in enumerate(self.columns):
            table.add_column(column, justify="right" if place else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """For a page."""
        rule = ["---", *["--:"] * (len(self.columns) - 1)]
        lines = [self.columns, rule, *self.rows]
        drawn = "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)
        return f"**{self.title}**\n\n{drawn}"


@dataclass(slots=True)
class Findings:
    """Of the bench `name`. `lines` are said below the tables; `figures` are what they are made of;
    `unmet` is what the bench was to reach and did not."""

    name: str
    sheets: list[Sheet] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    plots: dict[str, str] = field(default_factory=dict)
    """The name of a file in docs/performance/, without its ending → SVG."""
    figures: dict[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=versions)
    unmet: list[str] = field(default_factory=list)

    def show(self) -> None:
        """Say it on the terminal."""
        console = Console(width=max(_WIDTH, Console().width))
        for sheet in self.sheets:
            console.print(sheet.drawn())
        for line in self.lines:
            console.print(line, highlight=False)
        for line in self.unmet:
            console.print(f"not reached: {line}", style="bold red", highlight=False)
        console.print(self.made_on(), style="dim", highlight=False)

    def write(self, out: Path) -> None:
        """Keep it in the folder `out`."""
        out.mkdir(parents=True, exist_ok=True)
        for name, plot in self.plots.items():
            (out / f"{name}.svg").write_text(plot, encoding="utf-8")
        (out / f"{self.name}.md").write_text(self.markdown(), encoding="utf-8")
        kept = {
            "bench": self.name,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "versions": dict(self.versions),
            "figures": self.figures,
            "unmet": self.unmet,
        }
        (out / f"{self.name}.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")

    def markdown(self) -> str:
        """What stands between this bench's marks in docs/performance.md."""
        plots = [f"![{name}](performance/{name}.svg)" for name in self.plots]
        said = [*(sheet.markdown() for sheet in self.sheets), *self.lines]
        unmet = [f"Not reached: {line}" for line in self.unmet]
        return "\n\n".join([*plots, *said, *unmet, f"*{self.made_on()}*"]) + "\n"

    def made_on(self) -> str:
        """When, on what machine, with which versions."""
        with_ = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"{datetime.now(UTC):%Y-%m-%d}. {machine()}. {with_}."


def _cell(words: str) -> str:
    return words.replace("|", "\\|")
