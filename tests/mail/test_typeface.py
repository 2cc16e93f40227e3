"""The typeface: what it draws, and what it does not."""

import string

from engine.mail.typeface import undrawable_characters


def test_both_languages_are_drawable() -> None:
    """English, Spanish and the marks a letter uses are all there, composed or decomposed."""
    text = string.printable.rstrip() + "áéíóúüñÁÉÍÓÚÜÑ¿¡«»“”‘’–—…·•€ n\u0303 \u00a0"
    assert undrawable_characters(text) == set()


def test_other_scripts_emoji_and_controls_are_not() -> None:
    """What would fail a whole part, or print as nothing, is found one character at a time."""
    assert undrawable_characters("a漢b😀c\x00d\te\u202ef\x85g\ud800") == set(
        "漢😀\x00\t\u202e\x85\ud800"
    )
