"""The incoming folder: our copy of every file that the vendor sent, and apart from the others
those that were refused, each beside its reason."""

from dataclasses import dataclass
from pathlib import Path

from engine.mail.contract import sha256
from engine.mail.filing import write_whole


@dataclass(frozen=True, slots=True)
class Incoming:
    """Where files from the vendor stay."""

    folder: Path

    @property
    def quarantine(self) -> Path:
        """Where refused files stay."""
        return self.folder / "quarantine"

    def keep(self, name: str, content: bytes) -> None:
        """Keep a file that is being applied; a later one of the same name stands beside it."""
        path = self.folder / name
        if path.exists() and path.read_bytes() != content:
            path = self.folder / _with_hash(name, content)
        write_whole(path, content)

    def set_apart(self, name: str, content: bytes, reason: str) -> Path:
        """Keep a refused file, with the reason beside it; where it stands."""
        path = self.quarantine / _with_hash(Path(name).name, content)
        write_whole(path, content)
        write_whole(path.with_name(path.name + ".reason.txt"), f"{reason}\n".encode())
        return path


def _with_hash(name: str, content: bytes) -> str:
    return f"{sha256(content)[:8]}_{name}"
