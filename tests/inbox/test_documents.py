"""What was sent is frozen: opened years later, a document is the same, byte for byte."""

import shutil
from pathlib import Path

from obstore.store import MemoryStore

from engine.assets import TEMPLATES
from engine.bootstrap import Application
from engine.communications.catalogue import DOCUMENT_READY
from engine.communications.rendering import Renderer
from engine.inbox.documents import Documents
from engine.inbox.store import DocumentStore
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.database_rows import execute, fetch
from tests.inbox.hours import Hours
from tests.inbox.test_unopened import post


async def opened(application: Application, documents: Documents | None = None) -> bytes | None:
    """What the reader is shown."""
    async with application.engine.begin() as connection:
        return await (documents or application.documents).open(connection, 1, 1)


async def test_years_later_the_same_bytes_are_shown(
    application: Application, settings: Settings, hours: Hours, tmp_path: Path
) -> None:
    """Though the clock went on, the words of the notice and its reader's name were changed, and the
    portal was started anew: the bytes stay, and the row names the words that made them."""
    await people.add(application.engine, people.Person(paperless=True))
    await post(application)
    first = await opened(application)
    assert first
    assert first.startswith(b"%PDF-")

    templates = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    letter = templates / "mail" / DOCUMENT_READY.key / "letter.html"
    letter.write_text(letter.read_text("utf-8").replace("<p>", "<p>§ ", 1), encoding="utf-8")
    later = Renderer(settings.agency, settings.public_url, templates).version(DOCUMENT_READY)
    hours.forward(days=3_650)
    await execute(application, "UPDATE participant SET last_name = 'Otra'")

    async with opened_in_parts(settings, hours) as restarted:
        assert await opened(restarted) == first
    [row] = await fetch(
        application, "SELECT template_version, bytes, pages, opened_at FROM document"
    )
    then = application.renderer.version(DOCUMENT_READY)
    assert row["template_version"] == then != later
    assert row["bytes"] == len(first)
    assert row["opened_at"] != hours.now


async def test_a_bucket_keeps_them_as_a_folder_does(application: Application) -> None:
    """Moved from the one to the other, a document opens as it was."""
    await people.add(application.engine, people.Person(paperless=True))
    await post(application)
    first = await opened(application)
    assert first
    bucket = DocumentStore(MemoryStore())
    await bucket.put(first)
    assert await opened(application, Documents(bucket, application.clock)) == first
