"""The bodies of requests: bounded in size and time, and read strictly."""

import asyncio
from typing import Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

BODY_MOST: Final = 64 * 1024
BODY_SECONDS: Final = 10
FIELDS_MOST: Final = 30


async def read_fields(request: Request, most: int = FIELDS_MOST) -> dict[str, str]:
    """The fields of a posted form, each at most once, `most` of them.

    Raises HTTPException: 415 for what no HTML form of ours sends, 413 for more than 64 KiB, 408
    for a body that does not come, 400 for one that is not UTF-8 or names a field twice.
    """
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    try:
        body = await bounded_body(request)
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=most
        )
    except ValueError:
        raise HTTPException(400) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise HTTPException(400)
    return fields


async def bounded_body(request: Request, most: int = BODY_MOST) -> bytes:
    """The body of a request, of at most so many bytes. Raises HTTPException: 413 for more, 408 for
    one that does not come, 400 for one whose sender went away."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)
