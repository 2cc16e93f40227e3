"""The Idempotency-Key of a request (draft-ietf-httpapi-idempotency-key-header), and carrying a
request out once, however often it comes."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from engine.api.answers import json_answer
from engine.api.doors import Call
from engine.api.problems import (
    IDEMPOTENCY_KEY_MISSING,
    KEY_AT_WORK,
    KEY_REUSED,
    ProblemError,
)
from engine.case_system.kept_answers import (
    Answer,
    OtherRequestError,
    Repeatable,
    StillAtWorkError,
)
from engine.communications.outbox import Transaction
from engine.security.audit import Entry

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
_BARE: Final = "[A-Za-z0-9._~+/=:-]{1,128}"
_QUOTED: Final = r'"([!#-\[\]-~]{1,128})"'
_KEY: Final = re.compile(f"{_QUOTED}|({_BARE})")
PARAMETER: Final[Mapping[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": (
        "A key of your own making for this request, a UUID for one: the same request under the "
        "same key is carried out once, and answered alike each time, for 30 days or as long as "
        "RETENTION__KEPT_ANSWER_DAYS says. Quoted, as the draft has it, or bare."
    ),
    "schema": {"type": "string", "pattern": f"^({_QUOTED}|{_BARE})$"},
    "example": '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
}
_RETRY_SECONDS: Final = 1

Done = tuple[Answer, Entry]
"""What is answered, and what the audit trail says of it."""
Work = Callable[[Transaction], Awaitable[Done]]


async def once(call: Call, given: object, work: Work) -> Response:
    """Carry `work` out in a transaction of its own, unless what was `given` came before under its
    key: then it is answered as it was then. Raises ProblemError for a key that is missing, was
    used for something else, or is being worked on."""
    asked = Repeatable(call.caller.key_id, _key(call.request), _fingerprint(call.request, given))
    answers = call.application.kept_answers
    async with call.application.outbox.transaction() as transaction:
        try:
            known = await answers.known(transaction.connection, asked)
        except StillAtWorkError:
            headers = {"Retry-After": str(_RETRY_SECONDS)}
            raise ProblemError(KEY_AT_WORK, headers=headers) from None
        except OtherRequestError:
            raise ProblemError(KEY_REUSED) from None
        if known is None:
            answer, entry = await work(transaction)
            await answers.keep(transaction.connection, asked, answer)
            await call.application.audit.append(transaction.connection, entry)
        else:
            answer = known
    headers = {} if known is None else {REPLAYED: "true"}
    if answer.location is not None:
        headers["Location"] = answer.location
    return json_answer(answer.body, answer.status, headers)


def _key(request: Request) -> str:
    given = request.headers.getlist(HEADER)
    found = _KEY.fullmatch(given[0].strip()) if len(given) == 1 else None
    if found is None:
        raise ProblemError(IDEMPOTENCY_KEY_MISSING)
    return found[1] or found[2]


def _fingerprint(request: Request, given: object) -> bytes:
    """The same JSON at the same path, in whatever order a caller's library writes its fields."""
    body = json.dumps(given, sort_keys=True, separators=(",", ":"))
    return f"{request.method} {request.url.path}\n{body}".encode()
