"""Why an address is held: the words of the print batch contract, in the contract's order."""

from typing import Final, Literal

Flag = Literal[
    "INCOMPLETE",
    "STATE_ZIP_MISMATCH",
    "MISSING_UNIT",
    "FOREIGN",
    "TOO_MANY_LINES",
    "UNRENDERABLE",
    "RETURNED_BEFORE",
    "CONFIDENTIAL",
]

FLAGS: Final[tuple[Flag, ...]] = (
    "INCOMPLETE",
    "STATE_ZIP_MISMATCH",
    "MISSING_UNIT",
    "FOREIGN",
    "TOO_MANY_LINES",
    "UNRENDERABLE",
    "RETURNED_BEFORE",
    "CONFIDENTIAL",
)
