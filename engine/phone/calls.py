"""Calls under way: how far each has come, kept in Redis, sealed, for as long as a caller may pause.

Nothing here is the truth of anything: what a caller did stands in the database, and a call whose
state was lost begins anew. No PIN is ever part of it; of a new PIN that is to be entered once more
there is the hash that would be kept of it anyway.

A step is taken once: whoever takes it moves the counter on, and a second copy of the same webhook,
or one that comes too late, finds that the call has moved and is told where it stands.
"""

import json
from collections.abc import Awaitable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, cast

from redis.asyncio import Redis

from engine.i18n import Language
from engine.security.sealing import Sealed, SealError, SecretBox
from engine.security.tokens import derive_tag

PREFIX: Final = "connect:call"
KEPT_SECONDS: Final = 15 * 60
"""Longer than any silence of a caller; a session is over after as long."""

# Compares and sets in one go: of two copies of a webhook one wins.
_MOVE: Final = """
local held = redis.call('HGET', KEYS[1], 'step')
if (held or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'step', ARGV[2], 'key_id', ARGV[3], 'sealed', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""

Standing = Literal["asking", "connecting", "over"]


@dataclass(slots=True)
class Said:
    """A sentence that was said on the way to the present place."""

    prompt: str
    values: dict[str, str]


@dataclass(slots=True)
class Call:
    """One call. `step` counts what was heard; `misses` how often in a row nothing was understood
    here, `refusals` how often nobody was let in."""

    place: str
    step: int = 0
    language: Language | None = None
    standing: Standing = "asking"
    misses: int = 0
    refusals: int = 0
    method: Literal["email", "mail"] = "email"
    number: str = ""
    token: str = field(default="", repr=False)
    proved: bool = False
    chosen: str = field(default="", repr=False)
    changes: int = 0
    said: list[Said] = field(default_factory=list)
    due: str = ""

    def say(self, prompt: str, **values: str) -> None:
        """Say a sentence before whatever comes next."""
        self.said.append(Said(prompt, values))


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls under way."""

    redis: Redis
    box: SecretBox
    key: bytes

    async def find(self, call_id: str) -> Call | None:
        """The call as it stands; None for one that is not known, or is known no more."""
        name = self._name(call_id)
        held = await cast(Awaitable[dict[bytes, bytes]], self.redis.hgetall(name))
        if not held:
            return None
        try:
            sealed = Sealed.from_bytes(held[b"key_id"].decode(), held[b"sealed"])
            return _call(json.loads(self.box.open(sealed, name)))
        except (SealError, ValueError, TypeError, KeyError):
            # Under a key that is gone, or by another version: it begins anew, as if it were lost.
            await self.redis.delete(name)
            return None

    async def move(self, call_id: str, call: Call, came_from: int | None) -> bool:
        """Keep `call`, which was at the step `came_from` (None for a new one) before; whether it
        still was."""
        name = self._name(call_id)
        sealed = self.box.seal(json.dumps(asdict(call)), name)
        expected = "" if came_from is None else str(came_from)
        arguments = (expected, str(call.step), sealed.key_id, sealed.to_bytes(), str(KEPT_SECONDS))
        moved = self.redis.eval(_MOVE, 1, name, *arguments)  # type: ignore[arg-type]  # bytes may be
        return bool(await cast(Any, moved))

    async def forget(self, call_id: str) -> None:
        """Keep nothing of the call any more."""
        await self.redis.delete(self._name(call_id))

    def _name(self, call_id: str) -> str:
        return f"{PREFIX}:{derive_tag(self.key, 'phone.call', call_id, 32)}"


def _call(kept: Mapping[str, Any]) -> Call:
    said = [Said(**sentence) for sentence in kept["said"]]
    return Call(**{**kept, "said": said})
