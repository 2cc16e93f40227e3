"""Why a message came back, by the words of its server: `reasons.txt` is the table."""

import re
from functools import lru_cache
from typing import Final

from engine.email.bounces.phrases import folded, sections
from engine.email.bounces.verdict import Why

_LOOKED_AT: Final = 4000

_ADDRESS: Final = re.compile(r"<?[^\s<>@,;:\"'()]{1,100}@[^\s<>@,;:\"'()\]]{1,255}>?")
_HOST: Final = re.compile(
    r"\b[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,7}\.[a-z]{2,24}(?=[\s\[\]():;,\"'>]|\.?$|\.\s)"
    r"(?:\s?[\[(](?:\d{1,3}\.){3}\d{1,3}(?::\d+)?[\])])?"
)
# Error names of Exchange, and a page of Proofpoint's: they look like hosts, and say why.
_SAYING: Final = re.compile(r"^(?:resolver|smtp|queue|routing|store|adr)\.|proofpoint\.com")

# Lines by which a notice tells which message it is about: their words are the message's own.
_HEADER: Final = re.compile(
    r"^[ \t]*(?:to|cc|subject|sent|date|from|message-id|betreff|objet|asunto|oggetto|assunto)"
    r"[ \t]*:.*$",
    re.IGNORECASE | re.MULTILINE,
)


def reason(text: str) -> Why | None:
    """Why a message came back, by the words of its server; None where they say nothing."""
    return _reason(_bare(text[:_LOOKED_AT]))


@lru_cache(maxsize=512)
def _reason(text: str) -> Why | None:
    return next((Why(why) for why, said in sections("reasons") if said.search(text)), None)


def _bare(text: str) -> str:
    """Folded, without the names of people and hosts, which are made of words too."""
    without = _ADDRESS.sub("@", folded(_HEADER.sub("", text)))
    return _HOST.sub(lambda found: found[0] if _SAYING.search(found[0]) else "xhost", without)
