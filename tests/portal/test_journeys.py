"""What the portal is for, from end to end: its pages, its workers, its mail, its inbox."""

import email
import email.policy
import re
from datetime import date, timedelta
from io import BytesIO

import httpx
import pikepdf

from engine.caseload.staff_desk import StaffDesk
from tests.database_rows import delivery_ids, execute, fetch
from tests.portal.portal_server import MONDAY_NOON, PARTICIPANT, Portal, post_form, send_form
from tests.portal.test_ecommunications import enrol
from tests.smtp_server import SmtpServer


async def work(portal: Portal) -> None:
    """What the workers do: settle what was asked for, and deliver what is owed."""
    application = portal.application
    waiting = await fetch(application, "SELECT id FROM pin_request WHERE settled_at IS NULL")
    await application.pin_requests.settle([int(str(row["id"])) for row in waiting])
    await application.dispatcher.deliver(await delivery_ids(application))


def text_of(smtp: SmtpServer, recipient: str) -> list[str]:
    """The text parts of the mails that came to `recipient`."""
    found = []
    for _, to, message in smtp.taken:
        if to == recipient:
            parsed = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
            body = parsed.get_body(("plain",))
            assert body is not None
            found.append(str(body.get_content()))
    return found


async def with_a_case(portal: Portal) -> None:
    """Give the participant a case and a payment of today."""
    for statement in (
        """INSERT INTO support_case (external_id, county, status, opened_on)
           VALUES ('000000000000001', 'Alameda', 'open', '2020-02-03')""",
        "INSERT INTO case_party (case_id, participant_id, role) VALUES (1, 1, 'payee')",
    ):
        await execute(portal.application, statement)
    await execute(
        portal.application,
        "INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents,"
        " method, paid_on) VALUES ('P1', 1, 1, 'sent', 48250, 'check', $1)",
        date(2026, 11, 23),
    )


async def test_from_a_forgotten_pin_to_a_printed_history(portal: Portal, smtp: SmtpServer) -> None:
    """Forgot PIN → the mail → sign in → the forced change → payments → all of them on one page."""
    await with_a_case(portal)
    browser = portal.browser()
    assert (await send_form(browser, "es")).status_code == 303
    await work(portal)
    [mail] = text_of(smtp, "ines@example.com")
    found = re.search(r"^([0-9]{6})$", mail, re.MULTILINE)
    assert found
    answered = await post_form(
        browser, "/es/login", participant_id=PARTICIPANT.external_id, pin=found[1]
    )
    assert answered.headers["Location"] == "/es/choose-pin"
    answered = await post_form(browser, "/es/choose-pin", new_pin="592710", confirm_pin="592710")
    assert answered.headers["Location"] == "/es/home"
    assert (await browser.get("/es/home")).status_code == 200
    page = await browser.get("/es/payments?way=sent")
    assert page.status_code == 200
    printed = await browser.get("/es/payments/all?way=sent")
    assert "$482.50" in printed.text
    assert PARTICIPANT.last_name in printed.text
    await work(portal)
    assert len(text_of(smtp, "ines@example.com")) == 2


async def test_from_enrolment_to_a_document_that_is_read(portal: Portal, smtp: SmtpServer) -> None:
    """Enrol → a payment → its notice waits in the inbox, and a mail that says nothing of it → read,
    as a tagged PDF → the mark is gone, and the bytes stay the same."""
    await with_a_case(portal)
    browser = await portal.signed_in(1)
    await enrol(portal, browser)
    await portal.application.notices.payments_since(MONDAY_NOON.date())
    await work(portal)
    mails = text_of(smtp, "ines@example.com")
    assert len(mails) == 2
    assert not any("482" in mail for mail in mails)
    page = await browser.get("/en/documents")
    link = re.search(r'href="(/en/documents/[0-9]+\.pdf)"', page.text)
    assert link
    first = await read(browser, link[1])
    assert first == await read(browser, link[1])
    [row] = await fetch(portal.application, "SELECT opened_at, sha256 FROM document")
    assert row["opened_at"] == MONDAY_NOON
    [standing] = await fetch(
        portal.application, "SELECT state FROM communication WHERE notice = 'payment_notice'"
    )
    assert standing["state"] == "met"


async def read(browser: httpx.AsyncClient, path: str) -> bytes:
    """Open a document; it is a tagged PDF in a language."""
    answered = await browser.get(path)
    assert answered.status_code == 200
    with pikepdf.open(BytesIO(answered.content)) as document:
        assert document.Root.MarkInfo.Marked
        assert str(document.Root.Lang).startswith("es")
    return answered.content


async def test_a_changed_email_is_told_at_both_addresses(portal: Portal, smtp: SmtpServer) -> None:
    """Both get an alert that names no address; the new one gets the link besides."""
    browser = await portal.signed_in(1)
    await post_form(
        browser, "/en/profile/email", email="nueva@example.com", safe="yes", tell_old="yes"
    )
    await work(portal)
    old, new = text_of(smtp, "ines@example.com"), text_of(smtp, "nueva@example.com")
    assert (len(old), len(new)) == (1, 2)
    assert not any("@example.com" in mail for mail in [*old, *new])
    assert sum("/confirm-email/" in mail for mail in new) == 1


async def test_a_request_for_another_time_reaches_the_caseworker(portal: Portal) -> None:
    """Asked for with a wish → it waits on the caseworker's list, with the hour it is about, and
    stands among the parent's messages."""
    await with_a_case(portal)
    await execute(
        portal.application,
        "INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place,"
        " status) VALUES ('M1', 1, 1, 'office', $1, 'Somewhere', 'scheduled')",
        MONDAY_NOON + timedelta(days=16),
    )
    browser = await portal.signed_in(1)
    await post_form(browser, "/es/appointments/1/reschedule", wish="Por las mañanas, por favor.")
    app = portal.application
    desk = StaffDesk(app.outbox, app.audit, app.sign_in, app.held, app.clock)
    [waiting] = await desk.waiting(10)
    [message] = (await desk.thread(waiting.id, "r.ortiz")).messages
    assert message.body.replace("\u202f", " ").replace("\xa0", " ") == (
        "Sobre mi cita del miércoles, 9 de diciembre de 2026 (12:00 p.m.): solicito otra fecha u"
        " hora.\n\nPor las mañanas, por favor."
    )
    assert "Por las mañanas" in (await browser.get("/es/messages")).text


async def test_a_question_is_answered(portal: Portal, smtp: SmtpServer) -> None:
    """Written in the portal → answered by a caseworker → a notice without a word of it → read."""
    await with_a_case(portal)
    browser = await portal.signed_in(1)
    answered = await post_form(browser, "/en/messages", case="1", body="When is my payment due?")
    assert answered.status_code == 303
    app = portal.application
    desk = StaffDesk(app.outbox, app.audit, app.sign_in, app.held, app.clock)
    [waiting] = await desk.waiting(10)
    await desk.reply(waiting.id, "On the first of the month.", "operator")
    await work(portal)
    [mail] = text_of(smtp, "ines@example.com")
    assert "first of the month" not in mail
    assert "On the first of the month." in (await browser.get("/en/messages")).text
