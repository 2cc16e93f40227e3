"""How the portal's templates are made of each other."""

import re
from typing import Final

from jinja2 import Environment, meta

from engine.portal.layout import Layout
from engine.portal.statics import StaticFiles
from engine.settings import Settings

IMPORTS: Final = re.compile(r'\{%\s*(?:from|import) "([^"]+)"[^%]*?( with context)?\s*%\}')


def test_a_template_is_told_of_the_page_only_where_it_asks() -> None:
    """What is brought in with the page's context is carried out anew for each page, so only what
    says something of the page is; and what does is not brought in without it."""
    environment = Layout.of(Settings(), StaticFiles()).environments["en"]
    words = {name: written(environment, name) for name in environment.list_templates(["html"])}
    asks = {
        name
        for name, source in words.items()
        if meta.find_undeclared_variables(environment.parse(source)) - environment.globals.keys()
    }
    while (
        more := {
            name
            for name, source in words.items()
            if any(told and part in asks for part, told in IMPORTS.findall(source))
        }
        - asks
    ):
        asks |= more
    wrong = [
        (name, part)
        for name, source in words.items()
        for part, told in IMPORTS.findall(source)
        if bool(told) is not (part in asks)
    ]
    assert wrong == []


def written(environment: Environment, name: str) -> str:
    """A template as it stands in its file."""
    assert environment.loader
    return environment.loader.get_source(environment, name)[0]
