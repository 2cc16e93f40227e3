"""The Participant Home Page, as its reader sees it and as an office gets it on paper."""

import pytest

from engine.stack.visitors import hidden_fields
from tests.database_rows import execute, fetch
from tests.portal.page_reader import Page
from tests.portal.portal_server import MONDAY_NOON, Portal
from tests.portal.test_messages import statements
from tests.portal.world import EVERYBODY, populate


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "Date printedMonday, November 23, 2026",
                "Wednesday, December 9, 2026 at 12:00\xa0PM",
                "$100.00",
                "You paid on November 23, 2026",
                "$525.00",
                "You owe (past due)",
                "$1,042.00",
                "November 20, 2026",
                "You are the person ordered to pay support",
                "You have opened every document.",
                "There are no new replies.",
                "California Child Support Services",
            ],
        ),
        (
            "es",
            [
                "Fecha de impresiónlunes, 23 de noviembre de 2026",
                "Miércoles, 9 de diciembre de 2026, 12:00\xa0p.m.",
                "$100.00",
                "Usted pagó el 23 de noviembre de 2026",
                "Saldo vencido que usted debe",
                "$1,042.00",
                "20 de noviembre de 2026",
                "Usted es la parte a la que se le ordenó pagar manutención",
                "Usted ya abrió todos los documentos.",
                "No hay respuestas nuevas.",
                "Servicios de Manutención de Menores de California",
            ],
        ),
    ],
)
async def test_it_says_all_at_a_glance(portal: Portal, language: str, said: list[str]) -> None:
    """Who reads, what comes next, what came last, what is owed as of when, what waits: in the
    reader's language."""
    world = await populate(portal.application)
    browser = await portal.signed_in(world.participants["payer"])
    words = Page((await browser.get(f"/{language}/home")).text).words
    payer = EVERYBODY["payer"]
    for phrase in (*said, f"{payer.first_name} {payer.last_name}", payer.external_id):
        assert " ".join(phrase.split()) in words, phrase


async def test_the_last_payment_leads_to_its_own_tab(portal: Portal) -> None:
    """Who pays is led to what they made, who is paid to what was sent to them."""
    world = await populate(portal.application)
    for name, way, said in (
        ("payer", "made", "You paid on November 23, 2026"),
        ("payee", "sent", "Sent to you on November 23, 2026"),
    ):
        browser = await portal.signed_in(world.participants[name])
        page = Page((await browser.get("/en/home")).text)
        assert said in page.words
        assert page.all("a", href=f"/en/payments?way={way}")


async def test_notices_are_offered_in_the_language_that_is_read(portal: Portal) -> None:
    """Whose notices come in the other language is asked, and one button changes it; whose come in
    this one is not asked."""
    browser = await portal.signed_in(1)  # whose notices come in Spanish
    assert "¿Los quiere en español?" not in (await browser.get("/es/home")).text
    page = await browser.get("/en/home")
    assert "Your notices come in Spanish. Do you want them in English?" in Page(page.text).words
    form = page.text.partition('action="/en/profile/language"')[2].partition("</form>")[0]
    answered = await browser.post("/en/profile/language", data=hidden_fields(form))
    assert answered.headers["Location"] == "/en/profile"
    assert await fetch(portal.application, "SELECT language FROM participant") == [
        {"language": "en"}
    ]
    for path in ("/en/home", "/en/profile"):
        assert "Do you want them in English?" not in (await browser.get(path)).text
    assert "¿Los quiere en español?" in (await browser.get("/es/profile")).text


async def test_what_waits_is_counted(portal: Portal) -> None:
    """Replies that were not read, in the plural that their number takes."""
    world = await populate(portal.application)
    browser = await portal.signed_in(world.participants["payer"])
    for number, said in ((1, "1 reply you have not read"), (2, "2 replies you have not read")):
        await execute(
            portal.application,
            "INSERT INTO caseworker_message (participant_id, case_id, author, staff, body,"
            " written_at) VALUES ($1, $2, 'caseworker', 'cw', 'Hello', $3)",
            world.participants["payer"],
            world.cases["payer"],
            MONDAY_NOON,
        )
        assert said in Page((await browser.get("/en/home")).text).words, number


