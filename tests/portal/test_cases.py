"""*My Case*: what a party may know of it."""

import pytest

from tests.database_rows import execute
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal
from tests.portal.test_messages import statements
from tests.portal.world import EVERYBODY, populate


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "Case number000000000000001",
                "Opened onFebruary 3, 2020",
                "Your roleYou are the person who receives support",
                "The other partyThe person ordered to pay support",
                "Local child support agency, County of Alameda",
                "1-866-901-3212",
                "Ordered each month Past due to you",
                "Child support $525.00 $1,042.00 November 20, 2026",
            ],
        ),
        (
            "es",
            [
                "Número de caso000000000000001",
                "Fecha de apertura3 de febrero de 2020",
                "Su papel en el casoUsted es la parte que recibe manutención",
                "La otra parteLa parte a la que se le ordenó pagar manutención",
                "Agencia local de manutención de menores, condado de Alameda",
                "Ordenado por mes Saldo vencido a su favor",
                "Manutención de menores $525.00 $1,042.00 20 de noviembre de 2026",
            ],
        ),
    ],
)
async def test_a_case_says_what_it_is(portal: Portal, language: str, said: list[str]) -> None:
    """Number, status, roles, office, orders and balances; with one case, My Case is that case."""
    world = await populate(portal.application)
    browser = await portal.signed_in(world.participants["payee"])
    own = Page((await browser.get(f"/{language}/cases/{world.cases['payee']}")).text).words
    alone = Page((await browser.get(f"/{language}/cases")).text).words
    for phrase in said:
        assert phrase in own
        assert phrase in alone


async def test_several_cases_are_a_list(portal: Portal) -> None:
    """Each with its way in, and what is past due where anything is on file: no debt is not the
    same as no account."""
    world = await populate(portal.application)
    browser = await portal.signed_in(world.participants["payer"])
    await execute(
        portal.application,
        "DELETE FROM account WHERE case_id = $1", world.cases["confidential"],
    )  # fmt: skip
    page = Page((await browser.get("/en/cases")).text)
    assert page.words.count("You owe (past due): $1,042.00") == 1
    assert page.words.count("No account balances are on file for this case.") == 1
    for name in ("payee", "confidential"):
        assert page.all("a", href=f"/en/cases/{world.cases[name]}")


async def test_the_other_party_is_a_role(portal: Portal) -> None:
    """Neither name nor number nor anything else of theirs is on a page of the case."""
    world = await populate(portal.application)
    for name, other in (("payer", "payee"), ("payee", "payer"), ("payer", "confidential")):
        browser = await portal.signed_in(world.participants[name])
        case = world.cases[other]
        if name == "payee":
            case = world.cases["payee"]
        page = (await browser.get(f"/en/cases/{case}")).text
        for secret in world.secrets_of(other):
            assert secret not in page


@pytest.mark.parametrize("case", ["another", "999", "0", "x", "9" * 30, "1%20OR%201=1"])
async def test_another_case_is_not_there(portal: Portal, case: str) -> None:
    """A stranger's case, and none at all: the same answer."""
    world = await populate(portal.application)
    browser = await portal.signed_in(world.participants["stranger"])
    path = str(world.cases["payee"]) if case == "another" else case
    answer = await browser.get(f"/en/cases/{path}")
    assert answer.status_code == 404
    for name in set(EVERYBODY) - {"stranger"}:
        for secret in world.secrets_of(name):
            assert secret not in answer.text


async def test_accounts_cost_no_statement_each(portal: Portal) -> None:
    """One account or thirty: the same statements."""
    world = await populate(portal.application)
    browser = await portal.signed_in(world.participants["payee"])
    await browser.get("/en/cases")  # a new connection asks the database about itself
    few = await statements(portal, browser, "/en/cases")
    await execute(
        portal.application,
        "INSERT INTO account (external_id, case_id, kind, monthly_cents, balance_cents, as_of)"
        " SELECT 'X' || n, $1, 'spousal_support', n, n, '2026-11-20'"
        " FROM generate_series(1, 30) AS n",
        world.cases["payee"],
    )
    assert await statements(portal, browser, "/en/cases") == few
