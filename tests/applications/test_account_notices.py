"""What the owner of an account is told of it by email, whatever came to pass."""

import re
from datetime import datetime
from typing import Final, Literal

import pytest

from engine.clock import PACIFIC
from engine.communications.catalogue import APPLICANT_ACCOUNT, LANGUAGES, ApplicantAccountFacts
from engine.communications.rendering import Renderer
from engine.i18n import Language
from engine.settings import Agency

HOME: Final = "https://portal.example/"
RENDERER: Final = Renderer(Agency(), HOME)
AT: Final = datetime(2026, 11, 23, 14, 5, tzinfo=PACIFIC)
TOKEN: Final = "T" * 43
What = Literal["confirm", "reset", "password", "locked"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("what", "door", "hours"),
    [("confirm", "apply/confirm", 24), ("reset", "apply/reset", 1), ("password", None, None),
     ("locked", None, None)],
)  # fmt: skip
def test_every_mail_of_an_account_is_whole(
    what: What, door: str | None, hours: int | None, language: Language
) -> None:
    """A subject of its own, the same in text and HTML, one link where one is owed, and no name."""
    facts = ApplicantAccountFacts(
        name="Rosa Peña", what=what, happened_at=AT, token=TOKEN if door else None, hours=hours
    )
    words = RENDERER.email(APPLICANT_ACCOUNT, language, facts, None)
    links = set(re.findall(r"https://portal\.example/\S*[^\s\"<]", words.text))
    assert links == ({f"{HOME}{language}/{door}/{TOKEN}"} if door else set())
    heading = re.search(r"<h1[^>]*>([^<]+)</h1>", words.html)
    assert heading
    assert heading[1] in words.text
    assert "Peña" not in words.subject + words.text + words.html
    others = {
        RENDERER.email(
            APPLICANT_ACCOUNT,
            language,
            facts.model_copy(update={"what": other}),
            None,
        ).subject
        for other in ("confirm", "reset", "password", "locked")
    }
    assert len(others) == 4
    assert words.subject in others
