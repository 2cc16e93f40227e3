"""A message taken apart, within bounds: the parts a report may have, and what a person would read.

Whoever can send us mail can send us anything. Only the first LONGEST bytes are looked at, MIME is
followed to a small depth, and what the email package cannot parse is read as plain text.
"""

import base64
import binascii
import email
import html
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from itertools import islice
from typing import Final

LONGEST: Final = 1 << 18
_PROSE: Final = 12_000
_LINE: Final = 998
_DEPTH: Final = 6
_PARTS: Final = 60
_BOUNDARIES: Final = 60
_DELIMITERS: Final = 2000

Fields = dict[str, str]
"""Header fields by their name in lower case; of one that is repeated, the first."""


@dataclass(slots=True)
class Letter:
    """A message: its header fields, the prose in front of what it returns, and its reports."""

    headers: Fields
    content_type: str = "text/plain"
    report_type: str = ""
    prose: str = ""
    statuses: list[Fields] = field(default_factory=list)
    feedback: Fields | None = None
    disposition: Fields | None = None
    returned: Fields | None = None
    quotes: bool = False
    """Whether somebody's lines were quoted with `>`."""

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return self.headers.get("subject", "")

    @property
    def sender(self) -> str:
        """The address in From, in lower case, or what stands there instead of one."""
        return mailbox(self.headers.get("from", "")).lower()


