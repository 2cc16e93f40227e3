"""*My Profile*: what is changed is on file, and both the old contact and the new are told."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from engine.caseload.personal import FIELDS
from engine.communications.claims import Reader
from engine.communications.frozen_facts import FACTS
from engine.communications.ports import EmailAddress, PostalAddress, Unreachable
from engine.stack.visitors import hidden_fields
from tests import people
from tests.database_rows import delivery_ids, execute, fetch
from tests.portal.portal_server import MONDAY_NOON, Portal, form_token, post_form
from tests.smtp_server import SmtpServer

SAVED = {"safe": "yes", "tell_old": "yes"}
HOME = {
    "addr1": "900 EXAMPLE AVE", "city": "SACRAMENTO", "state": "ca", "zip5": "95814",
}  # fmt: skip


async def told(portal: Portal) -> list[tuple[Any, ...]]:
    """Notice, what changed, the contact point it is bound to, and the channels in order."""
    rows = await fetch(
        portal.application,
        "SELECT notice, facts->>'what' AS what, contact_point_id AS point, route::text AS route"
        " FROM communication ORDER BY id",
    )
    return [
        (
            row["notice"],
            row["what"],
            row["point"],
            [channel for channel in ("email", "mail") if f'"{channel}"' in str(row["route"])],
        )
        for row in rows
    ]


async def current(portal: Portal, kind: str) -> dict[str, Any]:
    """The contact point on file now."""
    rows = await fetch(
        portal.application,
        f"SELECT *, {FIELDS} AS fields FROM contact_point"
        " WHERE kind = $1 AND superseded_at IS NULL",
        kind,
    )
    assert len(rows) == 1
    found: dict[str, Any] = rows[0]
    return {**found, **found["fields"]}


async def test_an_email_change_tells_the_old_address_and_the_new(portal: Portal) -> None:
    """One alert to the old address alone, one to the participant, and the link to the new one; the
    old contact stays as history."""
    browser = await portal.signed_in(1)
    old = await current(portal, "email")
    answered = await post_form(browser, "/es/profile/email", email="nueva@example.com", **SAVED)
    assert answered.headers["Location"] == "/es/profile"
    new = await current(portal, "email")
    assert (new["email"], new["verified_at"]) == ("nueva@example.com", None)
    assert await told(portal) == [
        ("security_alert", "email", old["id"], ["email"]),
        ("confirm_email", None, new["id"], ["email"]),
        ("security_alert", "email", None, ["email", "mail"]),
    ]
    assert "nueva@example.com" in (await browser.get("/es/profile")).text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE contact_point SET safe_to_use = false WHERE kind = 'email'", "mail"),
        ("UPDATE contact_point SET bounced_at = now() WHERE kind = 'email'", "mail"),
        ("DELETE FROM contact_point WHERE kind = 'email'", "mail"),
        ("UPDATE participant SET confidential = true", None),
        ("UPDATE contact_point SET safe_to_use = false", None),
    ],
)
async def test_an_old_email_that_must_not_be_told_is_not(
    portal: Portal, change: str, expected: str | None
) -> None:
    """Nothing is sent to an old address that is unsafe, dead, or of a protected participant: the
    mail address that was there is told instead. Where nobody was, no PIN goes to the new one,
    however long it was there, unless a caseworker vouches for it."""
    await execute(portal.application, change)
    browser = await portal.signed_in(1)
    await post_form(browser, "/en/profile/email", email="new@example.com", **SAVED)
    new = await current(portal, "email")
    bound = [
        (point, channels)
        for notice, _, point, channels in await told(portal)
        if notice == "security_alert" and point is not None
    ]
    assert bound == ([((await current(portal, "mail"))["id"], ["mail"])] if expected else [])
    assert new["told"] == bool(expected)
    await execute(
        portal.application, "UPDATE contact_point SET verified_at = $1 WHERE id = $2",
        MONDAY_NOON, new["id"],
    )  # fmt: skip
    email, _ = await reached(portal, later=timedelta(days=100))
    trusted = EmailAddress("new@example.com", new["id"])
    assert email == (trusted if expected else Unreachable("email_untold"))
    await execute(portal.application, "UPDATE contact_point SET vouched_at = now()")
    email, _ = await reached(portal, later=timedelta(0))
    assert email == trusted


async def test_nobody_vouches_for_the_next_contact_of_theirs(portal: Portal) -> None:
    """An email that nobody was told of, replaced by another, does not make that one a known one."""
    await execute(portal.application, "UPDATE contact_point SET safe_to_use = false")
    browser = await portal.signed_in(1)
    for address in ("one@example.com", "two@example.com"):
        await post_form(browser, "/en/profile/email", email=address, **SAVED)
    assert not (await current(portal, "email"))["told"]


async def test_a_reader_may_keep_the_old_contact_out_of_it(portal: Portal) -> None:
    """Whoever lives where they lived is told nothing, now or later; the question must be answered
    where a notice would go there, and is not asked where none would."""
    browser = await portal.signed_in(1)
    old = await current(portal, "mail")
    unanswered = await post_form(browser, "/es/profile/address", **HOME, safe="yes")
    assert unanswered.status_code == 422
    assert 'id="tell_old-fault"' in unanswered.text
    await post_form(browser, "/es/profile/address", **HOME, safe="yes", tell_old="no")
    assert [point for _, _, point, _ in await told(portal)] == [None]
    rows = await fetch(portal.application, "SELECT id, safe_to_use FROM contact_point ORDER BY id")
    assert {"id": old["id"], "safe_to_use": False} in rows
    assert 'name="tell_old"' not in (await browser.get("/es/profile/phone")).text


async def test_whether_it_is_safe_is_asked_anew(portal: Portal) -> None:
    """An answer about the old contact is not taken for one about the new: none is chosen yet."""
    browser = await portal.signed_in(1)
    for kind in ("email", "address"):
        page = (await browser.get(f"/en/profile/{kind}")).text
        assert " checked" not in page


async def test_an_address_that_bounced_may_be_entered_again(portal: Portal) -> None:
    """It is a new contact then, to be proved anew."""
    await execute(portal.application, "UPDATE contact_point SET bounced_at = now()")
    browser = await portal.signed_in(1)
    same = str(people.Person().email)
    await post_form(browser, "/en/profile/email", email=same, safe="yes")
    new = await current(portal, "email")
    assert (new["email"], new["bounced_at"], new["verified_at"]) == (same, None, None)


async def test_nothing_that_is_no_change_is_in_the_trail(portal: Portal) -> None:
    """Saving what is on file is no change; an answer about safety is not called a new address."""
    browser = await portal.signed_in(1)
    same = str(people.Person().email)
    await post_form(browser, "/en/profile/email", email=same, safe="yes")
    await post_form(browser, "/en/profile/language", notices="es")
    assert await fetch(portal.application, "SELECT FROM audit_entry") == []
    await post_form(browser, "/en/profile/email", email=same, safe="no")
    [row] = await fetch(portal.application, "SELECT act FROM audit_entry")
    assert row["act"] == "contact.email.safety_answered"


async def test_contacts_are_not_changed_without_end(portal: Portal) -> None:
    """Twenty an hour: each writes mail, some of it to whoever's address was typed."""
    browser = await portal.signed_in(1)
    answers = [
        (
            await post_form(
                browser, "/en/profile/phone", phone=f"(916) 555-01{number:02d}", **SAVED
            )
        ).status_code
        for number in range(21)
    ]
    assert answers == [303] * 20 + [429]


