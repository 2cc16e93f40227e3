"""Signing what is posted to a webhook, by the Standard Webhooks specification (symmetric, v1)."""

import base64
import hashlib
import hmac
from datetime import datetime


def signed_headers(key: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that say who posts `body`: an id that stays the same when it is posted again, the
    moment of this attempt, and a signature under `key` over all three."""
    moment = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), moment.encode(), body))
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
