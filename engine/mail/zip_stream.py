"""A ZIP archive written to where nobody can go back, and like any other one all the same."""

import io
import zipfile
from collections.abc import Sequence
from typing import Final, Protocol

# The earliest moment a ZIP entry can carry: the archive tells no time, and so is always the same.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_READABLE: Final = 0o100644 << 16
_QUICKEST: Final = 1


class Sink(Protocol):
    """What takes bytes, from the first to the last."""

    def write(self, content: bytes, /) -> object:
        """Take the next bytes."""
        ...


class ZipStream:
    """An archive of entries that are each whole when they are written.

    An entry is held back until its size and checksum are known, so that they stand before it: some
    programs that read archives cannot take them from behind it.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._window = _Window()
        self._archive = _Archive(self._window, "w")

    def write(self, name: str, content: bytes) -> None:
        """Add an entry, compressed; the same entries in the same order give the same bytes."""
        entry = zipfile.ZipInfo(name, _NO_TIME)
        entry.create_system = _UNIX
        entry.external_attr = _READABLE
        self._archive.writestr(entry, content, zipfile.ZIP_DEFLATED, _QUICKEST)
        self._sink.write(self._window.take())

    def close(self, *, first: Sequence[str] = ()) -> None:
        """End the archive with its table of contents, in which the entries `first` come first."""
        places = {name: place for place, name in enumerate(first)}
        self._archive.filelist.sort(key=lambda entry: places.get(entry.filename, len(places)))
        self._archive.close()
        self._sink.write(self._window.take())


class _Archive(zipfile.ZipFile):
    """An archive that is ended by us or not at all: one that was given up has nowhere to end."""

    def __del__(self) -> None:
        """Leave it as it is."""


class _Window(io.BytesIO):
    """The bytes of a file from some place on; those before it have left."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 0

    def tell(self) -> int:
        return self._left + super().tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._left + super().seek(offset - self._left, whence)

    def take(self) -> bytes:
        """What has not left yet; it leaves now."""
        content = self.getvalue()
        self._left += len(content)
        super().seek(0)
        self.truncate()
        return content
