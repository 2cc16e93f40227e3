"""The document store: each document once under its hash, in a folder or behind the interface of a
bucket."""

import hashlib
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore

from engine.inbox.store import DocumentDamagedError, DocumentStore

PDF = b"%PDF-1.7 a document\n"


@pytest.fixture(params=["folder", "bucket"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """A folder, and what behaves as a bucket: both through obstore, as in production."""
    if request.param == "folder":
        return LocalStore(tmp_path / "documents", mkdir=True)
    return MemoryStore()


def stored(objects: ObjectStore) -> list[tuple[str, int]]:
    """The objects there are, and their sizes."""
    return [(item["path"], item["size"]) for page in objects.list() for item in page]


async def test_a_document_is_stored_once_by_its_hash(objects: ObjectStore) -> None:
    """Put in twice, it is one object; another byte makes another one; both come back whole."""
    store = DocumentStore(objects)
    names = [await store.put(content) for content in (PDF, PDF, PDF + b"x")]
    assert names[0] == names[1] == hashlib.sha256(PDF).hexdigest()
    assert sorted(stored(objects)) == sorted(
        (f"sha256/{name[:2]}/{name}", size)
        for name, size in ((f"{names[0]}.pdf", len(PDF)), (f"{names[2]}.pdf", len(PDF) + 1))
    )
    assert [await store.get(name) for name in names] == [PDF, PDF, PDF + b"x"]


async def test_what_was_put_in_is_never_written_over(objects: ObjectStore) -> None:
    """What is there under the hash of something else is refused, and not mended in silence."""
    store = DocumentStore(objects)
    sha256 = hashlib.sha256(PDF).hexdigest()
    await objects.put_async(f"sha256/{sha256[:2]}/{sha256}.pdf", b"something else")
    with pytest.raises(DocumentDamagedError, match="was changed"):
        await store.put(PDF)
    with pytest.raises(DocumentDamagedError, match="was changed"):
        await store.get(sha256)


async def test_what_is_gone_is_missed(objects: ObjectStore) -> None:
    """By its name."""
    with pytest.raises(DocumentDamagedError, match="is not in the store"):
        await DocumentStore(objects).get("0" * 64)
