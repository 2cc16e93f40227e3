"""Files that are put with an application: checked and made anew, sealed, few, and not large."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.applications import draft_columns
from engine.applications.cleaning import Cleaner
from engine.applications.cleaning_process import Clean
from engine.applications.draft_columns import UPLOAD
from engine.applications.file_types import ENDINGS, FileFault, MediaType
from engine.clock import Clock
from engine.database import driver_connection
from engine.security.sealed_columns import box_of, key_of

FILE_MOST: Final = 8 * 1024 * 1024
FILES_MOST: Final = 10
ALL_MOST: Final = 30 * 1024 * 1024
KINDS: Final = ("court_order", "birth_record", "parentage", "income", "safety", "other")

_LIST: Final = """
SELECT id, kind, media_type, octets, sha256, uploaded_at
FROM application_upload WHERE draft_id = $1 ORDER BY id
"""
_ADD: Final = f"""
INSERT INTO application_upload (draft_id, kind, media_type, octets, sha256, sealed_content,
                                content_key_id, uploaded_at)
VALUES ($1, $2, $3, $4, $5, {box_of("$6::json")}, {key_of("$6::json")}, $7)
ON CONFLICT (draft_id, sha256) DO NOTHING RETURNING id
"""  # noqa: S608  joined from constants of ours
_CONTENT: Final = f"""
SELECT application_upload.id, application_upload.kind, media_type, octets, sha256, uploaded_at,
       {UPLOAD.read()} AS content
FROM application_upload JOIN application_draft ON application_draft.id = draft_id
WHERE application_upload.id = $1 AND draft_id = $2 AND participant_id = $3
"""  # noqa: S608  likewise
_REMOVE: Final = "DELETE FROM application_upload WHERE id = $1 AND draft_id = $2 RETURNING true"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was taken; `number` counts those of one application from 1."""

    id: int
    number: int
    kind: str
    media_type: MediaType
    octets: int
    sha256: str

    @property
    def name(self) -> str:
        """What it is called when it is handed out: its own name may say something of somebody."""
        return f"document-{self.number}.{ENDINGS[self.media_type]}"


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes files, and gives them back to whose they are."""

    clock: Clock
    cleaner: Cleaner = field(default_factory=Cleaner)

    async def check(self, content: bytes) -> Clean | FileFault:
        """The file made anew, or why it is not taken. Before the transaction: it takes a while."""
        if not content:
            return FileFault.EMPTY
        if len(content) > FILE_MOST:
            return FileFault.TOO_LARGE
        made = await self.cleaner.clean(content)
        if isinstance(made, Clean) and len(made.content) > FILE_MOST:
            return FileFault.TOO_LARGE
        return made

    async def of(self, connection: AsyncConnection, draft_id: int) -> Sequence[Upload]:
        """The files of a draft, in the order they came."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_LIST, draft_id)
        return [_upload(row, number) for number, row in enumerate(rows, 1)]

    async def add(
        self, connection: AsyncConnection, draft_id: int, kind: str, made: Clean
    ) -> FileFault | None:
        """Keep a file that was made anew; why not, where there are too many, or it is known."""
        present = await self.of(connection, draft_id)
        octets = sum(each.octets for each in present) + len(made.content)
        if len(present) >= FILES_MOST or octets > ALL_MOST:
            return FileFault.TOO_MANY
        digest = hashlib.sha256(made.content).hexdigest()
        text = base64.b64encode(made.content).decode()
        driver = await driver_connection(connection)
        added = await driver.fetchval(
            _ADD,
            draft_id,
            kind,
            made.media_type,
            len(made.content),
            digest,
            draft_columns.upload(draft_id, digest, text),
            self.clock(),
        )
        return FileFault.KNOWN if added is None else None

    async def content(
        self, connection: AsyncConnection, participant_id: int, draft_id: int, upload_id: int
    ) -> tuple[Upload, bytes] | None:
        """A file, for its applicant alone."""
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_CONTENT, upload_id, draft_id, participant_id)
        if row is None:
            return None
        present = await self.of(connection, draft_id)
        number = next(each.number for each in present if each.id == upload_id)
        return _upload(row, number), base64.b64decode(str(row["content"]))

    async def remove(self, connection: AsyncConnection, draft_id: int, upload_id: int) -> bool:
        """Take a file away from a draft; whether it was there."""
        driver = await driver_connection(connection)
        return await driver.fetchval(_REMOVE, upload_id, draft_id) is not None


def _upload(row: Any, number: int) -> Upload:
    return Upload(row["id"], number, row["kind"], row["media_type"], row["octets"], row["sha256"])
