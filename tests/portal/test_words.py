"""The words of faults and errors, and that both languages have them."""

from typing import get_args

import pytest

from engine.i18n import Language
from engine.portal.error_pages import WORDED
from engine.portal.forms import FIELDS, Fault, PinRequestForm
from engine.portal.layout import Layout
from engine.portal.pages.front import FORGOT_PIN
from engine.portal.statics import StaticFiles
from engine.settings import Settings
from tests.portal.page_reader import Page


@pytest.fixture(scope="module")
def layout() -> Layout:
    """Pages without a server behind them."""
    return Layout.of(Settings(), StaticFiles())


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_has_words(layout: Layout, language: Language, fault: Fault) -> None:
    """Whatever can be wrong with the form is said in the reader's language."""
    response = layout.page(
        language,
        "forgot_pin.html",
        FORGOT_PIN,
        form=PinRequestForm(),
        faults={"": fault} if fault is Fault.FORM_EXPIRED else dict.fromkeys(FIELDS, fault),
        form_field="token",
        form_token="x",
    )
    page = Page(bytes(response.body).decode())
    assert page.all("div", role="alert")
    assert ("Hay un problema" in page.words) == (language == "es")


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("status", sorted(WORDED))
def test_every_error_has_words(layout: Layout, language: Language, status: int) -> None:
    """Each error page names what happened and leads on."""
    response = layout.page(language, "error.html", "/", status, worded=status)
    page = Page(bytes(response.body).decode())
    assert page.all("h1")
    assert page.all("a", href=f"/{language}/")
    assert page.all("a", class_="language", href=f"/{'en' if language == 'es' else 'es'}/")
