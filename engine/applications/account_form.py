"""What somebody types who wants an account: read within bounds, and every fault found at once."""

import asyncio
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.applications.accounts import Registration
from engine.caseload.cells import EMAIL
from engine.security.passwords import fault, normalised

NAME_MOST: Final = 100
USERNAME_FEWEST: Final = 4
USERNAME_MOST: Final = 64
_MARKS: Final = "._-"


@dataclass(frozen=True, slots=True)
class AccountForm:
    """The form as it was typed."""

    typed: Mapping[str, str]

    async def read(self, context: Iterable[str]) -> tuple[Registration | None, dict[str, str]]:
        """What it says, or field → what is wrong with it. `context` are the names of the service,
        which no password is made of."""
        email = read_email(self.typed.get("email", ""))
        password = normalised(self.typed.get("password", ""))
        form = Registration(
            first_name=_one_line(self.typed.get("first_name", "")),
            last_name=_one_line(self.typed.get("last_name", "")),
            username=self.typed.get("username", "").strip(),
            email=email or "",
            password=password,
        )
        expected = (*context, form.first_name, form.last_name, form.username, form.email)
        faults = self._faults(form)
        wrong = await asyncio.to_thread(
            fault, password, [each.partition("@")[0] for each in expected]
        )
        if wrong is not None:
            faults["password"] = wrong
        return (None if faults else form), faults

    def _faults(self, form: Registration) -> dict[str, str]:
        faults: dict[str, str] = {}
        for name, value in (("first_name", form.first_name), ("last_name", form.last_name)):
            if not value:
                faults[name] = f"{name}_missing"
            elif not _readable(value, NAME_MOST):
                faults[name] = f"{name}_unreadable"
        if not form.email:
            given = self.typed.get("email", "").strip()
            faults["email"] = "email_wrong" if given else "email_missing"
        if (wrong := username_fault(form.username)) is not None:
            faults["username"] = wrong
        return faults


def read_email(typed: str) -> str | None:
    """An email address as it is kept; None where it is none."""
    read = EMAIL.read(typed.strip()) if typed.strip() else None
    return read if isinstance(read, str) else None


def username_fault(username: str) -> str | None:
    """What is wrong with a username. One with an @ could be another's email address."""
    if not username:
        return "username_missing"
    if not USERNAME_FEWEST <= len(username) <= USERNAME_MOST:
        return "username_length"
    if not all(mark.isalnum() or mark in _MARKS for mark in username):
        return "username_marks"
    return None


def _one_line(typed: str) -> str:
    return " ".join(typed.split(" ")).strip()


def _readable(value: str, most: int) -> bool:
    unfit = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
    return len(value) <= most and not any(unicodedata.category(mark) in unfit for mark in value)
