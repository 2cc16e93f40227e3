"""Static files: named by their content, so that a browser may keep each for a year."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import fontpkg_public_sans
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from engine.errors import ConnectError

_THEME: Final = Path(__file__).parent / "theme"
_WORN: Final = _THEME / "uswds"
_FONTS: Final = Path(fontpkg_public_sans.__file__).parent / "files"
_A_YEAR: Final = "public, max-age=31536000, immutable"
_DRAWINGS: Final = ("mark.svg", "shelter.svg")
_COLOUR: Final = re.compile(r"--([a-z-]+): (#[0-9a-f]{3,6});")
_NAMED_COLOUR: Final = re.compile(r"var\(--([a-z-]+)\)")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, ready to be served as it is or compressed."""

    name: str
    media_type: str
    content: bytes
    compressed: bytes


class DesignSystemMissingError(ConnectError):
    """The portal does not start without its clothes; its text says how to get them."""


class StaticFiles:
    """The design system, the theme over it, its font, drawings and script, read once."""

    def __init__(self) -> None:
        """Raises DesignSystemMissingError where the design system has not been fetched."""
        self._colours: dict[str, str] = dict(
            _COLOUR.findall((_THEME / "theme.css").read_text(encoding="utf-8"))
        )
        plain = {
            "public-sans.ttf": _file(
                "public-sans.ttf", "font/ttf", (_FONTS / "PublicSans[wght].ttf").read_bytes()
            ),
        }
        plain |= {name: self._drawing(name) for name in _DRAWINGS}
        plain |= _design_system()
        script = (_THEME / "portal.js").read_bytes()
        files = plain | {
            "uswds.css": _styles(_WORN / "uswds.css", plain),
            "theme.css": _styles(_THEME / "theme.css", plain),
            "portal.js": _file("portal.js", "text/javascript", script),
        }
        self._names = {name: file.name for name, file in files.items()}
        self._files = {file.name: file for file in files.values()}

    def url(self, name: str) -> str:
        """The path of a file; it changes whenever the content does."""
        return f"/static/{self._names[name]}"

    def colour(self, name: str) -> str:
        """A colour of the theme, for the places that no style reaches: `#12324f` for `navy`."""
        return self._colours[name]

    def _drawing(self, name: str) -> StaticFile:
        """A drawing of ours in the theme's colours: the styles of a page do not reach into it."""
        drawn = _NAMED_COLOUR.sub(
            lambda found: self.colour(found[1]), (_THEME / name).read_text(encoding="utf-8")
        )
        return _file(name, "image/svg+xml", drawn.encode())

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


def _design_system() -> dict[str, StaticFile]:
    if not (_WORN / "uswds.css").is_file():
        raise DesignSystemMissingError(
            "the portal lacks the U.S. Web Design System: run `make install` in the project"
        )
    return {
        path.name: _file(path.name, "image/svg+xml", path.read_bytes())
        for path in sorted(_WORN.glob("*.svg"))
    }


def _styles(path: Path, files: Mapping[str, StaticFile]) -> StaticFile:
    """A style sheet that names the files it draws on as they are served."""
    styles = path.read_text(encoding="utf-8")
    for name, file in files.items():
        styles = styles.replace(f'url("{name}")', f'url("{file.name}")')
    return _file(path.name, "text/css", styles.encode())


@cache
def _file(name: str, media_type: str, content: bytes) -> StaticFile:
    """Compressed once, however many portals one process puts together."""
    stem, _, suffix = name.rpartition(".")
    fingerprint = hashlib.sha256(content).hexdigest()[:12]
    compressed = gzip.compress(content, mtime=0)
    return StaticFile(f"{stem}.{fingerprint}.{suffix}", media_type, content, compressed)