async def test_a_new_email_that_is_not_safe_gets_nothing(portal: Portal) -> None:
    """It is kept on file; no link goes there, and the alert goes by mail."""
    browser = await portal.signed_in(1)
    await post_form(
        browser, "/en/profile/email", email="new@example.com", safe="no", tell_old="yes"
    )
    notices = await told(portal)
    assert [notice for notice, *_ in notices] == ["security_alert", "security_alert"]
    assert notices[1][3] == ["mail"]


async def test_an_email_that_becomes_safe_is_proved_then(portal: Portal) -> None:
    """One that was entered as unsafe gets its link as soon as its owner says that it is safe; and
    the page says that a link was sent only where one was."""
    browser = await portal.signed_in(1)
    await post_form(
        browser, "/en/profile/email", email="new@example.com", safe="no", tell_old="yes"
    )
    assert "We sent a link" not in (await browser.get("/en/profile")).text
    point = (await current(portal, "email"))["id"]
    await post_form(browser, "/en/profile/email", email="new@example.com", safe="yes")
    assert "We sent a link" in (await browser.get("/en/profile")).text
    assert ("confirm_email", None, point, ["email"]) in await told(portal)


async def test_an_address_change_writes_to_the_old_address_too(portal: Portal) -> None:
    """A letter to the old address, and an alert to the participant."""
    browser = await portal.signed_in(1)
    old = await current(portal, "mail")
    answered = await post_form(browser, "/en/profile/address", **HOME, **SAVED)
    assert answered.status_code == 303
    assert (await current(portal, "mail"))["addr1"] == "900 EXAMPLE AVE"
    assert await told(portal) == [
        ("security_alert", "address", old["id"], ["mail"]),
        ("security_alert", "address", None, ["email", "mail"]),
    ]


