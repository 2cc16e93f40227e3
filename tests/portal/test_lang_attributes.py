"""`lang` on every switch of language within a page (WCAG 2.1, 3.1.2): what is not in the language
of the page says so, for whoever has it read aloud."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

import pytest

from engine.caseload import caseworker_replies
from engine.portal.app import places
from engine.settings import Settings
from engine.stack.visitors import hidden_fields
from tests.database_rows import execute
from tests.portal.filled_forms import Reader
from tests.portal.page_reader import Page
from tests.portal.portal_server import MONDAY_NOON, Portal, portal_over
from tests.portal.test_documents import post
from tests.portal.world import World

_VOID: Final = {"meta", "link", "input", "img", "br", "hr"}
OFFICE: Final = ("Alameda County Department", "24100 Amador Street")
REPLY, WISH = "Traiga sus papeles", "Mejor en la mañana"
ENGLISH: Final = ("PLACE-OF-payer", *OFFICE)
"""Names of places, which are English wherever they stand."""
OF_UNKNOWN_LANGUAGE: Final = ("WORDS-OF-payer", REPLY, WISH)
"""What parents and caseworkers wrote: nobody knows in which language."""
OTHER: Final = {"en": "es", "es": "en"}
NAMES: Final = {"English": "en", "Español": "es"}


@dataclass
class Spoken(HTMLParser):
    """The texts of a page, each with the language that a screen reader would speak it in."""

    source: str
    texts: list[tuple[str, str]] = field(default_factory=list)
    _open: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element is in its own language, or in that of what it stands in."""
        inherited = self._open[-1][1] if self._open else "none"
        if tag not in _VOID:
            given = dict(attrs)
            self._open.append((tag, (given["lang"] or "") if "lang" in given else inherited))

    def handle_endtag(self, tag: str) -> None:
        """What stands in it is over."""
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep a text that says something."""
        if self._open and data.strip():
            self.texts.append((data.strip(), self._open[-1][1]))

    def tongues(self, words: str) -> set[str]:
        """The languages in which these words are spoken on the page."""
        return {language for text, language in self.texts if words in text}


@pytest.fixture
async def spoken(portal: Portal, world: World, settings: Settings) -> dict[str, dict[str, Spoken]]:
    """Language → path → every page that the payer sees, with an office, a reply and a wish."""
    agency = settings.agency.model_copy(update={"local_offices": {"Alameda": OFFICE}})
    async with portal.application.outbox.transaction() as transaction:
        await caseworker_replies.reply(
            transaction, world.messages["payer"], "r.ortiz", REPLY, MONDAY_NOON
        )
    await execute(
        portal.application,
        "INSERT INTO appointment_answer (appointment_id, starts_at, answer, wish, answered_at)"
        " SELECT id, starts_at, 'reschedule', $1, $2 FROM appointment",
        WISH,
        MONDAY_NOON,
    )
    payer = world.participants["payer"]
    await post(portal, 1, payer, language="en")
    await post(portal, 1, payer, language="es")
    reader = Reader(world, "payer")
    async with portal_over(settings.model_copy(update={"agency": agency})) as ours:
        browser = await ours.signed_in(payer)
        pages = {}
        for language in ("en", "es"):
            paths = [place.path for place in places() if "GET" in place.methods]
            answers = {
                path: await browser.get(f"/{language}{reader.path(path)}")
                for path in (*paths, "/messages?case={case_id}")
                if not path.endswith((".pdf", ".csv", ".ics"))
            }
            pages[language] = {
                path: Spoken(answer.text)
                for path, answer in answers.items()
                if answer.status_code == 200
            }
    return pages


async def test_every_switch_of_language_says_so(spoken: dict[str, dict[str, Spoken]]) -> None:
    """On every page, in both languages: places are English, what people wrote is of no known
    language, each language's own name is in that language, and everything else in the page's."""
    found: dict[str, set[str]] = {}
    for language, pages in spoken.items():
        assert len(pages) > 20
        for path, page in pages.items():
            at = f"/{language}{path}"
            for words in ENGLISH:
                assert page.tongues(words) <= {"en"}, at
            for words in OF_UNKNOWN_LANGUAGE:
                assert page.tongues(words) <= {""}, at
            for words, tongue in NAMES.items():
                named = {said for text, said in page.texts if text == words}
                assert named <= {tongue}, at
            switched = [
                text
                for text, said in page.texts
                if said != language
                and text not in NAMES
                and not any(words in text for words in (*ENGLISH, *OF_UNKNOWN_LANGUAGE))
            ]
            assert switched == [], at
            for words in (*ENGLISH, *OF_UNKNOWN_LANGUAGE, *NAMES):
                if page.tongues(words):
                    found.setdefault(words, set()).add(path)
    assert found["PLACE-OF-payer"] >= {
        "/home", "/appointments", "/appointments/{appointment_id}/reschedule",
    }  # fmt: skip
    assert all("/cases/{case_id}" in found[words] for words in OFFICE)
    assert found[WISH] == {"/appointments"}
    assert found[REPLY] == found["WORDS-OF-payer"] == {"/messages", "/messages?case={case_id}"}
    assert found["Español"] >= {"/", "/login", "/home", "/profile", "/profile/language"}


async def test_the_language_button_and_links_say_where_they_lead(
    spoken: dict[str, dict[str, Spoken]],
) -> None:
    """The button by `lang` and `hreflang`; a document by the `hreflang` of what it is in; and the
    head of a page by its alternates."""
    for language, pages in spoken.items():
        for path, spoken_page in pages.items():
            page = Page(spoken_page.source)
            [button] = page.all("a", class_="language")
            for name in ("lang", "hreflang"):
                assert button.attributes[name] == OTHER[language], path
            for each in ("en", "es"):
                [alternate] = page.all("link", rel="alternate", hreflang=each)
                assert alternate.attributes["href"].startswith(f"/{each}"), path
            [whole] = page.all("html")
            assert whole.attributes["lang"] == language
        documents = Page(pages["/documents"].source).all("a", type="application/pdf")
        assert [link.attributes["hreflang"] for link in documents] == ["es", "en"]


async def test_an_answer_that_was_not_saved_names_its_place_in_english(
    portal: Portal, world: World
) -> None:
    """An appointment that was moved since its reader saw it, on a Spanish page."""
    browser = await portal.signed_in(world.participants["payer"])
    path = Reader(world, "payer").path("/es/appointments/{appointment_id}/confirm")
    fields = hidden_fields((await browser.get("/es/appointments")).text)
    answer = await browser.post(path, data=fields | {"starts_at": "earlier"})
    assert answer.status_code == 409
    assert Spoken(answer.text).tongues("PLACE-OF-payer") == {"en"}


def test_a_switch_that_does_not_say_so_is_heard() -> None:
    """The test can fail, and knows what stands in what."""
    page = Spoken('<html lang="es"><p>Uno<br>dos <b lang="en">three</b> cuatro</p><i lang="">x</i>')
    assert page.texts == [("Uno", "es"), ("dos", "es"), ("three", "en"), ("cuatro", "es"),
                          ("x", "")]  # fmt: skip
