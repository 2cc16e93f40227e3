"""What can go wrong at the machine API, as problem details (RFC 9457).

A problem names the field that it is about by a JSON Pointer (RFC 6901), and repeats no value that
was sent: it may be somebody's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"
FAULTS_MOST: Final = 1_000
"""So many faults of one request are named, and the others counted."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem. Its `type` never changes, and leads to what it means."""

    name: str
    status: int
    title: str
    meaning: str

    @property
    def type(self) -> str:
        """The URI reference that identifies it."""
        return f"/api/v1/problems#{self.name}"


BODY_UNREADABLE: Final = ProblemKind(
    "body-unreadable",
    400,
    "The body is not JSON as we read it",
    "It is not UTF-8 or not JSON, names a field twice, is nested too deep, or holds NaN.",
)
IDEMPOTENCY_KEY_MISSING: Final = ProblemKind(
    "idempotency-key-missing",
    400,
    "An Idempotency-Key is needed",
    "What records something comes under a key of the caller's, so that nobody is told twice when a "
    "request is sent again. The header is missing, stands there twice, or cannot be read.",
)
KEY_MISSING: Final = ProblemKind(
    "key-missing",
    401,
    "No API key was shown",
    "Send the header Authorization: Bearer and the token that `connect api-key create` showed.",
)
KEY_UNKNOWN: Final = ProblemKind(
    "key-unknown",
    401,
    "This API key is not good",
    "The token is none of ours, has ended, or was revoked.",
)
SCOPE_MISSING: Final = ProblemKind(
    "scope-missing",
    403,
    "This API key is not for that",
    "The header WWW-Authenticate names the scope that is needed; `connect api-key create` gives "
    "it to a new key.",
)
RECORDED_ELSEWHERE: Final = ProblemKind(
    "recorded-elsewhere",
    403,
    "It was not recorded by this API",
    "Only what was recorded here is cancelled here.",
)
NOT_FOUND: Final = ProblemKind(
    "not-found", 404, "There is no such thing", "Nothing stands at this path, or under this id."
)
METHOD_NOT_ALLOWED: Final = ProblemKind(
    "method-not-allowed", 405, "Not by this method", "The header Allow names those there are."
)
BODY_LATE: Final = ProblemKind(
    "body-late", 408, "The body did not come", "It was waited for ten seconds. Send it again."
)
KEY_REUSED: Final = ProblemKind(
    "idempotency-key-reused",
    409,
    "The Idempotency-Key was used for something else",
    "The same key came before with another body, or at another path. Nothing was done.",
)
KEY_AT_WORK: Final = ProblemKind(
    "idempotency-key-at-work",
    409,
    "The same request is being worked on",
    "A request under the same key has not been answered yet. Send it again after Retry-After.",
)
HAS_LEFT: Final = ProblemKind(
    "has-left",
    409,
    "It has left",
    "It was sent, shown or mailed, or lies in a print batch that is on its way: it cannot be "
    "cancelled any more.",
)
BEING_SENT: Final = ProblemKind(
    "being-sent",
    409,
    "It is being sent at this moment",
    "Ask again after Retry-After: by then it has left, or may be cancelled.",
)
WEBHOOKS_FULL: Final = ProblemKind(
    "webhooks-full",
    409,
    "There are as many webhooks as there may be",
    "Remove one that is not needed any more.",
)
CURSOR_GONE: Final = ProblemKind(
    "cursor-gone",
    410,
    "Events after this cursor are not kept any more",
    "Read from the oldest that is kept, without a cursor, and ask for the communications that were "
    "waited for: each says how it stands.",
)
TOO_LARGE: Final = ProblemKind(
    "too-large", 413, "The body is too large", "Send less at once; nothing of it was read."
)
NOT_JSON: Final = ProblemKind(
    "not-json", 415, "The body must be application/json", "The header Content-Type says otherwise."
)
INVALID: Final = ProblemKind(
    "invalid",
    422,
    "Something in the request cannot be used",
    "`errors` names each field and says what is wrong with it. Nothing was recorded.",
)
TOO_MANY: Final = ProblemKind(
    "too-many", 429, "Too many requests", "Ask again after Retry-After; RateLimit says how many go."
)
OUR_FAULT: Final = ProblemKind(
    "our-fault",
    500,
    "Something went wrong here",
    "It was not the request's fault. Send it again under the same Idempotency-Key.",
)
AWAY: Final = ProblemKind(
    "away",
    503,
    "Not at this moment",
    "The database is being restarted. Send it again, after Retry-After, under the same key.",
)

KINDS: Final[tuple[ProblemKind, ...]] = (
    BODY_UNREADABLE,
    IDEMPOTENCY_KEY_MISSING,
    KEY_MISSING,
    KEY_UNKNOWN,
    SCOPE_MISSING,
    RECORDED_ELSEWHERE,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    BODY_LATE,
    KEY_REUSED,
    KEY_AT_WORK,
    HAS_LEFT,
    BEING_SENT,
    WEBHOOKS_FULL,
    CURSOR_GONE,
    TOO_LARGE,
    NOT_JSON,
    INVALID,
    TOO_MANY,
    OUR_FAULT,
    AWAY,
)
"""Every kind there is, by its status."""
BY_STATUS: Final[Mapping[int, ProblemKind]] = {
    kind.status: kind
    for kind in (
        *(BODY_UNREADABLE, KEY_MISSING, SCOPE_MISSING, NOT_FOUND, METHOD_NOT_ALLOWED, BODY_LATE),
        *(TOO_LARGE, NOT_JSON, INVALID, TOO_MANY, OUR_FAULT, AWAY),
    )
}
"""What a bare status means, where whoever refused had no more to say."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field: where it is, as the parts of a JSON Pointer, and why."""

    path: tuple[str | int, ...]
    why: str

    @property
    def pointer(self) -> str:
        """The JSON Pointer, as a fragment of a URI (RFC 6901, 6)."""
        escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in self.path)
        return "#" + "".join(f"/{part}" for part in escaped)


class ProblemError(Exception):
    """A request is refused; its text is fit to be answered."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str | None = None,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.detail = detail
        self.faults = faults
        self.headers = dict(headers or {})

    def answer(self) -> Response:
        """The problem, as it is answered."""
        told: dict[str, object] = {
            "type": self.kind.type,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail or self.kind.meaning,
        }
        if self.faults:
            some = self.faults[:FAULTS_MOST]
            told["errors"] = [{"pointer": each.pointer, "detail": each.why} for each in some]
            told["errors_in_all"] = len(self.faults)
        return Response(
            json.dumps(told), self.kind.status, headers=self.headers, media_type=MEDIA_TYPE
        )
