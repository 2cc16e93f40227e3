"""What a mail program sends when its reader presses *Unsubscribe* (RFC 8058)."""

from email.parser import BytesParser
from email.policy import HTTP
from typing import Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from engine.request_bodies import bounded_body

FIELD: Final = "List-Unsubscribe"
VALUE: Final = "One-Click"
_FIELDS_MOST: Final = 10


async def is_one_click(request: Request) -> bool:
    """Whether the body says so, in either of the two encodings that RFC 8058 (3.1) names.

    Raises HTTPException: 415 for another one, 413 for a body that is too long, 408 for one that
    does not come.
    """
    content_type = request.headers.get("Content-Type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded":
        return _in_pairs(await bounded_body(request))
    if media_type == "multipart/form-data":
        return _in_parts(content_type, await bounded_body(request))
    raise HTTPException(415)


def _in_pairs(body: bytes) -> bool:
    try:
        pairs = parse_qsl(body.decode("ascii"), max_num_fields=_FIELDS_MOST)
    except ValueError:
        return False
    return (FIELD, VALUE) in pairs


def _in_parts(content_type: str, body: bytes) -> bool:
    """A part is read as one of a mail is (RFC 7578, 4)."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    return any(
        part.get_param("name", header="Content-Disposition") == FIELD
        and str(part.get_payload()).strip() == VALUE
        for part in message.walk()
        if not part.is_multipart()
    )
