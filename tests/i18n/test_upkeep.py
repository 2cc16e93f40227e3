"""Catalogues kept in step: what is checked, what an update keeps, and that ours are whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from engine.i18n.__main__ import main
from engine.i18n.catalogues import catalogue_path, read_catalogue
from engine.i18n.upkeep import (
    AGENCY_WORDS,
    REVIEW_PENDING,
    catalogue_faults,
    check_catalogues,
    extracted,
    update_catalogue,
)


def test_our_catalogues_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Every string of every template and page is translated, and nothing else is kept."""
    assert check_catalogues() == []
    assert main([]) == 0
    assert capsys.readouterr().out == ""


def test_strings_are_found_where_they_are_used(tmp_path: Path) -> None:
    """Templates and pages are read: calls, translated blocks, plurals."""
    (tmp_path / "page.html").write_text(
        '{{ _("Called") }}{% trans n=2 %}one{% pluralize %}many{% endtrans %}'
    )
    (tmp_path / "page.py").write_text('def page(gettext):\n    return gettext("Coded")\n')
    patterns = [("**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
    found = extracted([(tmp_path, patterns)])
    assert found.get("Called") is not None
    assert found.get("Coded") is not None
    assert found.get("one") is not None


def _whole() -> tuple[Catalog, Catalog]:
    source, spanish = Catalog(fuzzy=False), Catalog(locale="es", fuzzy=False)
    source.add("Hello %(name)s")
    spanish.add("Hello %(name)s", "Hola, %(name)s", user_comments=[REVIEW_PENDING])
    return source, spanish


def _set(**changes: object) -> Callable[[Catalog], None]:
    def change(catalogue: Catalog) -> None:
        message = catalogue.get("Hello %(name)s")
        assert message is not None
        for name, value in changes.items():
            setattr(message, name, value)

    return change


def test_a_whole_catalogue_has_no_faults() -> None:
    """Translated, with its placeholder and its origin, is all that is asked."""
    source, spanish = _whole()
    assert list(catalogue_faults(spanish, source)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_set(string=""), "missing"),
        (_set(flags={"fuzzy"}), "fuzzy"),
        (_set(string="Hola, %(nombre)s"), "placeholders differ"),
        (_set(string="Hola"), "placeholders differ"),
        (_set(string="Hola, <b>%(name)s</b>"), "markup differs"),
        (_set(user_comments=[]), "says not whose translation"),
        (lambda catalogue: catalogue.add("Gone", "Ido", user_comments=[AGENCY_WORDS]), "obsolete"),
    ],
)
def test_each_fault_is_named(change: Callable[[Catalog], object], fault: str) -> None:
    """Whatever is wrong with a catalogue is one line that says what, and with which string."""
    source, spanish = _whole()
    change(spanish)
    (line,) = catalogue_faults(spanish, source)
    assert line.startswith("es: '")
    assert fault in line


def test_an_update_keeps_words_and_drops_what_is_gone(tmp_path: Path) -> None:
    """A translation survives, an unused one goes, a new string stands empty and is counted."""
    path = catalogue_path("es", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(
        f'# {AGENCY_WORDS}\nmsgid "Toll-free"\nmsgstr "Sin cargo"\n\n'
        'msgid "Nobody says this"\nmsgstr "Nadie dice esto"\n'
    )
    waiting = update_catalogue("es", tmp_path)
    catalogue = read_catalogue("es", tmp_path)
    kept, fresh = catalogue.get("Toll-free"), catalogue.get("Your temporary PIN")
    assert kept is not None
    assert (kept.string, kept.user_comments) == ("Sin cargo", [AGENCY_WORDS])
    assert fresh is not None
    assert (fresh.string, fresh.user_comments) == ("", [REVIEW_PENDING])
    assert catalogue.get("Nobody says this") is None
    assert waiting == len(catalogue) - 1


def test_an_update_that_changes_nothing_writes_the_same_bytes(tmp_path: Path) -> None:
    """Running the update again leaves the file as it was, so that a diff shows only words."""
    path = catalogue_path("es", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(catalogue_path("es").read_bytes())
    assert update_catalogue("es", tmp_path) == 0
    assert path.read_bytes() == catalogue_path("es").read_bytes()
