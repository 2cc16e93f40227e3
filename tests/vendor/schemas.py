"""The JSON Schemas that stand beside the contract, where they can be found."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Shape = Literal["done", "manifest", "index-row", "ack", "status-row", "final", "order"]
BESIDE_THE_CONTRACT = Path(__file__).parents[2] / "docs" / "print-batch-contract"


@dataclass(frozen=True)
class Schemas:
    """The contract's schemas; a file that is not there finds no fault."""

    folder: Path = BESIDE_THE_CONTRACT

    def faults(self, shape: Shape, value: Any) -> list[str]:
        """Where `value` departs from its schema: the place and the rule, never the value."""
        path = self.folder / f"{shape}.schema.json"
        validator = _validator(path) if path.exists() else None
        if validator is None:
            return []
        return [
            f"{'/'.join(map(str, error.absolute_path)) or shape}: {error.validator}"
            for error in validator.iter_errors(value)
        ]


@cache
def _validator(path: Path) -> Any:
    try:
        from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415  may be missing
    except ImportError:
        return None
    schema = json.loads(path.read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())