# Where the prose ends and what was sent begins, as mail servers announce it.
_RETURNED: Final = re.compile(
    r"""^[ \t>*|#]*(?:
        -+\s*(?:below\ this|this\ is\ a\ copy|original\ message|returned\ m|start\ of\ returned|
            the\ header|message\ header|message\ text\ f|unsent\ message|header\ of\ the|
            undelivered\ message|forwarded\ message|mensaje\ original|message\ d'origine|
            original-?nachricht|below\ the\ next|attachment\ is\ a\ copy|your\ message\ f|
            included\ is\ a|urspr.{1,4}ngliche\ nachricht|messaggio\ originale|
            mensagem\ original|here\ is\ a\ copy|the\ body\ of|a\ copy\ of\ the|
            texte\ du\ message|copy\ of\ your|das\ ist\ eine\ kopie)
        |original\ message\ (?:follows|headers|as\ received|attached)
        |the\ original\ message\ (?:follows|was\ as)
        |(?:a|included\ is\ a|here\ is\ a|this\ is\ a|below\ is\ a)\ copy\ of\ (?:the|your)
        |(?:here\ is|here\ follows|below\ is)\ (?:the|your)\ (?:returned|original)
        |message\ headers?\ (?:follows?|:)
        |(?:headers?|contents?)\ of\ (?:the\ )?original\ message
        |original\ message\ (?:details|header)
        |your\ message\ reads
        |the\ first\ \d+\ lines
        |(?:return-path|received|x-envelope-from|delivered-to)\ ?:\s
    )""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_FIELD: Final = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:[ \t]*(.*)$")
_COMMENT: Final = re.compile(r"\([^()]{0,500}\)")
_ANGLED: Final = re.compile(r"<([^<>]{0,1000})>")
_STYLE: Final = re.compile(r"<(/?)(?:style|script)\b[^<>]{0,500}>", re.IGNORECASE)
_MARKUP: Final = re.compile(r"</?[a-z!][^<>@]{0,2000}>", re.IGNORECASE)
_BREAK: Final = re.compile(r"<(?:br|/p|/div|/tr|/h\d|/li)\b[^<>]{0,200}>", re.IGNORECASE)
_QUOTED: Final = re.compile(r"^\s{0,3}[>|](?!.*@\S+\s*$)", re.MULTILINE)
_STATUS_FIELDS: Final = ("final-recipient", "action", "status", "original-recipient")


def read(message: bytes) -> Letter:
    """Take a message apart. Any bytes at all make some letter; nothing is raised."""
    parsed = _parsed(message[:LONGEST].lstrip(b"\r\n"))
    letter = Letter(fields_of(parsed), parsed.get_content_type(), _parameter(parsed, "report-type"))
    plain: list[str] = []
    marked_up: list[str] = []
    for part in _parts(parsed):
        _sort(part, letter, plain, marked_up)
    text = "\n".join(plain)
    if not any(character.isalpha() for character in text):
        text = "\n".join(_without_markup(part) for part in marked_up)
    _cut(text, letter)
    return letter


def mailbox(field: str) -> str:
    """The bare address of an address field (RFC 5322, 3.4), or what stands there instead."""
    field = _COMMENT.sub(" ", field)
    angled = _ANGLED.search(field)
    return (angled[1] if angled else field).strip("'\" \t;,").replace('"', "").replace("\\", "")


def fields_of(message: Message) -> Fields:
    """Its header fields, decoded."""
    found: Fields = {}
    for name, value in islice(message.raw_items(), 400):
        found.setdefault(name.lower(), _decoded(_utf_8(str(value)[:4000])))
    return found


def fields_in(text: str) -> Fields:
    """The `Name: value` lines of a text, with their continuations, up to an empty line."""
    found: Fields = {}
    name = ""
    for line in text.splitlines()[:400]:
        if match := _FIELD.match(line):
            name = match[1].lower()
            found.setdefault(name, match[2].strip())
        elif name and line[:1] in {" ", "\t"}:
            found[name] = f"{found[name]} {line.strip()}"[:4000]
        elif not line.strip() and found:
            break
    return found


def _parsed(message: bytes) -> Message:
    lower = message.lower()
    nesting = lower.count(b"boundary") + lower.count(b"message/rfc822")
    if nesting < _BOUNDARIES and message.count(b"\n--") < _DELIMITERS:
        try:
            return email.message_from_bytes(message)
        except (MessageError, RecursionError, ValueError, TypeError, LookupError, AssertionError):
            pass
    try:
        flat = BytesHeaderParser().parsebytes(message)
    except (MessageError, ValueError, TypeError, LookupError):
        flat = Message()
    if "content-type" in flat:
        flat.replace_header("content-type", "text/plain")
    return flat


def _parts(message: Message, depth: int = 0) -> Iterator[Message]:
    """The leaves in order; what is returned, and the blocks of a report, each as one."""
    payload = message.get_payload()
    if message.get_content_maintype() != "multipart" or not isinstance(payload, list):
        yield message
        return
    if depth < _DEPTH:
        for part in payload[:_PARTS]:
            if isinstance(part, Message):
                yield from _parts(part, depth + 1)


def _sort(part: Message, letter: Letter, plain: list[str], marked_up: list[str]) -> None:
    match part.get_content_type():
        case "message/delivery-status" | "message/global-delivery-status":
            letter.statuses.extend(_blocks(part))
        case "message/feedback-report":
            letter.feedback = letter.feedback or _merged(_blocks(part))
        case "message/disposition-notification" | "message/global-disposition-notification":
            letter.disposition = letter.disposition or _merged(_blocks(part))
        case "message/rfc822" | "message/global" | "message/news":
            if letter.returned is None:
                _open(part, letter, plain)
        case "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers":
            letter.returned = letter.returned or fields_in(_text(part))
        case _ if letter.returned is not None or letter.statuses:
            # Prose stands in front of the report; what comes after it is returned.
            return
        case "text/html":
            marked_up.append(_text(part))
        case kind if kind.startswith("text/"):
            plain.append(_text(part))


def _blocks(part: Message) -> list[Fields]:
    """The groups of fields of a report, however it was encoded or attached."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return _groups(_text(part))
    inner = [block for block in payload[:200] if isinstance(block, Message)]
    blocks = [fields for block in inner if (fields := fields_of(block))]
    if any(block.keys() & set(_STATUS_FIELDS) for block in blocks):
        return blocks
    rest = "\n".join(str(block.get_payload()) for block in inner[:3])
    return blocks + _groups(_unencoded(part, rest))


def _groups(text: str) -> list[Fields]:
    return [found for group in re.split(r"\n\s*\n", text) if (found := fields_in(group))]


def _unencoded(part: Message, text: str) -> str:
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    raw = text.encode("utf-8", "replace")
    try:
        if encoding == "base64":
            raw = base64.b64decode(re.sub(rb"[^A-Za-z0-9+/=]", b"", raw))
        elif encoding == "quoted-printable":
            raw = quopri.decodestring(raw)
    except (binascii.Error, ValueError):
        return text
    return raw.decode("utf-8", "replace").replace("\r\n", "\n")


def _merged(blocks: list[Fields]) -> Fields:
    found: Fields = {}
    for block in blocks:
        for name, value in block.items():
            found.setdefault(name, value)
    return found


def _open(part: Message, letter: Letter, plain: list[str]) -> None:
    """What is returned; or the report itself, which a scanner on the way has wrapped whole."""
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    if isinstance(inner, Message) and inner.get("from") == letter.headers.get("from"):
        leaves = list(_parts(inner))
        if any(leaf.get_content_type() == "message/delivery-status" for leaf in leaves):
            for leaf in leaves:
                _sort(leaf, letter, plain, [])
            return
    letter.returned = _returned_whole(part)


def _returned_whole(part: Message) -> Fields:
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        return fields_of(payload[0])
    return fields_in(_text(part))


def _text(part: Message) -> str:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AssertionError):
        payload = None
    if not isinstance(payload, bytes):
        payload = str(part.get_payload()).encode("utf-8", "replace")
    payload = payload[: 4 * _PROSE]
    for charset in (_parameter(part, "charset"), "utf-8"):
        try:
            return payload.decode(charset or "utf-8")
        except (LookupError, ValueError):
            continue
    return payload.decode("latin-1")


