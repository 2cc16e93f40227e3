"""*Provide Other Party's Information*: written down for the caseworker, and never shown again."""

import json
from typing import Final

import httpx
import pytest

from engine.caseload.other_party import FIELD_MOST, FIELDS
from engine.caseload.personal import REPORT
from engine.caseload.staff_desk import StaffDesk
from tests.database_rows import execute, fetch
from tests.portal.filled_forms import Reader, forms_of, kept
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal, post_form
from tests.portal.world import EVERYBODY, World

PATH: Final = "/profile/other-party"
TOLD: Final = {
    "address": "7 TELLTALE ROAD\r\nÑuñoa & <Sons>",
    "phone": "(916) 555-0188",
    "email": "telltale@example.com",
    "employer": "Telltale “Bakery”",
    "other": "Telltale: por las noches",
}
ONE_LINE: Final = ("phone", "email", "employer")


async def reports(portal: Portal) -> list[dict[str, object]]:
    """What was written down here, besides what the world began with."""
    return await fetch(
        portal.application,
        f"SELECT participant_id, case_id, {REPORT.read()} AS facts, read_at FROM other_party_report"
        " WHERE sealed_facts IS NOT NULL ORDER BY id",
    )


def told_on(answer: httpx.Response) -> list[str]:
    """What of a report stands on a page."""
    words = Page(answer.text)
    said = " ".join(words.words.split()) + repr([each.attributes for each in words.elements])
    return [value for value in ("TELLTALE", "elltale", "555-0188", "Ñuñoa") if value in said]


def held(answer: httpx.Response) -> dict[str, str]:
    """What stands in the fields of the form."""
    page = Page(answer.text)
    typed = {name: page.all("input", name=name)[0].attributes["value"] for name in ONE_LINE}
    for name in ("address", "other"):
        area = answer.text.partition(f'name="{name}"')[2].partition(">")[2]
        typed[name] = area.partition("</textarea>")[0].strip()
    return typed


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", ["payer", "payee", "confidential"])
async def test_a_report_is_written_down_and_never_shown(
    portal: Portal, world: World, name: str, language: str
) -> None:
    """A row, about the case that was chosen; who did it and when in the trail, and nothing of what
    was told; nobody is told of it. The form is empty again, in both languages, and says that it
    was received; on none of the reporter's pages does any of it stand, nor of what was there."""
    participant, case = world.participants[name], world.cases[name]
    browser = await portal.signed_in(participant)
    answer = await post_form(browser, f"/{language}{PATH}", case=str(case), **TOLD)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/{language}{PATH}")
    [row] = await reports(portal)
    assert (row["participant_id"], row["case_id"], row["read_at"]) == (participant, case, None)
    assert json.loads(str(row["facts"])) == TOLD
    trail = await fetch(portal.application, "SELECT * FROM audit_entry")
    assert [(entry["act"], entry["actor"], entry["details"]) for entry in trail] == [
        ("other_party.reported", f"participant:{participant}", {"case": case})
    ]
    assert "elltale" not in repr(trail).lower()
    assert await fetch(portal.application, "SELECT FROM communication") == []
    received = await browser.get(answer.headers["Location"])
    assert Page(received.text).all("div", role="status")
    for each in ("en", "es"):
        form = received if each == language else await browser.get(f"/{each}{PATH}")
        assert held(form) == dict.fromkeys(FIELDS, "")
        for path in (PATH, "/profile", "/home", "/messages", f"/cases/{case}", "/documents"):
            page = await browser.get(f"/{each}{path}")
            assert told_on(page) == [], path
            assert "REPORT-OF" not in page.text, path


async def test_the_other_party_learns_nothing_of_it(portal: Portal, world: World) -> None:
    """Neither what was told nor that anything was."""
    other = await portal.signed_in(world.participants["payee"])
    paths = ("/home", "/profile", PATH, "/messages", "/documents", f"/cases/{world.cases['payee']}")
    before = [(await other.get(f"/es{path}")).text for path in paths]
    browser = await portal.signed_in(world.participants["payer"])
    await post_form(browser, f"/es{PATH}", case=str(world.cases["payer"]), **TOLD)
    after = [(await other.get(f"/es{path}")).text for path in paths]
    assert [len(page) for page in after] == [len(page) for page in before]
    assert not any("elltale" in page for page in after)


