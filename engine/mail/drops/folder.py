"""A shelf that is a folder on this machine, or a bucket that speaks S3, where there is no SFTP."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    InvalidPathError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import LocalStore, ObjectStore, S3Store

from engine.mail.drops.port import (
    FROM_VENDOR,
    TO_VENDOR,
    DropRefusedError,
    DropUnavailableError,
)
from engine.mail.drops.shelf import Entry

CHUNK: Final = 5 * 1024 * 1024
"""S3 takes parts of 5 MiB and more, ten thousand at most: this allows for files of 50 GB."""

_PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ObjectShelf:
    """A bucket, or whatever else speaks its language: names, and bytes under them."""

    store: ObjectStore
    where: str

    def __str__(self) -> str:
        """Where it is."""
        return self.where

    async def size(self, path: str) -> int | None:
        """See `Shelf`."""
        with self._asking(path):
            try:
                return (await obstore.head_async(self.store, path))["size"]
            except (NotFoundError, FileNotFoundError):
                return None

    async def read(self, path: str, sink: Callable[[bytes], None]) -> None:
        """See `Shelf`."""
        with self._asking(path):
            found = await obstore.get_async(self.store, path)
            async for piece in found.stream(min_chunk_size=_PIECE):
                sink(bytes(piece))

    async def write(self, path: str, file: BinaryIO, there: int) -> None:
        """See `Shelf`. An object is written whole or not at all: what is there but not all of it
        is written anew."""
        if 0 < there == file.seek(0, os.SEEK_END):
            return
        file.seek(0)
        with self._asking(path):
            await obstore.put_async(self.store, path, file, chunk_size=CHUNK, max_concurrency=2)

    async def rename(self, path: str, to: str) -> None:
        """See `Shelf`. In a bucket this is a copy made there, which succeeds only if the name is
        free (`If-None-Match`), and then a removal."""
        with self._asking(to):
            await obstore.rename_async(self.store, path, to, overwrite=False)

    async def remove(self, path: str) -> None:
        """See `Shelf`."""
        with self._asking(path):
            try:
                await obstore.delete_async(self.store, path)
            except (NotFoundError, FileNotFoundError):
                return

    async def entries(self, folder: str) -> Sequence[Entry]:
        """See `Shelf`."""
        with self._asking(folder):
            listed = await obstore.list_with_delimiter_async(self.store, f"{folder}/")
        return [
            Entry(item["path"].rpartition("/")[2], item["size"], "file")
            for item in listed["objects"]
        ]

    @contextmanager
    def _asking(self, path: str) -> Iterator[None]:
        """Say what went wrong by what happens next; the store's own words may hold a request."""
        about = f"{self}: {path}"
        try:
            yield
        except (
            AlreadyExistsError,
            InvalidPathError,
            NotFoundError,
            PermissionDeniedError,
            UnauthenticatedError,
            UnknownConfigurationKeyError,
            PermissionError,
            FileNotFoundError,
        ) as error:
            raise DropRefusedError(f"{about}: refused ({type(error).__name__})") from None
        except (BaseError, OSError) as error:
            raise DropUnavailableError(f"{about}: unavailable ({type(error).__name__})") from None


@dataclass(frozen=True, slots=True)
class FolderShelf(ObjectShelf):
    """A folder. The disk is made to keep what we wrote, and the listing is the system's own."""

    folder: Path

    async def write(self, path: str, file: BinaryIO, there: int) -> None:
        """See `Shelf`. What an earlier try was staging when it was cut off is removed."""
        target = self.folder / path
        for staged in target.parent.glob(f"{target.name}#*"):
            staged.unlink(missing_ok=True)
        await ObjectShelf.write(self, path, file, there)
        await asyncio.to_thread(_flush, target)

    async def rename(self, path: str, to: str) -> None:
        """See `Shelf`."""
        await ObjectShelf.rename(self, path, to)
        await asyncio.to_thread(_flush, (self.folder / to).parent)

    async def entries(self, folder: str) -> Sequence[Entry]:
        """See `Shelf`. One name that is not UTF-8 would make the store's listing fail whole."""
        with self._asking(folder):
            return await asyncio.to_thread(_listed, self.folder / folder)


def open_folder(url: str) -> FolderShelf:
    """The folder at `file:///path`, in which a person has made the two that we share.

    They are not made here: an empty folder is what is left of a network drive that came off.
    """
    folder = Path(unquote(urlsplit(url).path))
    for part in (TO_VENDOR, FROM_VENDOR):
        if (
            not os.access(folder / part, os.R_OK | os.W_OK | os.X_OK)
            or not (folder / part).is_dir()
        ):
            raise DropRefusedError(f"{folder.as_uri()}: there is no folder {part}/ we may write in")
    return FolderShelf(LocalStore(folder), folder.as_uri(), folder)


def open_bucket(url: str) -> ObjectShelf:
    """The bucket at `s3://bucket/prefix`; who we are stands in the usual AWS_ variables."""
    try:
        store = S3Store.from_url(
            url,
            copy_if_not_exists="multipart",
            retry_config={"max_retries": 3},
        )
    except BaseError as error:
        raise DropRefusedError(f"{url}: refused ({type(error).__name__})") from None
    return ObjectShelf(store, url.rstrip("/"))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _listed(folder: Path) -> list[Entry]:
    with os.scandir(folder) as found:
        return [_entry(entry) for entry in found]


def _entry(found: os.DirEntry[str]) -> Entry:
    size = found.stat(follow_symlinks=False).st_size
    if found.is_dir(follow_symlinks=False):
        return Entry(found.name, size, "folder")
    return Entry(found.name, size, "file" if found.is_file(follow_symlinks=False) else "other")
