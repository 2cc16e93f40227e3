"""docs/performance.md: prose by hand, and between marks what the benches found."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parent.parent / "docs"
PAGE: Final = DOCS / "performance.md"
PLOTS: Final = DOCS / "performance"


class MarkMissingError(Exception):
    """A bench has no place on the page; its text says which."""


def with_findings(page: str, name: str, found: str) -> str:
    """`page` with what the bench `name` found in the place of what stood between its marks.

    Raises MarkMissingError where the page has no such marks.
    """
    first, last = f"<!-- {name}: python -m bench {name} -->", f"<!-- {name} ends -->"
    between = re.compile(f"(?<={re.escape(first)}\n).*?(?={re.escape(last)})", re.DOTALL)
    if not between.search(page):
        raise MarkMissingError(f"no marks for {name}: {first} and {last}")
    return between.sub(lambda _: f"\n{found.strip()}\n\n", page)


def put_on_page(out: Path, names: Sequence[str]) -> None:
    """Bring the page and its plots in step with what these benches left in the folder `out`."""
    page = PAGE.read_text(encoding="utf-8")
    PLOTS.mkdir(exist_ok=True)
    for name in names:
        page = with_findings(page, name, (out / f"{name}.md").read_text(encoding="utf-8"))
        if (plot := out / f"{name}.svg").exists():
            shutil.copyfile(plot, PLOTS / plot.name)
    PAGE.write_text(page, encoding="utf-8")
