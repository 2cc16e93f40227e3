"""The JSON Schema of the file for the case system, as it is published in docs/applications/.

    python -m engine.applications.schemas check     is the published one that of the code?
    python -m engine.applications.schemas write     write it

It is made from the records that the file is written with (decision 0016).
"""

import sys
from pathlib import Path
from typing import Final

from engine.applications.records import Export
from engine.mail.schemas import DIALECT, published

PATH: Final = Path(__file__).parents[2] / "docs" / "applications" / "export.schema.json"


def text() -> str:
    """The schema as its file holds it."""
    return published(DIALECT | Export.model_json_schema(mode="serialization"))


def main(arguments: list[str]) -> int:
    """Check the published schema, or write it."""
    if arguments == ["write"]:
        PATH.parent.mkdir(parents=True, exist_ok=True)
        PATH.write_text(text(), encoding="utf-8")
    elif not PATH.exists() or PATH.read_text(encoding="utf-8") != text():
        sys.stderr.write(f"{PATH.name} is not what the code writes: see its write command\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