def _parameter(part: Message, name: str) -> str:
    try:
        value = part.get_param(name, "")
    except (ValueError, LookupError, TypeError, IndexError, AttributeError):
        return ""
    return str(value[2] if isinstance(value, tuple) else value).strip().lower()


def _utf_8(value: str) -> str:
    """Bytes beyond ASCII, which the parser has kept as they were, taken for UTF-8 (RFC 6532)."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _decoded(value: str) -> str:
    if "=?" not in value:
        return " ".join(value.split())
    try:
        pieces = [
            piece.decode(charset or "ascii", "replace") if isinstance(piece, bytes) else piece
            for piece, charset in decode_header(value)
        ]
    except (MessageError, LookupError, ValueError, binascii.Error):
        return " ".join(value.split())
    return " ".join("".join(pieces).split())


def _without_markup(text: str) -> str:
    pieces = _STYLE.split(text)
    # Text and slashes by turns: what follows an opening tag is for machines.
    seen = [
        pieces[0],
        *(piece for slash, piece in zip(pieces[1::2], pieces[2::2], strict=True) if slash),
    ]
    text = _BREAK.sub("\n", " ".join(seen))
    return html.unescape(_MARKUP.sub(" ", text)).replace("\xa0", " ")


def _cut(text: str, letter: Letter) -> None:
    """The prose is what stands in front of the returned message, without lines quoted by `>`."""
    text = "\n".join(line[:_LINE] for line in text[: 4 * _PROSE].splitlines())
    if marker := _RETURNED.search(text):
        if letter.returned is None:
            letter.returned = _fields_after(text[marker.start() :])
        text = text[: marker.start()]
    if not letter.statuses:
        letter.statuses = _statuses_in(text)
    letter.quotes = bool(_QUOTED.search(text))
    letter.prose = text[:_PROSE]


def _fields_after(text: str) -> Fields:
    lines = text.splitlines()[:120]
    found: Fields = {}
    for index, line in enumerate(lines):
        if _FIELD.match(line.lstrip("> ")):
            for name, value in fields_in("\n".join(lines[index:]).replace("\n> ", "\n")).items():
                found.setdefault(name, value)
            if "message-id" in found:
                break
    return found


def _statuses_in(text: str) -> list[Fields]:
    """The groups of a delivery report whose type was lost on the way."""
    return [group for group in _groups(text) if {"final-recipient", "action"} <= group.keys()]
