"""The gallery has every notice and every page, in both languages, and its README shows them all."""

import re

import pytest

from docs.gallery.contents import README, pictures_of, readme
from docs.gallery.shots import DESK, KINDS, PHONE, SHOTS, Shot
from engine.communications.catalogue import CATALOGUE, LANGUAGES, Notice
from engine.portal.app import places
from engine.portal.apply.rooms import apply_places

FOLDER = README.parent
FILES = (".pdf", ".csv", ".ics")
ELSEWHERE = {"/apply/leave", "/apply/applications/{draft_id}"}
"""They lead to another page, or away."""
PAGES = [
    place.path
    for place in (*places(), *apply_places())
    if "GET" in place.methods
    and place.path not in ELSEWHERE
    and not place.path.endswith("/{upload_id}")
]
ON_DISK = {
    path.relative_to(FOLDER).as_posix() for folder in ("", "portal") for path in
    (FOLDER / folder).glob("*.png")
}  # fmt: skip


@pytest.mark.parametrize("notice", CATALOGUE.values(), ids=lambda notice: str(notice.key))
def test_every_notice_has_its_pictures(notice: Notice) -> None:
    """Its emails, and where it goes by mail its letters in both editions."""
    assert set(pictures_of(notice)) <= ON_DISK


@pytest.mark.parametrize("path", [path for path in PAGES if not path.endswith(FILES)])
def test_every_page_is_photographed(path: str) -> None:
    """In both languages, on a phone and on a desk."""
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
    shots = {name: shot for name, shot in SHOTS.items() if re.fullmatch(pattern, shot.shown)}
    kinds = [
        pictures.keys()
        for name, shot in shots.items()
        for pictures in shot.pictures(name).values()
        if {*pictures.values()} <= ON_DISK
    ]
    assert kinds.count({KINDS[PHONE]: "", KINDS[DESK]: ""}.keys()) >= len(LANGUAGES)


def test_the_readme_is_the_one_that_is_written() -> None:
    """`make pictures` writes it; what it shows is there, and all that is there is shown."""
    words = README.read_text(encoding="utf-8")
    assert words == readme()
    assert set(re.findall(r"[\w./]+\.png", words)) == ON_DISK


def test_a_page_that_is_another_ones_answer_counts_as_that() -> None:
    """A picture shows the page that its reader ends on."""
    assert Shot("/forgot-pin", leads_to="/forgot-pin/sent").shown == "/forgot-pin/sent"
    assert Shot("/payments?way=sent").shown == "/payments"
