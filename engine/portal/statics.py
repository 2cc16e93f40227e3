"""Static files: named by their content, so that a browser may keep each for a year."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import fontpkg_public_sans
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_THEME: Final = Path(__file__).parent / "theme"
_FONTS: Final = Path(fontpkg_public_sans.__file__).parent / "files"
_A_YEAR: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, ready to be served as it is or compressed."""

    name: str
    media_type: str
    content: bytes
    compressed: bytes


class StaticFiles:
    """The theme, its font and its drawings, read once."""

    def __init__(self) -> None:
        plain = {
            "public-sans.ttf": _file(
                "public-sans.ttf", "font/ttf", (_FONTS / "PublicSans[wght].ttf").read_bytes()
            ),
            "mark.svg": _file("mark.svg", "image/svg+xml", (_THEME / "mark.svg").read_bytes()),
            "rings.svg": _file("rings.svg", "image/svg+xml", (_THEME / "rings.svg").read_bytes()),
        }
        styles = (_THEME / "theme.css").read_text()
        for name, file in plain.items():
            styles = styles.replace(f'url("{name}")', f'url("{file.name}")')
        files = plain | {"theme.css": _file("theme.css", "text/css", styles.encode())}
        self._names = {name: file.name for name, file in files.items()}
        self._files = {file.name: file for file in files.values()}

    def url(self, name: str) -> str:
        """The path of a file; it changes whenever the content does."""
        return f"/static/{self._names[name]}"

    async def serve(self, request: Request) -> Response:
        """`/static/{name}`."""
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        headers = {"Cache-Control": _A_YEAR, "Vary": "Accept-Encoding"}
        if zipped:
            headers["Content-Encoding"] = "gzip"
        content = file.compressed if zipped else file.content
        return Response(content, media_type=file.media_type, headers=headers)


def _file(name: str, media_type: str, content: bytes) -> StaticFile:
    stem, _, suffix = name.rpartition(".")
    fingerprint = hashlib.sha256(content).hexdigest()[:12]
    compressed = gzip.compress(content, mtime=0)
    return StaticFile(f"{stem}.{fingerprint}.{suffix}", media_type, content, compressed)
