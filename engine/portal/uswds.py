"""`python -m engine.portal.uswds`: take what the portal wears of the U.S. Web Design System.

npm has put the design system into node_modules/; of its style sheet the rules of the components
that our pages use are kept, with the drawings they name. What is taken is not committed: `make
install` takes it anew.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import tinycss2

WORN: Final = Path(__file__).parent / "theme" / "uswds"
"""Where it is put, and where the portal reads it."""
COMPONENTS: Final = (
    "alert", "banner", "breadcrumb", "button", "checkbox", "error-message", "fieldset", "focus",
    "form", "form-group", "hint", "input", "input-group", "label", "legend", "link", "modal",
    "pagination", "radio", "select", "sidenav", "skipnav", "sr-only", "step-indicator",
    "summary-box", "table", "tag", "textarea",
)  # fmt: skip
_FACES: Final = ("Source Sans Pro Web", "Merriweather Web")
"""The design system's own choice of type; ours is set in the face that letters are set in."""
_DIST: Final = Path("node_modules/@uswds/uswds/dist")
# A comma within parentheses belongs to :not(), :is() or :where().
_BETWEEN_SELECTORS: Final = re.compile(r",(?![^(]*\))")
_CLASS: Final = re.compile(r"\.(-?[_a-zA-Z][\w-]*)")
_DRAWING: Final = re.compile(r"url\(\"?\.\./img/([\w./-]+\.(?:svg|png|webp))\"?\)")


def worn(styles: str) -> str:
    """Of the design system's style sheet, the rules that pages of ours may meet."""
    return "".join(_kept(tinycss2.parse_stylesheet(styles, skip_comments=True)))


def main() -> None:
    """Fill `WORN`, in place of what was there; exit status 1 where npm has not been run."""
    source = _DIST / "css" / "uswds.min.css"
    if not source.is_file():
        sys.exit(f"{source} is not there: run `make install`, or `npm ci` in this folder")
    styles = worn(source.read_text(encoding="utf-8"))
    for face in _FACES:
        styles = styles.replace(face, "Public Sans")
    drawings = sorted(set(_DRAWING.findall(styles)))
    styles = _DRAWING.sub(lambda found: f'url("{flat(found[1])}")', styles)
    WORN.mkdir(parents=True, exist_ok=True)
    for old in WORN.iterdir():
        old.unlink()
    for name in drawings:
        (WORN / flat(name)).write_bytes((_DIST / "img" / name).read_bytes())
    (WORN / "uswds.css").write_text(styles, encoding="utf-8")
    sys.stdout.write(
        f"the portal wears {len(styles) // 1024} kB of the design system's "
        f"{source.stat().st_size // 1024}, and {len(drawings)} drawings\n"
    )


def flat(name: str) -> str:
    """The name that a drawing is kept under: folders become part of it."""
    return name.replace("/", "-")


def _kept(rules: Sequence[Any]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [
                selector
                for selector in _BETWEEN_SELECTORS.split(tinycss2.serialize(rule.prelude))
                if _is_worn(selector)
            ]
            if selectors:
                yield f"{','.join(selectors)}{{{tinycss2.serialize(rule.content)}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in {"media", "supports"}:
            inner = "".join(_kept(tinycss2.parse_rule_list(rule.content, skip_comments=True)))
            if inner:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}"


def _is_worn(selector: str) -> bool:
    """Whether every class in it is of a component that our pages use."""
    classes = _CLASS.findall(selector)
    return bool(classes) and all(
        name.startswith("usa-")
        and any(
            name.removeprefix("usa-").startswith((component + "__", component + "--"))
            or name == f"usa-{component}"
            for component in COMPONENTS
        )
        for name in classes
    )


if __name__ == "__main__":
    main()
