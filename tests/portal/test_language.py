"""Which language a page speaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.portal.language import asked_for
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-419,es;q=0.9", "es"),
        ("ES-mx", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("en;q=0.5, es;q=0.7", "es"),
        ("fr-FR,fr;q=0.9,es;q=0.5,en;q=0.4", "es"),
        ("fr", "en"),
        ("*", "en"),
        ("es;q=0", "en"),
        ("*;q=0.1,es;q=0.2", "es"),
        ("es;q=nonsense,en;q=0.1", "en"),
        ("estonian", "en"),
    ],
)
def test_better_liked_language_wins(header: str, language: str) -> None:
    """The language the browser likes better, English when it likes neither more."""
    assert asked_for(header) == language


@given(st.text(max_size=60))
def test_any_header_has_an_answer(header: str) -> None:
    """No header makes a page fail."""
    assert asked_for(header) in {"en", "es"}


async def test_path_goes_before_the_language_last_read(portal: Portal) -> None:
    """A link into Spanish shows Spanish, also to who read English; an error page likewise."""
    browser = portal.browser(**{"Accept-Language": "en"})
    await browser.get("/en/")
    for path in ("/es/forgot-pin", "/es/nowhere"):
        answered = await browser.get(path)
        assert answered.headers["Content-Language"] == "es"
        assert Page(answered.text).all("html", lang="es")
    assert browser.cookies["language"] == "es"
    assert (await browser.get("/nowhere")).headers["Content-Language"] == "es"
