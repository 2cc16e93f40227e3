"""What a file is by its first octets; its name and what a browser says of it count for nothing."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

MediaType = Literal["application/pdf", "image/jpeg", "image/png"]
HEIC: Final = "heic"
ENDINGS: Final[Mapping[MediaType, str]] = MappingProxyType(
    {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
)

_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif"}
)


class FileFault(StrEnum):
    """Why a file is not taken; templates/portal/apply/application_words.html has the words."""

    MISSING = "file_missing"
    EMPTY = "file_empty"
    TOO_LARGE = "file_too_large"
    TOO_MANY = "file_too_many"
    WRONG_TYPE = "file_wrong_type"
    HEIC = "file_heic"
    ENCRYPTED = "file_encrypted"
    ACTIVE = "file_active"
    """A PDF with scripts, attachments, or a form that sends itself."""
    TOO_COMPLEX = "file_too_complex"
    DAMAGED = "file_damaged"
    KNOWN = "file_known"
    """The same file is there already."""


def seems_to_be(content: bytes) -> MediaType | Literal["heic"] | None:
    """The type that the first octets are of; None for any that is not taken."""
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return "heic"
    return None
