"""The addresses of the phone line's webhooks. They hold a counter and nothing of a caller."""

from typing import Final

DOOR: Final = "/phone"
CALL: Final = f"{DOOR}/call"
"""A call comes in."""
STATUS: Final = f"{DOOR}/status"
"""The platform tells that a call is over."""


def step_path(step: int) -> str:
    """Where the answer to step `step` of a call goes."""
    return f"{DOOR}/step/{step}"
