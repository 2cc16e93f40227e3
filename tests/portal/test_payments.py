"""*My Payments*: two tabs, a filter, pages, print, PDF and CSV; never the other party's money."""

import asyncio
import csv
import subprocess
import threading
from io import BytesIO, StringIO

import httpx
import pikepdf
import pytest

from engine.portal import pdf_press
from engine.portal.payment_files import _plain
from engine.security.audit import Entry
from tests.database_rows import execute, fetch
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal
from tests.portal.test_messages import statements
from tests.portal.world import EVERYBODY, World, populate

TOTAL = "$4,509.90"
"""Forty-five payments of $100.00 to $100.44."""

EMPTY = {"made": "You have made no payments.", "sent": "No payments were sent to you."}


@pytest.fixture
async def world(portal: Portal) -> World:
    """Everybody has 45 payments of their own."""
    return await populate(portal.application)


@pytest.fixture
async def payer(portal: Portal, world: World) -> httpx.AsyncClient:
    """The browser of the payer."""
    return await portal.signed_in(world.participants["payer"])


def rows(page: httpx.Response) -> list[str]:
    """The days in the table."""
    times = Page(page.text).all("time")
    return [time.attributes["datetime"] for time in times]


async def test_every_tab_is_for_its_reader(portal: Portal, world: World) -> None:
    """Who pays sees first what they made, who receives what was sent to them; the other tab is a
    link away, and empty here."""
    for name, way, other in (("payer", "made", "sent"), ("payee", "sent", "made")):
        browser = await portal.signed_in(world.participants[name])
        first = Page((await browser.get("/en/payments")).text)
        tab, *_ = first.all("a", href=f"/en/payments?way={way}")
        assert tab.attributes["aria-current"] == "page"
        assert "All dates: 45 payments, $4,509.90 in all." in first.words
        empty = Page((await browser.get(f"/en/payments?way={other}")).text)
        assert EMPTY[other] in empty.words


async def test_a_closed_case_does_not_choose_the_tab(portal: Portal, world: World) -> None:
    """Who paid in a case that is closed, and is paid in an open one, sees what was sent to them;
    with none open, or some of each, the latest payment decides."""
    payee = world.participants["payee"]
    browser = await portal.signed_in(payee)
    await execute(
        portal.application,
        "WITH old AS (INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES ('C9', 'Yolo', 'closed', '2001-01-01') RETURNING id)"
        " INSERT INTO case_party (case_id, participant_id, role) SELECT id, $1, 'payer' FROM old",
        payee,
    )

    async def tab() -> str:
        page = Page((await browser.get("/en/payments")).text)
        [chosen] = page.all("input", name="way")
        return chosen.attributes["value"]

    await execute(portal.application, "UPDATE payment SET direction = 'made'")
    assert await tab() == "sent"
    for status in ("open", "closed"):
        await execute(portal.application, "UPDATE support_case SET status = $1", status)
        await execute(portal.application, "UPDATE payment SET direction = 'sent'")
        assert await tab() == "sent"
        await execute(portal.application, "UPDATE payment SET direction = 'made'")
        assert await tab() == "made"


async def test_one_case_needs_no_column(
    portal: Portal, world: World, payer: httpx.AsyncClient
) -> None:
    """A column that says the same on every row is left out: for who has one case, and for who
    chose one; printed, the number stands above."""
    payee = await portal.signed_in(world.participants["payee"])
    one = f"case={world.cases['payee']}"
    for browser, query, columns in ((payer, "", 4), (payer, one, 3), (payee, "", 3)):
        for path in ("/en/payments", "/en/payments/all"):
            page = Page((await browser.get(f"{path}?{query}")).text)
            assert len(page.all("th", scope="col")) == columns
    printed = Page((await payee.get("/en/payments/all")).text)
    assert printed.words.count("000000000000001") == 1


async def test_what_is_printed_or_saved_is_offered_before_the_list(
    payer: httpx.AsyncClient,
) -> None:
    """It is what an office sends parents here for."""
    page = (await payer.get("/en/payments")).text
    for file in ("all", "history.pdf", "history.csv"):
        assert page.index(f"/en/payments/{file}?") < page.index("<table")


async def test_pages_show_all_of_it_once(payer: httpx.AsyncClient) -> None:
    """Twenty on a page, the count and the sum of all of them on each, and the filter goes along."""
    seen: list[str] = []
    for number, shown in ((1, 20), (2, 20), (3, 5)):
        page = await payer.get(f"/en/payments?way=made&page={number}")
        assert f"Page {number} of 3" in Page(page.text).words
        assert TOTAL in page.text
        assert len(rows(page)) == shown
        seen += rows(page)
    assert len(set(seen)) == 45
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("since", ["11/03/2026", "2026-11-03", "11/3/2026", "11-3-2026"])
async def test_days_are_typed_as_people_write_them(payer: httpx.AsyncClient, since: str) -> None:
    """Month first, as on every paper in California, or as a browser's date field sends it."""
    page = await payer.get("/en/payments", params={"from": since})
    assert rows(page) == ["2026-11-23", "2026-11-03"]
    assert "From November 3, 2026" in Page(page.text).words


