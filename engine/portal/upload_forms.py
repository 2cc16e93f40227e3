"""Forms with a file: read into memory, never into a file, and no further than a file may go."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from engine.applications.file_types import FileFault
from engine.applications.uploads import FILE_MOST

BODY_MOST: Final = FILE_MOST + 64 * 1024
DRAINED_MOST: Final = 4 * FILE_MOST
"""So much is still taken from the wire of what is too large, for a browser shows no answer until it
has sent everything."""
BODY_SECONDS: Final = 120
"""Eight megabytes over a telephone's connection."""
_FIELDS_MOST: Final = 10


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The fields of a form, each at most once, and its file as it came."""

    fields: dict[str, str]
    content: bytes = field(repr=False)


class _InMemory(MultiPartParser):
    """Nothing a stranger sends is written to a disk in the clear."""

    spool_max_size = BODY_MOST + 1


async def read_upload_form(request: Request) -> UploadForm | FileFault:
    """What was sent; TOO_LARGE where that is more than a file may be.

    Raises HTTPException: 415 for what no form of ours sends, 413 for what is beyond all measure,
    408 for a body that does not come, 400 for one that cannot be read or names a field twice.
    """
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise HTTPException(415)
    body = await _body(request)
    return body if isinstance(body, FileFault) else await _parsed(request.headers, body)


async def _body(request: Request) -> bytes | FileFault:
    body, octets = bytearray(), 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                octets += len(piece)
                if octets > DRAINED_MOST:
                    raise HTTPException(413)
                if octets <= BODY_MOST:
                    body += piece
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body) if octets <= BODY_MOST else FileFault.TOO_LARGE


async def _parsed(headers: Headers, body: bytes) -> UploadForm:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _InMemory(headers, stream(), max_files=1, max_fields=_FIELDS_MOST)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise HTTPException(400) from None
    try:
        return await _form(form)
    finally:
        await form.close()


async def _form(form: FormData) -> UploadForm:
    pairs = form.multi_items()
    fields = {name: value for name, value in pairs if isinstance(value, str)}
    files = [value for _, value in pairs if isinstance(value, UploadFile)]
    if len(fields) + len(files) != len(pairs):
        raise HTTPException(400)
    return UploadForm(fields, await files[0].read() if files else b"")
