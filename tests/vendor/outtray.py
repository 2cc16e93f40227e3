"""Where answers are sealed and put; and where mischief is done to the files themselves."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from tests.vendor.drop import Drop
from tests.vendor.manners import Manners, Mischief
from tests.vendor.pranks import twist_name
from tests.vendor.sealing import Keys, seal


class OutTray:
    """Answers on their way to `from-vendor/`."""

    def __init__(self, drop: Drop, keys: Keys, manners: Manners) -> None:
        self.drop = drop
        self.keys = keys
        self.manners = manners
        self.sent: dict[str, bytes] = {}
        """Every answer as it should have been, whatever mischief was done to it."""
        self.patient = False
        """Whether an answer waits, where another of its name was not collected yet."""
        self._later: dict[str, list[bytes]] = defaultdict(list)
        self._kept_back: list[Callable[[], Path]] | None = None

    def write(
        self, name: str, good: bytes, told: bytes, wanted: frozenset[Mischief], *, under: str
    ) -> Path:
        """Seal `told` and put it under the name `under`; keep `good` as `name`."""
        encrypted, armoured = self.manners.encrypted, self.manners.armoured
        self.sent[name] = seal(good, self.keys, encrypted=encrypted, armoured=armoured)
        message = seal(told, self.keys, wanted, encrypted=encrypted, armoured=armoured)
        path = self.drop.from_vendor / twist_name(under, wanted)

        def deliver() -> Path:
            return self._deliver(path, message, wanted)

        if self._kept_back is None:
            return deliver()
        self._kept_back.append(deliver)
        return path

    def put(self, name: str, content: bytes) -> Path:
        """Put any bytes. NameTakenError if a file of that name waits, and we do not."""
        if self.patient and name in self.drop.waiting():
            self._later[name].append(content)
            return self.drop.from_vendor / name
        return self.drop.put(name, content)

    def send_again(self, name: str) -> Path:
        """Put an answer as it should have been: corrected, or the same a second time."""
        return self.put(name, self.sent[name])

    def turn(self) -> list[str]:
        """Put what waited for its name to be free; the names."""
        free = [name for name in self._later if name not in self.drop.waiting()]
        for name in free:
            first, *others = self._later.pop(name)
            if others:
                self._later[name] = others
            self.drop.put(name, first)
        return free

    @property
    def empty(self) -> bool:
        """Whether all was collected, and nothing waits."""
        return not self._later and not self.drop.waiting()

    def keep_back(self) -> None:
        """From here on nothing is put until `let_go`."""
        self._kept_back = []

    def let_go(self) -> None:
        """Put what was kept back, the last first."""
        kept, self._kept_back = self._kept_back or [], None
        for deliver in reversed(kept):
            deliver()

    def _deliver(self, path: Path, message: bytes, wanted: frozenset[Mischief]) -> Path:
        half = message[: len(message) // 2]
        if Mischief.SILENT in wanted:
            return path
        if Mischief.LEFT_AS_PART in wanted:
            self.drop.begin(path.name, half)
            return path
        if Mischief.AGAIN in wanted:
            self._later[path.name].append(message)
        return self.put(path.name, half if Mischief.TRUNCATED in wanted else message)