async def test_nothing_of_anybody_else_is_on_it(portal: Portal) -> None:
    """Both parties of a case each read their own."""
    world = await populate(portal.application)
    for name in EVERYBODY:
        browser = await portal.signed_in(world.participants[name])
        page = (await browser.get("/en/home")).text
        assert EVERYBODY[name].external_id in page
        for other in set(EVERYBODY) - {name}:
            for secret in world.secrets_of(other):
                assert secret not in page, (name, other)


async def test_a_newcomer_has_a_page_too(portal: Portal) -> None:
    """No case, no payment, no appointment: it says so."""
    browser = await portal.signed_in(1)
    words = Page((await browser.get("/en/home")).text).words
    assert "Nothing is scheduled." in words
    assert "There are no payments yet." in words
    assert "You have no case on file." in words


async def test_it_takes_the_same_statements_however_much_there_is(portal: Portal) -> None:
    """Cases, accounts and payments cost no statement each."""
    world = await populate(portal.application)
    newcomer = await portal.signed_in(1)
    payer = await portal.signed_in(world.participants["payer"])
    await payer.get("/en/home")  # a new connection asks the database about itself
    few = await statements(portal, newcomer, "/en/home")
    many = await statements(portal, payer, "/en/home")
    assert many == few


@pytest.mark.parametrize(
    ("change", "said", "leads"),
    [
        ("bounced_at = now() WHERE kind = 'email'", "Our emails to you came back", "email"),
        ("returned_at = now() WHERE kind = 'mail'", "A letter to you came back", "address"),
    ],
)
async def test_what_came_back_is_said_at_the_next_sign_in(
    portal: Portal, change: str, said: str, leads: str
) -> None:
    """What happened, and where to mend it; never which address, but on My Profile; not on paper for
    an office; and no more once there is another one."""
    browser = await portal.signed_in(1)
    assert said not in Page((await browser.get("/en/home")).text).words
    await execute(portal.application, f"UPDATE contact_point SET {change}")
    for path in ("/en/home", "/en/profile"):
        page = Page((await browser.get(path)).text)
        assert said in page.words
        assert page.all("a", href=f"/en/profile/{leads}", class_="usa-link")
        assert page.all("div", class_="usa-alert usa-alert--warning no-print")
    home = (await browser.get("/en/home")).text
    assert "ines@example.com" not in home
    assert "EXAMPLE ST" not in home
    await execute(portal.application, "UPDATE contact_point SET superseded_at = now()")
    assert said not in Page((await browser.get("/en/home")).text).words


async def test_what_was_unwanted_did_not_come_back(portal: Portal) -> None:
    """Whose email program reported our mail is told so."""
    await execute(portal.application, "UPDATE contact_point SET bounced_at = now() WHERE id = 1")
    await execute(
        portal.application,
        "INSERT INTO contact_suppression (contact_point_id, at, cause) VALUES (1, $1, 'complaint')",
        MONDAY_NOON,
    )
    words = Page((await (await portal.signed_in(1)).get("/en/home")).text).words
    assert "Our emails to you were reported as spam" in words
    assert "came back" not in words


async def test_a_protected_reader_is_asked_to_call(portal: Portal) -> None:
    """When a letter to the substitute address came back: it is not changed in the portal."""
    await execute(portal.application, "UPDATE participant SET confidential = true")
    await execute(
        portal.application,
        "UPDATE contact_point SET substitute = true, returned_at = now() WHERE kind = 'mail'",
    )
    page = Page((await (await portal.signed_in(1)).get("/en/home")).text)
    assert "Your address is protected, so we cannot change it here." in page.words
    assert not page.all("a", href="/en/profile/address")
