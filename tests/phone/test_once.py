"""A webhook that comes twice, late, early or to a call that is gone changes nothing twice."""

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from engine.phone.calls import Call
from engine.phone.paths import step_path
from engine.security.sessions import Stage
from tests.database_rows import fetch
from tests.phone.line import PAYEE, PIN, PhoneLine, walk

NEW = "592710"


async def acts(line: PhoneLine) -> list[object]:
    """What the audit trail has, in order."""
    rows = await fetch(line.application, "SELECT act FROM audit_entry ORDER BY id")
    return [row["act"] for row in rows]


async def test_every_step_of_a_call_may_come_twice(line: PhoneLine) -> None:
    """Each webhook is posted three times, as by a platform that saw no answer: every copy is
    answered with the same words, and one of each thing was done."""
    handset = line.telephone()
    await handset.call()
    steps = (
        *("1", "1", PAYEE.external_id, "1", "000001", PAYEE.external_id, "1", PIN),
        *("3", PIN, NEW, NEW, "1", "3", "*", "*"),
    )
    for keys in steps:
        path, fields = handset.hearing.action, handset.fields(Digits=keys)
        heard = await handset.press(keys)
        for _ in range(2):
            assert (await handset.send(path, fields)).text == (
                await handset.send(path, fields)
            ).text
            again = (await handset.send(path, fields)).text
        assert heard.lines[-1].text in again
    assert handset.hearing.hung_up
    assert await acts(line) == [
        *("sign_in.failed", "sign_in.succeeded", "pin.changed", "payments.heard", "signed_out")
    ]
    assert len(await fetch(line.application, "SELECT FROM communication")) == 1


async def test_a_reset_that_comes_twice_at_once_is_one(line: PhoneLine) -> None:
    """Of several copies that arrive together one is taken; all are answered."""
    # Each has a connection to Redis by now: none waits for one while another is taken.
    await asyncio.gather(*(line.telephone().call() for _ in range(6)))
    handset = await line.at(Call("confirm_reset", language="en", number=PAYEE.external_id))
    fields = handset.fields(Digits="1")
    answers = await asyncio.gather(*(handset.send(step_path(0), fields) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert all("<Gather" in answer.text for answer in answers)
    assert len(await fetch(line.application, "SELECT FROM pin_request")) == 1


@pytest.mark.parametrize("step", [0, 3, 9, 10_000])
async def test_a_step_that_is_not_the_calls_takes_nothing(line: PhoneLine, step: int) -> None:
    """Whatever it brings, the answer is where the call stands."""
    handset = line.telephone()
    before = await walk(handset, "#1", "#1")
    answer = await handset.send(step_path(step), handset.fields(Digits=PAYEE.external_id))
    assert before.lines[-1].text in answer.text
    assert f'action="{before.action}"' in answer.text
    hearing = await handset.press(PAYEE.external_id)
    assert "You entered" in hearing.text


async def test_a_call_is_told_twice_to_have_come_in(line: PhoneLine) -> None:
    """A call that is under way does not begin again."""
    handset = line.telephone()
    before = await walk(handset, "#1", "#1")
    assert (await handset.call()).lines == before.lines


async def test_a_lost_call_begins_anew_and_says_so(line: PhoneLine, redis: Redis) -> None:
    """Redis holds no truth: without it nobody is signed in, and what was pressed is not taken."""
    handset = line.telephone()
    await walk(handset, "#1", "#1", f"#{PAYEE.external_id}", "#1")
    await redis.flushall()
    hearing = await handset.press(PIN)
    assert "have to begin again" in hearing.text
    assert not await acts(line)
    assert "parent or guardian" in (await handset.press("1")).text


async def test_a_call_sealed_for_another_is_lost(line: PhoneLine, redis: Redis) -> None:
    """Whoever can write in Redis cannot put one caller's call in place of another's."""
    signed_in = await line.at(Call("main", language="en", token=await line.session_of(1)))
    thief = line.telephone()
    await thief.call()
    (theirs, mine) = (line.kept._name(each.call_id) for each in (signed_in, thief))
    await redis.copy(theirs, mine, replace=True)
    thief.hearing = replace(thief.hearing, action=step_path(0))
    assert "have to begin again" in (await thief.press("1")).text


async def test_a_call_expires(line: PhoneLine, redis: Redis) -> None:
    """Its state goes by itself, and at once when the caller hangs up; so does the session."""
    handset = await line.at(Call("main", language="en", token=await line.session_of(1)))
    name = line.kept._name(handset.call_id)
    assert 0 < await redis.ttl(name) <= 15 * 60
    await handset.hang_up()
    assert not await redis.exists(name)
    assert await acts(line) == ["signed_out"]


async def test_who_comes_back_from_an_agent_to_a_lost_call_is_done(line: PhoneLine) -> None:
    """After an hour with an agent nobody is welcomed again."""
    handset = line.telephone()
    await walk(handset, "#0")
    await line.kept.forget(handset.call_id)
    assert (await handset.after_agent()).hung_up


async def test_a_session_that_ended_signs_the_caller_out(line: PhoneLine) -> None:
    """As when the PIN is changed in a browser meanwhile: nothing private is said any more."""
    handset = await line.at(Call("payments", language="en", token=await line.session_of(1)))
    async with line.application.engine.begin() as connection:
        await line.application.sessions.end_others(connection, 1)
    hearing = await handset.press("3")
    assert "you were signed out" in hearing.text
    assert "dollars" not in hearing.text


async def test_a_temporary_pin_hears_no_payments(line: PhoneLine) -> None:
    """Wherever menus lead, what is private asks how far somebody is signed in."""
    token = await line.session_of(1, Stage.PIN_CHANGE)
    handset = await line.at(Call("payments", language="en", token=token))
    hearing = await handset.press("3")
    assert "choose a PIN" in hearing.text
    assert "dollars" not in hearing.text