async def test_a_doubtful_address_is_asked_about_and_then_taken(portal: Portal) -> None:
    """One that a letter could not go to is shown again; saved as it is, its flags are kept."""
    browser = await portal.signed_in(1)
    typed = HOME | {"addr1": "EXAMPLE AVE", "zip5": "10001"}
    asked = await post_form(browser, "/en/profile/address", **typed, **SAVED)
    assert asked.status_code == 422
    assert "Is this address right?" in asked.text
    assert await told(portal) == []
    fields = hidden_fields(asked.text) | typed | SAVED
    assert (await browser.post("/en/profile/address", data=fields)).status_code == 303
    assert (await current(portal, "mail"))["address_flags"]


async def test_a_protected_address_is_neither_shown_nor_changed(portal: Portal) -> None:
    """The page says so; the form is not there, and what is posted changes nothing."""
    await execute(portal.application, "UPDATE participant SET confidential = true")
    browser = await portal.signed_in(1)
    for path in ("/en/profile", "/en/profile/address"):
        assert "EXAMPLE ST" not in (await browser.get(path)).text
    answered = await post_form(browser, "/en/profile/phone", "/en/profile/address", **HOME, **SAVED)
    assert answered.status_code == 200
    assert (await current(portal, "mail"))["addr1"] == "1200 EXAMPLE ST APT 4"


@pytest.mark.parametrize(
    ("path", "typed", "what"),
    [
        ("/en/profile/phone", {"phone": "(916) 555-0123", "safe": "yes"}, "phone"),
        ("/en/profile/language", {"notices": "en"}, "language"),
    ],
)
async def test_other_changes_are_told_once(
    portal: Portal, path: str, typed: dict[str, str], what: str
) -> None:
    """One alert to the participant; doing it again changes nothing and tells nobody."""
    browser = await portal.signed_in(1)
    for _ in range(2):
        assert (await post_form(browser, path, **typed)).headers["Location"] == "/en/profile"
    assert await told(portal) == [("security_alert", what, None, ["email", "mail"])]


async def test_only_safe_to_use_may_be_changed(portal: Portal) -> None:
    """The address stays the same row, with its proofs; the answer counts from now on."""
    before = await current(portal, "email")
    browser = await portal.signed_in(1)
    await post_form(browser, "/en/profile/email", email=before["email"], safe="no")
    after = await current(portal, "email")
    assert (after["id"], after["safe_to_use"]) == (before["id"], False)
    assert len(await told(portal)) == 1


async def test_no_email_without_one(portal: Portal) -> None:
    """Who has none any more says so; the old address is told."""
    browser = await portal.signed_in(1)
    await post_form(browser, "/en/profile/email", none="yes")
    assert not await fetch(
        portal.application,
        "SELECT FROM contact_point WHERE kind = 'email' AND superseded_at IS NULL",
    )
    answered = await post_form(browser, "/en/profile/ecommunications")
    assert answered.status_code == 422


