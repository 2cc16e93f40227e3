"""How a vendor behaves: what goes wrong at its presses, and the mischief it does on command."""

from dataclasses import dataclass
from enum import StrEnum

from tests.vendor.answers import Kind


class Mischief(StrEnum):
    """What a vendor may do wrong. A name that does not fit a kind of file changes nothing."""

    # What becomes of a file.
    SILENT = "silent"  # it is never written
    AGAIN = "again"  # the same file once more, as soon as the first was collected
    TRUNCATED = "truncated"  # cut in the middle, under its final name
    LEFT_AS_PART = "left-as-part"  # half of it as `.name.part`, and no rename
    WRONG_NAME = "wrong-name"  # under a name that the contract does not know
    UNKNOWN_BATCH = "unknown-batch"  # for a batch that never was
    HUGE = "huge"  # more than 64 MiB once decrypted
    # How it is sealed.
    UNSIGNED = "unsigned"  # encrypted to the agency, signed by nobody
    IN_THE_CLEAR = "in-the-clear"  # no OpenPGP message at all
    CLEAR_SIGNED = "clear-signed"  # a clear-text signature
    ANOTHER_KEY = "another-key"  # signed by a key that the agency does not know
    # What it says.
    WRONG_TOTALS = "wrong-totals"  # agrees with itself, and with nothing that was sent
    WRONG_SUM = "wrong-sum"  # a final whose parts do not make its whole
    WRONG_HASH = "wrong-hash"  # an ack of other bytes
    UNKNOWN_PIECE = "unknown-piece"  # the first row names a piece that never was
    EVENTS_AGAIN = "events-again"  # the same events once more, in the next file
    OUT_OF_VOCABULARY = "out-of-vocabulary"  # a code that the contract does not know
    MISSHAPEN = "misshapen"  # a column or a field that should not be there
    LOCAL_TIME = "local-time"  # moments with an offset in place of Z
    MAILED_TWICE = "mailed-twice"  # a second `mailed` that nobody ordered
    NCOA_ON_CONFIDENTIAL = "ncoa-on-confidential"  # a confidential address was looked up
    HELD_IN_FINAL = "held-in-final"  # a final while a piece still waits
    REJECTS = "rejects"  # the whole batch is refused, though nothing is wrong with it
    # When it comes.
    LATE = "late"  # every moment in it is a week on
    GAP = "gap"  # the number of a status file is skipped
    OUT_OF_ORDER = "out-of-order"  # the last file first, and so back to the ack


@dataclass(frozen=True)
class Prank:
    """One mischief, on every file or on some: `where` is a kind, or `status.002`."""

    mischief: Mischief
    where: str = ""

    @classmethod
    def read(cls, text: str) -> "Prank":
        """From `truncated`, `ack:truncated` or `status.002:truncated`. ValueError if unknown."""
        where, _, name = text.rpartition(":")
        kind, _, number = where.partition(".")
        if where and (kind not in list(Kind) or (number and not number.isdecimal())):
            raise ValueError(f"{where} is not ack, status, status.nnn or final")
        return cls(Mischief(name), where)

    def touches(self, kind: Kind, number: int | None) -> bool:
        """Whether it is meant for this file."""
        return self.where in {"", kind, f"{kind}.{number or 0:03}"}


@dataclass(frozen=True)
class Manners:
    """How many pieces of a batch meet which fate, and what the vendor does wrong."""

    rejected: int = 0
    held: int = 0
    spoiled: int = 0
    returned: int = 0
    moved: int = 0
    """Pieces that NCOALink knows; never a confidential one."""
    seed: int = 2026
    encrypted: bool = False
    """Answers are encrypted to the agency as well as signed."""
    armoured: bool = False
    removes: bool = False
    """The agency's files are removed from `to-vendor/` once the ack is written."""
    destroys: bool = False
    """The final comes a second time, with `destroyed_at`."""
    pranks: frozenset[Prank] = frozenset()

    def of(self, kind: Kind, number: int | None = None) -> frozenset[Mischief]:
        """The mischief that this file is meant for."""
        return frozenset(prank.mischief for prank in self.pranks if prank.touches(kind, number))
