"""The JSON Schemas of the print batch contract, as they are published beside it.

    python -m engine.mail.schemas check     are the published ones those of the code?
    python -m engine.mail.schemas write     write them

They are made from the records that read and write every file of the drop, so that the page for
the vendor and the program cannot say different things.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from engine.mail.contract import Done, Manifest, Order
from engine.mail.index import row_schema
from engine.mail.vendor.answers import Ack, FinalReport, StatusRow

FOLDER: Final = Path(__file__).parents[2] / "docs" / "print-batch-contract"
DIALECT: Final = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def json_schemas() -> dict[str, dict[str, Any]]:
    """Every schema (JSON Schema 2020-12), by the name of its file."""
    schemas = {
        "manifest": Manifest.model_json_schema(mode="serialization"),
        "done": Done.model_json_schema(mode="serialization"),
        "order": Order.model_json_schema(mode="serialization"),
        "index-row": row_schema(),
        "ack": Ack.model_json_schema(),
        "status-row": StatusRow.model_json_schema(),
        "final": FinalReport.model_json_schema(),
    }
    return {f"{name}.schema.json": DIALECT | schema for name, schema in schemas.items()}


def published(schema: dict[str, Any]) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Check the published schemas, or write them."""
    stale = []
    for name, schema in json_schemas().items():
        path = FOLDER / name
        if arguments == ["write"]:
            path.write_text(published(schema), encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != published(schema):
            stale.append(name)
    for name in stale:
        sys.stderr.write(f"{name} is not what the code reads and writes\n")
    if stale:
        sys.stderr.write("Run `python -m engine.mail.schemas write`, and tell the vendor.\n")
    return len(stale) and 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