@pytest.mark.parametrize(
    ("path", "typed", "field"),
    [
        ("email", {"email": "", "safe": "yes"}, "email"),
        ("email", {"email": "not an address", "safe": "yes"}, "email"),
        ("email", {"email": "a@example.com"}, "safe"),
        ("phone", {"phone": "12", "safe": "yes"}, "phone"),
        ("address", HOME | {"state": "ZZ", "safe": "yes"}, "state"),
        ("address", HOME | {"zip5": "9581", "safe": "yes"}, "zip5"),
        ("address", HOME | {"addr1": "", "safe": "yes"}, "addr1"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    portal: Portal, path: str, typed: dict[str, str], field: str
) -> None:
    """In both languages, with a summary that leads there; nothing is changed or told."""
    browser = await portal.signed_in(1)
    for language in ("en", "es"):
        answered = await post_form(browser, f"/{language}/profile/{path}", **typed)
        assert answered.status_code == 422
        assert f'id="{field}-fault"' in answered.text
    assert await told(portal) == []


async def test_the_link_proves_the_address_once(portal: Portal, smtp: SmtpServer) -> None:
    """Looked at, it changes nothing; its button confirms; a second time it does not work. The
    token is in the mail, and nowhere in the log of who did what."""
    browser = await portal.signed_in(1)
    await post_form(browser, "/en/profile/email", email="new@example.com", **SAVED)
    application = portal.application
    [row] = await fetch(
        application,
        f"SELECT {FACTS} AS facts FROM communication WHERE notice = $1",
        "confirm_email",
    )
    kept_token = json.loads(str(row["facts"]))["token"]
    link = f"/en/confirm-email/{kept_token}"
    visitor = portal.browser()
    assert (await visitor.get(link)).status_code == 200
    assert (await current(portal, "email"))["verified_at"] is None
    token = {"form_token": form_token((await visitor.get(link)).text)}
    assert (await visitor.post(link, data=token)).status_code == 200
    assert (await current(portal, "email"))["verified_at"] == MONDAY_NOON
    assert (await visitor.post(link, data=token)).status_code == 404
    await application.dispatcher.deliver(await delivery_ids(application))
    mailed = {recipient for _, recipient, *_ in smtp.taken}
    assert mailed == {"new@example.com", people.Person().email}
    [asked] = await fetch(application, "SELECT count(*) FROM audit_entry WHERE details::text ~ $1",
                          kept_token)  # fmt: skip
    assert asked["count"] == 0


async def reached(portal: Portal, *, later: timedelta) -> tuple[Any, Any]:
    """Where a PIN would go some time later, by email and by mail."""
    recipients = portal.application.pin_requests.recipients
    object.__setattr__(recipients, "_clock", lambda: MONDAY_NOON + later)
    reader = Reader(1, secret=True)
    async with portal.application.engine.connect() as connection:
        email = (await recipients.email(connection, [reader]))[reader]
        mail = (await recipients.mail(connection, [reader]))[reader]
    return email, mail


async def test_a_pin_does_not_go_to_a_contact_that_was_just_changed(portal: Portal) -> None:
    """Not to an email address before it was proved and a day has passed; not to a mail address for
    ten days, unless a caseworker vouches for it. Other notices go there at once."""
    browser = await portal.signed_in(1)
    await post_form(browser, "/en/profile/email", email="new@example.com", **SAVED)
    await post_form(browser, "/en/profile/address", **HOME, **SAVED)
    email, mail = await reached(portal, later=timedelta(days=9, hours=23))
    assert email == Unreachable("email_not_confirmed")
    assert mail == Unreachable("address_too_new")
    await execute(
        portal.application,
        "UPDATE contact_point SET verified_at = $1 WHERE kind = 'email'",
        MONDAY_NOON,
    )
    email, _ = await reached(portal, later=timedelta(hours=23, minutes=59))
    assert email == Unreachable("email_too_new")
    email, mail = await reached(portal, later=timedelta(days=10))
    new = EmailAddress("new@example.com", (await current(portal, "email"))["id"])
    assert email == new
    assert isinstance(mail, PostalAddress)
    await execute(portal.application, "UPDATE contact_point SET vouched_at = now()")
    _, mail = await reached(portal, later=timedelta(hours=1))
    assert isinstance(mail, PostalAddress)
    recipients = portal.application.pin_requests.recipients
    async with portal.application.engine.connect() as connection:
        [address] = (await recipients.email(connection, [Reader(1)])).values()
    assert address == new


async def test_the_trail_says_what_was_changed_and_not_to_what(portal: Portal) -> None:
    """Who, what, when and from where; no address, number or answer."""
    browser = await portal.signed_in(1, address="192.0.2.99")
    await post_form(browser, "/en/profile/email", email="new@example.com", **SAVED)
    await post_form(browser, "/en/profile/phone", phone="(916) 555-0123", **SAVED)
    rows = await fetch(portal.application, "SELECT * FROM audit_entry ORDER BY id")
    assert [(row["act"], row["network"]) for row in rows] == [
        ("contact.email.changed", "192.0.2.99"),
        ("contact.phone.changed", "192.0.2.99"),
    ]
    assert "new@example.com" not in repr(rows)
    assert "555-0123" not in repr(rows)


async def test_the_same_form_twice_is_one_change_and_one_notice(portal: Portal) -> None:
    """Sent at the same moment from two windows, a form changes one thing and tells it once."""
    browser = await portal.signed_in(1)
    page = await browser.get("/en/profile/phone")
    fields = hidden_fields(page.text) | {"phone": "(916) 555-0123"} | SAVED
    answers = await asyncio.gather(
        *(browser.post("/en/profile/phone", data=fields) for _ in range(5))
    )
    assert {answer.headers["Location"] for answer in answers} == {"/en/profile"}
    assert len(await told(portal)) == 1
    assert len(await fetch(portal.application, "SELECT FROM audit_entry")) == 1