@pytest.mark.parametrize(
    ("language", "query", "said"),
    [
        ("en", "from=yesterday", "Enter the first day as month/day/year, such as 11/23/2026"),
        ("en", "to=13/45/2026", "Enter the last day as month/day/year, such as 11/23/2026"),
        ("en", "from=2/1/2026&to=1/1/2026", "Enter a last day that is not before the first day"),
        ("es", "from=31/12/2026", "Escriba el primer día como mes/día/año"),
        ("es", "to=11/23/26", "Escriba el último día como mes/día/año"),
    ],
)
async def test_days_that_cannot_be_read_are_said(
    payer: httpx.AsyncClient, language: str, query: str, said: str
) -> None:
    """In the summary and at the field, with what was typed; and no payments are shown for it."""
    page = await payer.get(f"/{language}/payments?{query}")
    assert page.status_code == 422
    assert Page(page.text).words.count(said) >= 2
    assert rows(page) == []


@pytest.mark.parametrize(
    "query", ["way=both", "case=x", "case=0", "case=9999", "page=0", "page=x", "page=" + "9" * 40]
)
async def test_an_address_nobody_made_is_not_there(payer: httpx.AsyncClient, query: str) -> None:
    """No form of ours leads there."""
    assert (await payer.get(f"/en/payments?{query}")).status_code == 404


async def test_the_filter_by_case_knows_the_readers_cases_alone(
    world: World, payer: httpx.AsyncClient
) -> None:
    """By internal id; a stranger's case is not there."""
    first = await payer.get(f"/en/payments?case={world.cases['payee']}")
    assert "45 payments" in Page(first.text).words
    second = await payer.get(f"/en/payments?case={world.cases['confidential']}")
    assert "No payments match what you chose." in Page(second.text).words
    assert (await payer.get(f"/en/payments?case={world.cases['stranger']}")).status_code == 404


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Payment history: Payments I Made", "Monday, November 23, 2026", "All dates"]),
        ("es", ["Historial de pagos: Pagos Realizados por Mí", "lunes, 23 de noviembre de 2026"]),
    ],
)
async def test_all_of_it_prints_on_one_page(
    payer: httpx.AsyncClient, language: str, said: list[str]
) -> None:
    """Every row, the total, who reads, their number, the period and the day."""
    page = Page((await payer.get(f"/{language}/payments/all?way=made")).text)
    person = EVERYBODY["payer"]
    for phrase in (*said, TOTAL, person.last_name, person.external_id):
        assert phrase in page.words
    assert len(page.all("tr")) == 1 + 45 + 1


@pytest.mark.parametrize(
    ("language", "heading", "method"),
    [
        ("en", ["Date", "Case number", "Method", "Amount (U.S. dollars)"], "Check"),
        ("es", ["Fecha", "Número de caso", "Método", "Cantidad (dólares de EE. UU.)"], "Cheque"),
    ],
)
async def test_a_spreadsheet_reads_it(
    payer: httpx.AsyncClient, language: str, heading: list[str], method: str
) -> None:
    """UTF-8 with its mark, headings in the language, days and amounts that sort and add up."""
    answer = await payer.get(f"/{language}/payments/history.csv?way=made")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.content.count(b"\r\n") == 46
    lines = list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0] == heading
    assert lines[1] == ["2026-11-23", "000000000000001", method, "100.00"]
    assert sum(round(float(line[3]) * 100) for line in lines[1:]) == 450_990


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_a_formula(cell: str) -> None:
    """A spreadsheet shows it rather than running it."""
    assert _plain(cell) == f"'{cell}"


def text_of(pdf: bytes) -> str:
    """What the pages say."""
    read = ["pdftotext", "-layout", "-", "-"]
    return subprocess.run(read, input=pdf, capture_output=True, check=True).stdout.decode()


@pytest.mark.needs("pdftotext")
@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            ["Payment history: Payments I Made", "Date", "Case number", "Method", "Amount",
             "All dates", "November 23, 2026", "Payments: 45. Total: $4,509.90", "Page 1 of 2"],
        ),
        (
            "es",
            ["Historial de pagos: Pagos Realizados por Mí", "Fecha", "Número de caso", "Método",
             "Cantidad", "Todas las fechas", "23 de noviembre de 2026",
             "Pagos: 45. Total: $4,509.90", "Página 1 de 2"],
        ),
    ],
)  # fmt: skip
async def test_the_pdf_says_all_of_it(
    payer: httpx.AsyncClient, language: str, said: list[str]
) -> None:
    """Every row; on each page the heading row, and who it is about."""
    answer = await payer.get(f"/{language}/payments/history.pdf?way=made")
    text = text_of(answer.content)
    person = EVERYBODY["payer"]
    for phrase in (*said, f"{person.first_name} {person.last_name}", person.external_id):
        assert phrase in text
    assert text.count("000000000000001") == 45
    assert text.count(said[3]) == 2
    for page in text.split("\f")[:2]:
        assert f"{person.first_name} {person.last_name}" in page
        assert person.external_id in page
    for secret in ("Featherstone", EVERYBODY["payee"].external_id):
        assert secret not in text


