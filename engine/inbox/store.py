"""Where documents are kept: each once, under the hash of its bytes, in a folder or a bucket."""

import hashlib
from contextlib import suppress
from typing import Final

from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore

from engine.errors import ConnectError

_FOLDER: Final = "sha256"


class DocumentDamagedError(ConnectError):
    """What is kept is not what was sent: it is not shown, and an operator looks for a backup."""


class DocumentStore:
    """Keeps documents. What was put in once is never written again."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, content: bytes) -> str:
        """Keep `content`; the SHA-256 it is kept under, in hexadecimal."""
        sha256 = hashlib.sha256(content).hexdigest()
        try:
            await self._store.put_async(_path(sha256), content, mode="create")
        except AlreadyExistsError:
            await self.get(sha256)
        return sha256

    async def get(self, sha256: str) -> bytes:
        """What is kept under `sha256`; raises DocumentDamagedError when it is not that any more."""
        try:
            result = await self._store.get_async(_path(sha256))
            content = bytes(await result.bytes_async())
        except FileNotFoundError:
            raise DocumentDamagedError(f"the document {sha256} is not in the store") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DocumentDamagedError(f"the document {sha256} was changed in the store")
        return content

    async def remove(self, sha256: str) -> None:
        """Remove what is kept under `sha256`; that it is gone already is well."""
        with suppress(FileNotFoundError):
            await self._store.delete_async(_path(sha256))


def _path(sha256: str) -> str:
    return f"{_FOLDER}/{sha256[:2]}/{sha256}.pdf"
