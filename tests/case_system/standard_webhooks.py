"""What a receiver does with a message, as the reference libraries of Standard Webhooks do it."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)


class ForgedError(Exception):
    """Not ours, or not of now."""


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raise ForgedError unless one of the signatures is of this message, made lately."""
    moment = int(headers["webhook-timestamp"])
    if abs(now.timestamp() - moment) > TOLERANCE.total_seconds():
        raise ForgedError("not of now")
    content = f"{headers['webhook-id']}.{moment}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.new(key, content, hashlib.sha256).digest()
    for versioned in headers["webhook-signature"].split(" "):
        version, _, signature = versioned.partition(",")
        if version == "v1" and hmac.compare_digest(base64.b64decode(signature), expected):
            return
    raise ForgedError("no signature fits")
