"""The flows of the phone line, walked from beginning to end with a telephone."""

from typing import Final

import pytest

from engine.caseload.sign_in import Attempt
from engine.phone.handset import Hearing
from engine.phone.prompts import sentence
from tests.database_rows import fetch
from tests.phone.line import (
    NEWCOMER,
    PAYEE,
    PAYER,
    PIN,
    SATURDAY,
    TEMPORARY,
    PhoneLine,
    walk,
)

NEW: Final = "592710"
PAYMENTS_EN: Final = (
    "You paid 525 dollars on October 30.",
    "Payments.",
)
PAYMENTS_ES: Final = (
    "Le enviamos 525 dólares el 2 de noviembre.",
    "Le enviamos 100 dólares con 50 centavos el primero de octubre.",
    "Se espera un pago de 319 dólares con 99 centavos para usted el primero de diciembre.",
    (
        "En su caso que termina en cuatro cuatro siete uno, la orden es de 525 dólares al mes de "
        "manutención para usted. Se le envía cuando se paga."
    ),
    "Pagos.",
)


def texts(hearing: Hearing) -> tuple[str, ...]:
    """What was said, without what it is said of choices."""
    return tuple(line.text for line in hearing.lines)


async def test_payments_by_voice_alone(line: PhoneLine) -> None:
    """A payee who touches no key hears what was sent, what is expected, and what is ordered; digits
    are said as words or as the recognizer writes them. A telephone without a number may call."""
    number = "uno dos tres cuatro cinco seis siete ocho nueve cero"
    said = ("español", "Sí.", number, "sí", "48 19 02", "Pagos", "pagos recientes")
    hearing = await walk(line.telephone("anonymous"), *said)
    assert texts(hearing)[:5] == PAYMENTS_ES
    assert {said.language for said in hearing.lines} == {"es"}


async def test_payments_by_key_alone(line: PhoneLine) -> None:
    """A payer who says no word hears what they paid, and nothing of the other party."""
    keys = ("#1", "#1", f"#{PAYER.external_id}", "#1", f"#{PIN}", "#1", "#3")
    hearing = await walk(line.telephone(), *keys)
    assert texts(hearing)[:2] == PAYMENTS_EN
    assert hearing.barge_in


async def test_the_number_is_read_back_digit_by_digit(line: PhoneLine) -> None:
    """What was entered is said again in groups, in the caller's language, and can be entered
    anew."""
    handset = line.telephone()
    hearing = await walk(handset, "#9", "#1", f"#{PAYEE.external_id}")
    assert "uno dos tres, cuatro cinco seis, siete ocho nueve cero" in hearing.text
    hearing = await walk(handset, "no")
    assert "Número de Identificación de Participante" in hearing.text


async def test_a_temporary_pin_is_changed_before_anything_else(line: PhoneLine) -> None:
    """It leads to a new PIN, and nowhere else; the owner is told, and the new one opens both the
    line and the portal."""
    start = ("#1", "#1", f"#{NEWCOMER.external_id}", "#1")
    handset = line.telephone()
    hearing = await walk(handset, *start, f"#{TEMPORARY}")
    assert "You signed in with a temporary PIN." in hearing.text
    hearing = await walk(handset, f"#{NEW}", f"#{NEW}")
    assert "Your PIN is changed." in hearing.text
    told = await fetch(line.application, "SELECT notice, facts->>'what' AS what FROM communication")
    assert told == [{"notice": "security_alert", "what": "pin"}]
    assert "Main Menu." in (await walk(line.telephone(), *start, f"#{NEW}")).text
    assert "did not open" in (await walk(line.telephone(), *start, f"#{TEMPORARY}")).text


