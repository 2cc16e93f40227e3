"""The peers send what we send."""

from datetime import datetime

from jinja2 import Environment

from bench.send.workload import (
    NOTICE,
    Calendar,
    facts_of,
    language_of,
    link_of,
    peers_words,
    values_of,
)
from engine.clock import PACIFIC
from engine.communications.rendering import Renderer
from engine.settings import load_settings

CALENDAR = Calendar.from_tomorrow(datetime(2026, 11, 23, 12, tzinfo=PACIFIC), days=3)


def test_the_peers_templates_say_what_ours_say() -> None:
    """Filled with the values of another message, in either language, they come to the very text
    and HTML that our own templates make of it."""
    settings = load_settings()
    renderer = Renderer(settings.agency, settings.public_url)
    templates = {
        (language, part): words
        for language, part, words in peers_words(renderer, settings, CALENDAR)
    }
    for number in (46, 47):
        language, link = language_of(number), link_of(number, settings)
        ours = renderer.email(NOTICE, language, facts_of(number, CALENDAR), unsubscribe=link)
        values = values_of(number, CALENDAR, settings)
        for part in ("subject", "text", "html"):
            environment = Environment(autoescape=part == "html")  # noqa: S701  as the part needs
            template = environment.from_string(templates[language, part])
            assert template.render(values).strip() == getattr(ours, part).strip()
