"""A page to read the built-in mailbox on. For development only: it shows every message it has."""

from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from engine.stack.mailbox import MailFolder

PER_PAGE: Final = 50
_HEADERS_MOST: Final = 64 * 1024
_SHOWN_FIRST: Final = ("From", "To", "Subject", "Date", "Content-Language", "Message-ID")
_HEADERS: Final = {
    # Messages carry their own styles, and pictures only as data; nothing is fetched, nothing runs.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A message as the list shows it."""

    file: str
    to: str
    subject: str
    language: str
    date: str
    repeats: int


@dataclass(frozen=True, slots=True)
class MailboxPages:
    """The list of messages, newest first, and one message."""

    folder: MailFolder
    environment: Environment

    async def listing(self, request: Request) -> Response:
        """`/?page=N`: fifty messages a page."""
        asked = request.query_params.get("page", "1")
        page = max(int(asked), 1) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1
        files = _newest_first(self.folder.path)
        start = (page - 1) * PER_PAGE
        repeats = self.folder.repeats()
        return self._page(
            "mailbox_list.html",
            lines=[_line(path, repeats) for path in files[start : start + PER_PAGE]],
            total=len(files),
            page=page,
            pages=max(-(-len(files) // PER_PAGE), 1),
        )

    async def message(self, request: Request) -> Response:
        """`/message/NAME`: headers, the text part, and the HTML part in a sandboxed frame."""
        path = self._path(request.path_params["name"])
        if path is None:
            return PlainTextResponse("No such message.\n", 404, headers=_HEADERS)
        message = _parsed(path.read_bytes())
        first = [(name, message[name]) for name in _SHOWN_FIRST if message[name]]
        others = [item for item in message.items() if item[0] not in _SHOWN_FIRST]
        return self._page(
            "mailbox_message.html",
            name=path.name,
            subject=message["Subject"] or "(no subject)",
            headers=[*first, *others],
            text=_part(message, "plain"),
            frame=_part(message, "html"),
        )

    async def source(self, request: Request) -> Response:
        """`/source/NAME`: the message as it came."""
        path = self._path(request.path_params["name"])
        if path is None:
            return PlainTextResponse("No such message.\n", 404, headers=_HEADERS)
        return Response(path.read_bytes(), media_type="text/plain", headers=_HEADERS)

    def _path(self, name: str) -> Path | None:
        """The file of a message; anything but a name we gave ourselves is nobody."""
        stem, dot, suffix = name.partition(".")
        ours = len(stem) == 32 and set(stem) <= set("0123456789abcdef") and dot + suffix == ".eml"
        path = self.folder.path / name
        return path if ours and path.is_file() else None

    def _page(self, template: str, **values: object) -> Response:
        body = self.environment.get_template(template).render(**values)
        return HTMLResponse(body, headers=_HEADERS)


def mailbox_page(folder: Path) -> FastAPI:
    """The pages over the mailbox in `folder`."""
    pages = MailboxPages(
        MailFolder(folder),
        Environment(
            loader=FileSystemLoader(Path(__file__).parent / "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        ),
    )
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.add_route("/", pages.listing)
    app.add_route("/message/{name}", pages.message)
    app.add_route("/source/{name}", pages.source)
    return app


def _newest_first(folder: Path) -> list[Path]:
    def age(path: Path) -> tuple[int, str]:
        return path.stat().st_mtime_ns, path.name

    return sorted(folder.glob("*.eml"), key=age, reverse=True)


def _line(path: Path, repeats: dict[str, int]) -> Line:
    with path.open("rb") as opened:
        message = _parsed(opened.read(_HEADERS_MOST))
    return Line(
        file=path.name,
        to=str(message["X-Envelope-To"] or message["To"] or ""),
        subject=str(message["Subject"] or "(no subject)"),
        language=str(message["Content-Language"] or ""),
        date=str(message["Date"] or ""),
        repeats=repeats.get(path.name, 0),
    )


def _parsed(source: bytes) -> EmailMessage:
    return message_from_bytes(source, policy=default)


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    return None if part is None else str(part.get_content())
