"""The two ways in: by PIN into the portal, by username and password into the application site.

What was opened at one of them is worth nothing at the other: each has sessions and a cookie of its
own.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Door:
    """One of them: where its pages begin, and the name of the cookie that holds its session."""

    prefix: str
    cookie: str
    sign_in: str
    home: str

    @property
    def session_ended(self) -> str:
        """What is shown when a session is over."""
        return f"{self.prefix}/session-ended"

    @property
    def keep_session(self) -> str:
        """Where a page says that its reader is still there."""
        return f"{self.prefix}/session/keep"

    @property
    def log_out(self) -> str:
        """Where a session is ended by its reader."""
        return f"{self.prefix}/log-out"


PORTAL: Final = Door("", "session", "/login", "/home")
APPLICATION_SITE: Final = Door("/apply", "applicant", "/apply/sign-in", "/apply/home")


def door_of(path: str) -> Door:
    """The door of a page, by its path without the language."""
    first = path.split("/", 2)[1]
    return APPLICATION_SITE if f"/{first}" == APPLICATION_SITE.prefix else PORTAL
