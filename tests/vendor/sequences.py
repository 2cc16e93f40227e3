"""Whether a batch is missing before this one."""

from dataclasses import dataclass, field, replace

from tests.vendor.counting import TakenIn
from tests.vendor.verify_batch import Fault


@dataclass
class Sequences:
    """The last sequence seen, for each job of each environment; the first is taken as it comes."""

    last: dict[tuple[str, ...], int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def check(self, taken: TakenIn) -> TakenIn:
        """The same batch, with the fault SEQUENCE_GAP if one before it never came.

        A batch that came and could not be opened is no gap: the next one names it.
        """
        self.seen.add(taken.batch_id)
        if not taken.good or not taken.manifest:
            return taken
        line = tuple(taken.batch_id.split("_")[:3])
        number, before = taken.manifest["sequence"], taken.manifest["previous_batch_id"]
        last = self.last.get(line)
        self.last[line] = max(number, last or 0)
        if last is None or number == last + 1 or before in self.seen:
            return taken
        gap = Fault("SEQUENCE_GAP", f"sequence {number} after {last}")
        return replace(taken, faults=(*taken.faults, gap))


def other_bytes(taken: TakenIn) -> TakenIn:
    """A batch that came under the name of one that is already here."""
    fault = Fault("HASH_MISMATCH", "the same name came before with other bytes")
    return replace(taken, faults=(fault, *taken.faults))
