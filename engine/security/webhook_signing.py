"""Signing what is posted to a webhook, by the Standard Webhooks specification (symmetric, v1)."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Final

from engine.security.sealed_columns import Personal, SealedColumn

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = 32
"""The specification allows 24 to 64."""

SIGNING_SECRET: Final = SealedColumn(
    "webhook_secret", "sealed", "sealed_key_id", "'webhook_secret:' || {t}.endpoint_id"
)


def signed_headers(*keys: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that say who posts `body`: an id that stays the same when it is posted again, the
    moment of this attempt, and a signature over all three under each of `keys`: whoever holds one
    of them knows it for ours."""
    moment = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), moment.encode(), body))
    digests = [hmac.new(key, content, hashlib.sha256).digest() for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in digests),
    }


def new_secret() -> str:
    """A signing secret as it is handed over: `whsec_` and base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key in a secret that `new_secret` made."""
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)


def sealed_for(endpoint_id: int, secret: str) -> Personal:
    """A secret on its way into its row."""
    return Personal(f"webhook_secret:{endpoint_id}", secret)