@pytest.mark.parametrize("language", ["en", "es"])
async def test_the_staff_desk_reads_it(portal: Portal, world: World, language: str) -> None:
    """As it was typed, with whose it is and about which case; on record with the reader's account,
    and not among what waits any more."""
    browser = await portal.signed_in(world.participants["payer"])
    case = str(world.cases["confidential"])
    await post_form(browser, f"/{language}{PATH}", case=case, **TOLD)
    application = portal.application
    desk = StaffDesk(
        application.outbox,
        application.audit,
        application.sign_in,
        application.held,
        application.clock,
    )
    waiting = await desk.reports(100)
    [(new,)] = [[line for line in waiting if line.id == max(each.id for each in waiting)]]
    assert (new.participant_id, new.county) == (world.participants["payer"], "Alameda")
    report = await desk.report(new.id, "r.ortiz")
    assert report.facts == TOLD
    assert report.participant_number == EVERYBODY["payer"].external_id
    assert report.case_number == "000000000000002"
    assert len(await desk.reports(100)) == len(waiting) - 1
    acts = await fetch(application, "SELECT actor, act FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert acts == [{"actor": "staff:r.ortiz", "act": "staff.other_party_report.read"}]


async def test_of_several_cases_one_is_chosen(portal: Portal, world: World) -> None:
    """Whoever has several says which; whoever has one is not asked; whoever has none is told whom
    to call."""
    payer = await portal.signed_in(world.participants["payer"])
    page = Page((await payer.get(f"/en{PATH}")).text)
    assert page.all("select", name="case")
    offered = {option.attributes["value"] for option in page.all("option")}
    assert offered == {"", str(world.cases["payer"]), str(world.cases["confidential"])}
    for case in (world.cases["confidential"], world.cases["payer"]):
        await post_form(payer, f"/en{PATH}", case=str(case), employer="Telltale")
    assert [row["case_id"] for row in await reports(portal)] == [
        world.cases["confidential"], world.cases["payer"],
    ]  # fmt: skip
    payee = await portal.signed_in(world.participants["payee"])
    one = Page((await payee.get(f"/es{PATH}")).text)
    assert not one.all("select")
    assert one.all("input", name="case", value=str(world.cases["payee"]))
    newcomer = await portal.signed_in(1)
    none = await newcomer.get(f"/es{PATH}")
    assert not [form for form in forms_of(none.text) if form.action == f"/es{PATH}"]
    assert Page(none.text).all("a", href="tel:+18669013212")


@pytest.mark.parametrize("language", ["en", "es"])
async def test_another_case_is_not_there(portal: Portal, world: World, language: str) -> None:
    """About a case of others, one that never was, or one that is the reader's no more: 404, and
    nothing is written down."""
    browser = await portal.signed_in(world.participants["payer"])
    closed = str(world.cases["confidential"])
    await execute(
        portal.application,
        "DELETE FROM case_party WHERE participant_id = $1 AND case_id = $2",
        world.participants["payer"],
        world.cases["confidential"],
    )
    before = await kept(portal)
    for case in (str(world.cases["stranger"]), "99999", closed):
        answer = await post_form(browser, f"/{language}{PATH}", case=case, **TOLD)
        assert answer.status_code == 404, case
        assert Page(answer.text).all("html", lang=language)
        assert told_on(answer) == []
    assert await kept(portal) == before


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ({}, "address"),
        ({"address": " \r\n ", "phone": "  "}, "address"),
        ({"employer": "x" * (FIELD_MOST + 1)}, "employer"),
        ({"other": "a\x00b"}, "other"),
        ({"phone": "\x1b[2J"}, "phone"),
        ({"employer": "Telltale", "case": ""}, "case"),
        ({"employer": "Telltale", "case": "-1"}, "case"),
        ({"employer": "Telltale", "case": "9" * 30}, "case"),
    ],
)
async def test_a_faulty_report_comes_back_as_it_was_typed(
    portal: Portal, world: World, typed: dict[str, str], fault: str
) -> None:
    """With what is wrong at its field, in both languages; nothing is written down."""
    reader = Reader(world, "payer")
    browser = await portal.signed_in(world.participants["payer"])
    before = await kept(portal)
    for language in ("en", "es"):
        fields = {"case": reader.fills(PATH)["case"]} | typed
        answer = await post_form(browser, f"/{language}{PATH}", **fields)
        assert answer.status_code == 422
        page = Page(answer.text)
        assert f"{fault}-fault" in page.ids()
        assert page.all("a", href=f"#{fault}")
        assert page.all("div", role="alert", tabindex="-1")
        if "employer" in typed:
            assert held(answer)["employer"] == typed["employer"]
    assert await kept(portal) == before
