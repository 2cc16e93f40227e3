"""Which recipients a notice speaks of in prose, and which of its lines are about whom."""

import re
from typing import Final

# RFC 5321, 4.1.2, a dot-string: what we send to is ASCII, and what prose wraps it in is cut off.
_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}"
_DOMAIN: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?"

_ANYWHERE: Final = re.compile(rf"(?<![A-Za-z0-9!#$%&*+/=?^_`{{|}}~.-])({_LOCAL}@{_DOMAIN})")
_HEADING: Final = re.compile(
    r"^[ \t*>-]{0,8}(?:(?:failed )?(?:recipient|address|user)[^\n<@]{0,20}[: ]\s?)?"
    rf"[\[<(\"']{{0,2}}(?:SMTP:|mailto:)?({_LOCAL}@{_DOMAIN})"
    r"[\]>)\"']{0,2}(?=[:;, \t]|\.{1,3}|\s*$)",
    re.MULTILINE,
)
_SERVICE: Final = re.compile(r"(?:postmaster|mailer-daemon|abuse|support|help)@", re.IGNORECASE)
_SECTIONS: Final = 40


def sections(prose: str) -> dict[str, str]:
    """The lines about each recipient, where the prose takes them one by one."""
    found = list(_HEADING.finditer(prose))[:_SECTIONS]
    ends = [*(match.start() for match in found[1:]), len(prose)]
    about: dict[str, str] = {}
    for match, end in zip(found, ends, strict=False):
        about[match[1]] = about.get(match[1], "") + prose[match.start() : end]
    return about


def first_named(prose: str, ours: str) -> str | None:
    """The first address of the prose that is no service's and does not stand in `ours`."""
    for match in _ANYWHERE.finditer(prose):
        if match[1].lower() not in ours and not _SERVICE.match(match[1]):
            return match[1]
    return None
