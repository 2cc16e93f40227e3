"""Static files, and what pages may load."""

import gzip
import re
from pathlib import Path

from engine.portal import statics
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal

THEME = Path(statics.__file__).parent / "theme"
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)a?\(")
LARGEST_PAGE_BYTES = 150_000
"""What the first visit may weigh in all, compressed, with every drawing that a style names."""


async def test_first_visit_is_light_and_kept_for_a_year(portal: Portal) -> None:
    """Every file a page loads is named by its content, may be kept for a year, and is small."""
    browser = portal.browser(**{"Accept-Encoding": "gzip"})
    page = Page((await browser.get("/en/forgot-pin")).text)
    urls = {
        element.attributes.get("href", element.attributes.get("src", ""))
        for element in [*page.all("link"), *page.all("img"), *page.all("script")]
    }
    files = {url for url in urls if url.startswith("/static/")}
    for url in [url for url in files if url.endswith(".css")]:
        styles = await browser.get(url)
        files |= {f"/static/{name}" for name in re.findall(r'url\("([^"]+)"\)', styles.text)}
    weight = 0
    for url in files:
        answered = await browser.get(url)
        assert answered.status_code == 200
        assert "immutable" in answered.headers["Cache-Control"]
        assert re.search(r"\.[0-9a-f]{12}\.", url)
        weight += int(answered.headers["Content-Length"])
    assert len(files) > 5
    assert weight < LARGEST_PAGE_BYTES


async def test_old_browsers_get_plain_files(portal: Portal) -> None:
    """A browser that cannot unzip gets the same bytes unzipped."""
    browser = portal.browser()
    page = Page((await browser.get("/en/")).text)
    url = page.all("link", rel="stylesheet")[0].attributes["href"]
    plain = await browser.get(url, headers={"Accept-Encoding": "identity"})
    zipped = await browser.get(url, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert plain.content == zipped.content
    assert len(gzip.compress(plain.content)) < len(plain.content)


async def test_unknown_files_are_not_found(portal: Portal) -> None:
    """No name reaches the file system."""
    for name in ("theme.css", "..%2fapp.py", "%00"):
        assert (await portal.browser().get(f"/static/{name}")).status_code == 404


def test_every_colour_is_named_in_one_place() -> None:
    """An agency that changes its colours changes `:root` of the theme, and nothing else."""
    styles = (THEME / "theme.css").read_text(encoding="utf-8")
    named, _, used = styles.partition(":root {")[2].partition("}")
    assert COLOUR.search(named)
    assert not COLOUR.search(used)
    assert not COLOUR.search(styles.partition(":root {")[0])
    for name in ("mark.svg", "shelter.svg", "portal.js"):
        assert not COLOUR.search((THEME / name).read_text(encoding="utf-8")), name


async def test_drawings_and_the_browsers_frame_wear_the_themes_colours(portal: Portal) -> None:
    """No style of a page reaches into them: they are served with the colours filled in."""
    browser = portal.browser()
    page = Page((await browser.get("/en/")).text)
    [frame] = page.all("meta", name="theme-color")
    navy = frame.attributes["content"]
    assert COLOUR.fullmatch(navy)
    [mark] = {image.attributes["src"] for image in page.all("img")}
    drawing = (await browser.get(mark)).text
    assert f'fill="{navy}"' in drawing
    assert "var(" not in drawing