async def test_a_pin_is_changed_at_will(line: PhoneLine) -> None:
    """With the present one; the trail says by which door, and not to what."""
    handset = line.telephone()
    await walk(handset, "#1", "#1", f"#{PAYEE.external_id}", "#1", f"#{PIN}", "PIN change")
    hearing = await walk(handset, f"#{PIN}", f"#{NEW}", "#592711")
    assert "The two were not the same." in hearing.text
    hearing = await walk(handset, f"#{NEW}", f"#{NEW}")
    assert "Your PIN is changed." in hearing.text
    trail = await fetch(
        line.application, "SELECT act, details->>'by' AS by, actor FROM audit_entry ORDER BY id"
    )
    assert [(entry["act"], entry["by"]) for entry in trail] == [
        ("sign_in.succeeded", None),
        ("pin.changed", "phone"),
    ]
    await handset.hang_up()
    (last,) = await fetch(line.application, "SELECT act FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert last["act"] == "signed_out"


@pytest.mark.parametrize(
    ("where", "method", "due"),
    [
        ("email", "email", "Tuesday, November 24, 2026"),
        ("#2", "mail", "Wednesday, December 9, 2026"),
    ],
)
async def test_a_reset_goes_through_the_outbox_and_says_by_when(
    line: PhoneLine, where: str, method: str, due: str
) -> None:
    """By email or by post, to what is on file; what is said is the method's promise."""
    hearing = await walk(
        line.telephone(),
        *("#1", "yes", f"#{PAYEE.external_id}", "yes", "I don't know it", "yes", where),
        *(f"#{PAYEE.external_id}", "#1"),
    )
    assert f"should arrive by {due}." in hearing.text
    requests = await fetch(line.application, "SELECT id, participant_id, method FROM pin_request")
    assert requests == [{"id": 1, "participant_id": 1, "method": method}]
    assert await line.application.pin_requests.settle([1]) == 1
    (owed,) = await fetch(line.application, "SELECT notice, language FROM communication")
    assert owed == {"notice": "temporary_pin", "language": "es"}


async def test_a_reset_says_the_same_of_a_number_that_nobody_has(line: PhoneLine) -> None:
    """Known, unknown, or asked for too often: the same words, and no more than three a day."""
    heard = set()
    for number in (*[PAYEE.external_id] * 4, "9999999999"):
        start = ("#1", "#1", f"#{number}", "#1", "*", "#1", "#1")
        handset = line.telephone()
        await walk(handset, *start[:4], "#*", *start[5:], f"#{number}", "#1")
        heard.add(handset.hearing.text)
    assert len(heard) == 1
    requests = await fetch(line.application, "SELECT participant_id FROM pin_request ORDER BY id")
    assert [row["participant_id"] for row in requests] == [1, 1, 1, None]


async def test_lock_outs_are_shared_with_the_web(line: PhoneLine) -> None:
    """Failures at both doors are counted in one row; what is locked by one is locked at the other,
    and neither tells a wrong PIN, a locked number and an unknown one apart."""
    await _fail_on_the_web(line, 3)
    heard = [await _refused(line, PAYEE.external_id, "000001") for _ in range(2)]
    locked = await fetch(line.application, "SELECT FROM audit_entry WHERE act = 'sign_in.locked'")
    assert len(locked) == 1
    heard.append(await _refused(line, PAYEE.external_id, PIN))
    heard.append(await _refused(line, "9999999999", PIN))
    assert len(set(heard)) == 1


async def _fail_on_the_web(line: PhoneLine, times: int) -> None:
    for _ in range(times):
        attempt = Attempt(PAYEE.external_id, "000001", "192.0.2.7")
        assert await line.application.sign_in.attempt(attempt) is None


async def _refused(line: PhoneLine, number: str, pin: str) -> str:
    hearing = await walk(line.telephone(), "#1", "#1", f"#{number}", "#1", f"#{pin}")
    return hearing.text


async def test_three_refusals_lead_to_an_agent(line: PhoneLine) -> None:
    """Somebody who is let in nowhere is helped by a person, who is in at noon of a Monday."""
    handset = line.telephone()
    again = (f"#{PAYEE.external_id}", "#1", "#000001")
    hearing = await walk(handset, "#1", "#1", *again, *again, *again)
    assert hearing.agent == line.application.settings.phone_agent_number
    assert (await handset.after_agent()).hung_up


async def test_an_agent_is_asked_for_anywhere(line: PhoneLine) -> None:
    """By key or in either language, in every menu and while a number is waited for."""
    for steps in (
        ("#0",),
        ("#1", "agente, por favor"),
        ("#2", "#1", "I want an Agent!"),
        ("#2", "#1", "#0#"),
        ("#2", "#1", "#1234567890", "#1", "Agente"),
        ("#1", "#2", "#7", "zero"),
    ):
        hearing = await walk(line.telephone(), *steps)
        assert hearing.agent, steps


@pytest.mark.parametrize(
    ("language", "opens"),
    [("#1", "on Monday, November 30, 2026"), ("#2", "el lunes, 30 de noviembre de 2026")],
)
async def test_when_no_agent_is_in_the_hours_are_told(
    line: PhoneLine, language: str, opens: str
) -> None:
    """Outside office hours the hours and the next business day are told, and the call goes on."""
    line.hour.now = SATURDAY
    handset = line.telephone()
    hearing = await walk(handset, language, "#0")
    assert opens in hearing.text
    assert not hearing.hung_up
    assert not (await handset.press("1")).hung_up


async def test_an_agent_who_does_not_answer_is_not_the_end(line: PhoneLine) -> None:
    """The caller is told, and is where they were."""
    handset = line.telephone()
    before = await walk(handset, "#1")
    await handset.press("0")
    hearing = await handset.after_agent("no-answer")
    assert texts(hearing)[1:] == texts(before)


async def test_two_patient_retries_then_an_agent(line: PhoneLine) -> None:
    """Silence and what is not understood are met twice with patience, in office hours with a person
    then, and at night with the hours and a goodbye."""
    for now, ends in ((line.hour.now, False), (SATURDAY, True)):
        line.hour.now = now
        handset = line.telephone()
        await walk(handset, "#1", "#1")
        assert texts(await handset.wait())[0] == "Sorry, I did not hear you."
        second = texts(await handset.say("umm"))
        assert second[:2] == ("Sorry, I did not understand.", "Take your time: there is no hurry.")
        assert "on a child support check" in second[2]
        hearing = await handset.press("12")
        assert (bool(hearing.agent), hearing.hung_up) == (not ends, ends)


@pytest.mark.parametrize(("language", "word"), [("#1", "none of these"), ("#2", "ninguno")])
async def test_general_information_needs_no_number(
    line: PhoneLine, language: str, word: str
) -> None:
    """Whoever is no parent hears what the line is for, how to apply, and the TTY number."""
    handset = line.telephone()
    await walk(handset, language, "#2", word, "#1")
    assert len(texts(handset.hearing)) > 4
    await walk(handset, "#2")
    hearing = await walk(handset, "#3")
    tty = {"#1": "one, eight six six, three nine nine, four zero nine six"}
    tty["#2"] = "uno, ocho seis seis, tres nueve nueve, cuatro cero nueve seis"
    assert tty[language] in hearing.text
    assert (await walk(handset, "#*")).hung_up


async def test_a_demonstration_says_so(line: PhoneLine) -> None:
    """Until an agency's profile is set, a caller is told in both languages before anything."""
    hearing = await line.telephone().call()
    assert {said.language for said in hearing.lines[:2]} == {"en", "es"}
    assert hearing.lines[0].text == sentence("demonstration", "en", {})