@pytest.mark.parametrize(("language", "title"), [("en", "Payment history"), ("es", "Historial")])
async def test_the_pdf_is_tagged_and_knows_its_language(
    payer: httpx.AsyncClient, language: str, title: str
) -> None:
    """Its structure, language and title are there for whoever has it read aloud; its name says
    nothing of the reader."""
    answer = await payer.get(f"/{language}/payments/history.pdf?way=made")
    with pikepdf.open(BytesIO(answer.content)) as opened:
        assert str(opened.Root.Lang).startswith(language)
        assert opened.Root.MarkInfo.Marked
        assert "/TH" in repr([*map(str, kinds(opened.Root.StructTreeRoot.K))])
        with opened.open_metadata() as metadata:
            assert str(metadata["dc:title"]).startswith(title)
            assert metadata["pdfuaid:part"] == "1"
    disposition = answer.headers["content-disposition"]
    for private in (EVERYBODY["payer"].external_id, "Ibáñez", "000000000000001"):
        assert private not in disposition


def kinds(element: pikepdf.Object) -> list[str]:
    """The kinds of structure elements under one."""
    if isinstance(element, pikepdf.Array):
        return [kind for each in element for kind in kinds(each)]
    if not isinstance(element, pikepdf.Dictionary) or "/S" not in element:
        return []
    below = kinds(element.K) if "/K" in element else []
    return [str(element.S), *below]


async def test_a_name_that_cannot_be_drawn_leaves_the_number(
    portal: Portal, world: World, payer: httpx.AsyncClient
) -> None:
    """A PDF comes all the same."""
    await execute(portal.application, "UPDATE participant SET first_name = '王'")
    answer = await payer.get("/en/payments/history.pdf")
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-")


async def test_a_file_is_in_the_audit_trail(portal: Portal, payer: httpx.AsyncClient) -> None:
    """What left the portal, on paper too, and how much of it; nobody's amounts. Who only asks
    whether it is there took nothing."""
    for method in ("HEAD", "GET"):
        for path in ("history.csv", "history.pdf", "all"):
            await payer.request(method, f"/en/payments/{path}")
    entries = await fetch(
        portal.application,
        "SELECT act, details::text FROM audit_entry WHERE act LIKE 'pay%' ORDER BY id",
    )
    assert [(entry["act"], entry["details"]) for entry in entries] == [
        ("payments.downloaded", '{"kind": "csv", "payments": 45}'),
        ("payments.downloaded", '{"kind": "pdf", "payments": 45}'),
        ("payments.printed", '{"payments": 45}'),
    ]


async def test_the_trail_is_free_while_a_pdf_is_drawn(
    portal: Portal, payer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others write to it meanwhile; its own entry comes when there is a file."""
    drawing, written = threading.Event(), threading.Event()
    drawn = pdf_press.Press._drawn

    def slowly(press: pdf_press.Press, history: str) -> bytes:
        drawing.set()
        assert written.wait(30)
        return drawn(press, history)

    monkeypatch.setattr(pdf_press.Press, "_drawn", slowly)
    asked = asyncio.create_task(payer.get("/en/payments/history.pdf"))
    assert await asyncio.to_thread(drawing.wait, 30)
    async with portal.application.engine.begin() as connection:
        await portal.application.audit.append(connection, Entry("system", "meanwhile"))
    written.set()
    assert (await asked).status_code == 200
    rows = await fetch(portal.application, "SELECT act FROM audit_entry ORDER BY id")
    assert [row["act"] for row in rows] == ["meanwhile", "payments.downloaded"]


@pytest.mark.parametrize("path", ["", "/all", "/history.csv", "/history.pdf"])
async def test_nothing_of_the_other_party_is_anywhere(
    portal: Portal, world: World, path: str
) -> None:
    """The payee's page says nothing of the payer, nor the payer's of the payee."""
    for name, other in (("payer", "payee"), ("payee", "payer")):
        browser = await portal.signed_in(world.participants[name])
        for way in ("made", "sent"):
            answer = await browser.get(f"/en/payments{path}?way={way}")
            assert answer.status_code == 200
            for secret in world.secrets_of(other):
                assert secret not in answer.text


@pytest.mark.parametrize("path", ["/payments", "/payments/all"])
async def test_rows_cost_no_statement_each(
    portal: Portal, world: World, payer: httpx.AsyncClient, path: str
) -> None:
    """Forty-five payments or none: the same statements."""
    await payer.get(f"/en{path}")  # a new connection asks the database about itself
    many = await statements(portal, payer, f"/en{path}?way=made")
    none = await statements(portal, payer, f"/en{path}?way=sent")
    assert many == none
