"""The two folders of the drop, as the contract's section 3 wants them used."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

ORDER = re.compile(r"(?P<batch>.+)\.order\.[0-9]{3}\.json\.pgp")


class NameTakenError(Exception):
    """A file of that name still waits to be collected: it is not written over."""


@dataclass(frozen=True)
class Drop:
    """`to-vendor/` and `from-vendor/` under one root."""

    root: Path

    @property
    def to_vendor(self) -> Path:
        """What the agency writes."""
        return self.root / "to-vendor"

    @property
    def from_vendor(self) -> Path:
        """What the vendor writes."""
        return self.root / "from-vendor"

    def make(self) -> None:
        """Both folders, where they are missing."""
        self.to_vendor.mkdir(parents=True, exist_ok=True)
        self.from_vendor.mkdir(parents=True, exist_ok=True)

    def done_file(self, batch_id: str) -> Path:
        """What announces a batch."""
        return self.to_vendor / f"{batch_id}.done"

    def sha256(self, batch_id: str) -> str:
        """The hash of a batch's message as it lies there, empty if it does not."""
        path = self.to_vendor / f"{batch_id}.zip.pgp"
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""

    def announced(self) -> list[str]:
        """The batches that may be taken in, by name."""
        return sorted(path.stem for path in _seen(self.to_vendor) if path.suffix == ".done")

    def orders(self) -> list[str]:
        """The names of the orders that lie there."""
        return sorted(path.name for path in _seen(self.to_vendor) if ORDER.fullmatch(path.name))

    def waiting(self) -> list[str]:
        """Answers that were not collected yet."""
        return sorted(path.name for path in _seen(self.from_vendor))

    def put(self, name: str, content: bytes) -> Path:
        """Write an answer whole, then rename it. NameTakenError if one waits there."""
        path = self.from_vendor / name
        if path.exists():
            raise NameTakenError(f"{name} still waits to be collected")
        self.begin(name, content).rename(path)
        return path

    def begin(self, name: str, content: bytes) -> Path:
        """Write an answer as far as it has come, under the name that a reader ignores."""
        part = self.from_vendor / f".{name}.part"
        part.write_bytes(content)
        return part

    def forget(self, batch_id: str) -> None:
        """Remove the agency's files of a batch; the announcement first."""
        for ending in (".done", ".zip.pgp.sha256", ".zip.pgp"):
            (self.to_vendor / f"{batch_id}{ending}").unlink(missing_ok=True)


def _seen(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]
