"""What *My Profile* says of what is on file, in words that its reader can act on."""

import pytest

from tests.database_rows import execute
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["You told us it is safe to write to you here", "(916) 555-0142",
                "You told us it is safe to call you here", "To correct your name, call us:"]),
        ("es", ["Usted nos dijo que es seguro escribirle aquí", "(916) 555-0142",
                "Usted nos dijo que es seguro llamarle aquí",
                "Para corregir su nombre, llámenos:"]),
    ],
)  # fmt: skip
async def test_a_contact_says_what_may_be_done_with_it(
    portal: Portal, language: str, said: list[str]
) -> None:
    """To write or to call; a number is grouped; and what cannot be changed here says who can."""
    await execute(
        portal.application,
        "INSERT INTO contact_point (participant_id, kind, phone)"
        " VALUES (1, 'phone', '+19165550142')",
    )
    browser = await portal.signed_in(1)
    words = Page((await browser.get(f"/{language}/profile")).text).words
    for phrase in said:
        assert phrase in words


async def test_a_protected_address_offers_no_update(portal: Portal) -> None:
    """The link leads to an explanation, and says so."""
    await execute(portal.application, "UPDATE participant SET confidential = true")
    page = (await (await portal.signed_in(1)).get("/en/profile")).text
    link = page.partition('href="/en/profile/address">')[2]
    assert link.startswith("Learn more<")


@pytest.mark.parametrize("path", ["/en/profile/language", "/es/profile/language"])
async def test_each_language_is_offered_in_its_own_tongue(portal: Portal, path: str) -> None:
    """Who reads one may not know its name in the other."""
    page = Page((await (await portal.signed_in(1)).get(path)).text)
    assert [label.attributes["lang"] for label in page.all("label")] == ["en", "es"]
    assert "English" in page.words
    assert "Español" in page.words


async def test_ecommunications_says_how_it_stands(portal: Portal) -> None:
    """Whether notices come on paper now, and which address alerts go to; one that is unsafe or dead
    is none."""
    browser = await portal.signed_in(1)

    async def said() -> str:
        return Page((await browser.get("/en/profile/ecommunications")).text).words

    assert "Your notices come on paper now." in await said()
    assert "Email for alertsines@example.com" in await said()
    await execute(portal.application, "UPDATE participant SET paperless = true")
    assert "You are enrolled." in await said()
    for change in ("safe_to_use = false", "safe_to_use = true, bounced_at = now()"):
        await execute(portal.application, f"UPDATE contact_point SET {change} WHERE kind = 'email'")
        assert "Email for alertsNone that we can use" in await said()
