"""The Python peers' message: Jinja2 templates compiled once, and the standard library's
`EmailMessage`."""

import json
import os
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from email.utils import formataddr, formatdate
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

HOST = "127.0.0.1"
PORT = int(os.environ.get("SINK_PORT", "0"))
FOLDER = Path(os.environ["WORDS"])

_templates = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    auto_reload=False,
)
_about = json.loads((FOLDER / "about.json").read_text(encoding="utf-8"))


def message(values: Mapping[str, str]) -> EmailMessage:
    """One reminder, with the headers that ours have."""
    language = values["language"]
    subject, text, html = (
        _templates.get_template(f"{language}.{part}").render(values)
        for part in ("subject", "text", "html")
    )
    mail = EmailMessage()
    mail["From"] = formataddr((_about["names"][language], _about["sender"]))
    mail["To"] = values["to"]
    mail["Subject"] = subject
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = values["message_id"]
    mail["Auto-Submitted"] = "auto-generated"
    mail["List-Unsubscribe"] = f"<{values['link']}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Content-Language"] = language
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail


def all_values(messages: int) -> Iterator[dict[str, str]]:
    """The values of the first so many messages."""
    with (FOLDER / "messages.jsonl").open(encoding="utf-8") as file:
        for _, line in zip(range(messages), file, strict=False):
            yield json.loads(line)
