"""Whoever gets a message can tell that it is ours, by a specification that has libraries."""

import base64
from datetime import UTC, datetime

from engine.security.webhook_signing import signed_headers


def test_the_example_of_the_specification() -> None:
    """The id, moment, body and key that Standard Webhooks' own libraries are tested with."""
    headers = signed_headers(
        base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
