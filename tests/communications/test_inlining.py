"""Styles go into tags once, at load, and Jinja's tags stay where they were."""

import re
from collections.abc import Callable

import pytest

from engine.assets import TEMPLATES
from engine.communications import templates as loading
from engine.communications.catalogue import EMAILS, LANGUAGES
from engine.communications.inlining import InliningError, inlined
from engine.communications.rendering import Renderer
from engine.settings import Agency

_LAYOUT = """<!doctype html>
<html lang="{{ language }}"><head><title>{% if a %}{{ title }}{% endif %}</title>
<style>td { padding: 4px; } .b { color: red; } @media (max-width: 9px) { td { padding: 0; } }
</style></head><body><table><tbody>
{# a remark #}
{% if rows %}
{% for row in rows %}
<tr><td class="{{ 'b' if row > 1 }}">{{ row }} {% trans %}rows & <i>more</i>{% endtrans %}</td></tr>
{% endfor %}
{% endif %}
</tbody></table>{% block words %}<p>nothing</p>{% endblock %}</body></html>"""


def _reader(**sources: str) -> Callable[[str], str]:
    return lambda name: sources[name]


def test_jinja_stays_in_its_table() -> None:
    """Loops and conditions between rows stay there, and every tag comes back as it was."""
    html = inlined("page", _reader(page=_LAYOUT))
    assert re.search(
        r"<tbody>\s*{% if rows %}\s*{% for row in rows %}\s*<tr><td class=\"{{ 'b' if row > 1 }}\" "
        r'style="padding:4px">{{ row }} {% trans %}rows & <i>more</i>{% endtrans %}</td></tr>\s*'
        r"{% endfor %}\s*{% endif %}\s*</tbody>",
        html,
    )
    assert "<title>{% if a %}{{ title }}{% endif %}</title>" in html
    assert "remark" not in html


def test_only_media_rules_stay_in_the_sheet() -> None:
    """What every mail program must see is in the tags; only what some may apply is not."""
    html = inlined("page", _reader(page=_LAYOUT))
    (sheet,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert sheet.strip().startswith("@media")
    assert "red" not in sheet


def test_a_child_fills_its_layout() -> None:
    """Blocks replace the layout's, what is left out keeps its words, and settings go first."""
    child = '{% extends "page" %}{% set title = "T" %}{% block words %}<td>x</td>{% endblock %}'
    filled = child.replace("<td>x</td>", '<p class="b">x</p>')
    html = inlined("child", _reader(page=_LAYOUT, child=filled))
    assert html.startswith('{% set title = "T" %}<!DOCTYPE html>')
    assert '<p class="b" style="color:red">x</p>' in html
    assert "nothing" not in html
    assert "nothing" in inlined("bare", _reader(page=_LAYOUT, bare='{% extends "page" %}'))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<table>{{ lost }}<tbody><tr><td>x</td></tr></tbody></table>", "no place for it"),
        ("<table><tr><td>{{ x }}</td></tr></table>", "no place for it"),
        ('{% extends "page" %}{% block wrods %}x{% endblock %}', "page has no block wrods"),
        ('{% extends "child" %}', "child extends another layout"),
    ],
)
def test_what_would_change_is_refused(source: str, said: str) -> None:
    """A template that HTML would rearrange, or whose blocks fit nowhere, is refused by name."""
    sources = {"page": _LAYOUT, "child": '{% extends "page" %}', "faulty": source}
    with pytest.raises(InliningError, match=rf"faulty: .*{said}"):
        inlined("faulty", _reader(**sources))


def test_inlining_happens_once_per_template(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many messages are rendered, in two languages, each template is inlined once."""
    inlined_names: list[str] = []

    def counting(name: str, read: Callable[[str], str]) -> str:
        inlined_names.append(name)
        return inlined(name, read)

    monkeypatch.setattr(loading, "inlined", counting)
    renderer = Renderer(Agency(), "https://connect.example/")
    for _ in range(3):
        for notice in EMAILS:
            for language in LANGUAGES:
                renderer.email(notice, language, notice.sample, notice.sample_secret)
    assert sorted(inlined_names) == sorted(f"email/{notice.key}/body.html" for notice in EMAILS)


@pytest.mark.parametrize("key", [notice.key for notice in EMAILS])
def test_our_emails_keep_their_tables(key: str) -> None:
    """Inlined, an email has the tables its sources have, each for layout only."""
    layout = (TEMPLATES / "email/layout.html").read_text(encoding="utf-8")
    html = inlined(
        f"email/{key}/body.html", lambda name: (TEMPLATES / name).read_text(encoding="utf-8")
    )
    assert html.count("<table") == layout.count("<table") == html.count('role="presentation"')
    assert html.count("<tbody") == layout.count("<tbody")


def test_a_part_stands_where_it_is_included() -> None:
    """What several emails say stands in one file, and is styled with the rest."""
    sources = {
        "email/x.html": '{% include "email/parts/y.html" %}\n',
        "email/parts/y.html": "<html><head><style>p { color: red }</style></head>"
        "<body><p>y</p></body></html>\n",
    }
    assert '<p style="color:red">y' in inlined("email/x.html", sources.__getitem__)
