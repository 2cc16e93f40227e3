"""The door of the line: what is let in, what is kept out, and where a PIN does not go."""

import pytest
import structlog
from redis.asyncio import Redis

from engine.logs import configure_logs
from engine.phone.calls import Call
from engine.phone.handset import Handset
from engine.phone.paths import CALL, STATUS, step_path
from tests.phone.line import BASE, NEWCOMER, PIN, SATURDAY, TEMPORARY, PhoneLine, walk

NEW = "592710"


@pytest.mark.parametrize("path", [CALL, step_path(0), STATUS])
async def test_what_the_platform_did_not_sign_is_refused(line: PhoneLine, path: str) -> None:
    """Without a signature, with another token's, and with one of other fields or of another
    address: nothing is said, and nothing is kept."""
    handset = line.telephone()
    fields = handset.fields(Digits="1")
    good = await handset.send(path, fields)
    signature = good.request.headers["X-Twilio-Signature"]
    forger = Handset(line.client, BASE, "another token", handset.number)
    attempts = [
        await line.client.post(path, data=fields),
        await forger.send(path, fields),
        await line.client.post(
            path, data=fields | {"Digits": "2"}, headers={"X-Twilio-Signature": signature}
        ),
        await line.client.post(
            f"{path}?a=b", data=fields, headers={"X-Twilio-Signature": signature}
        ),
    ]
    assert {answer.status_code for answer in attempts} == {403}
    assert "<" not in "".join(answer.text for answer in attempts)


async def test_nothing_is_taken_from_an_address(line: PhoneLine) -> None:
    """A platform that is set up to GET would write a PIN into every log on its way: it is told so
    at once, by an error."""
    answer = await line.client.get(CALL, params={"CallSid": "CA1", "Digits": PIN})
    assert answer.status_code == 405


@pytest.mark.parametrize("call_id", ["", "../x", "C" * 65, "ñ", "a b"])
async def test_a_webhook_of_no_call_is_refused(line: PhoneLine, call_id: str) -> None:
    """Signed or not."""
    handset = line.telephone()
    answer = await handset.send(CALL, {"CallSid": call_id})
    assert answer.status_code == 400


async def test_a_pin_goes_nowhere(
    line: PhoneLine, redis: Redis, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through a sign-in, a wrong PIN, a new one and its confirmation: no PIN is in an address, in
    what is said, in Redis, in a log or in the trail; the telephone's number is in none either."""
    configure_logs(cached=False)
    handset = line.telephone("+19165550177")
    seen: list[str] = []
    steps = (
        *("#1", "#1", f"#{NEWCOMER.external_id}", "#1", "#135792"),
        *(f"#{NEWCOMER.external_id}", "#1", f"#{TEMPORARY}", "#24680"),
        *(f"#{NEW}", "#592711", f"#{NEW}", f"#{NEW}", "#3"),
    )
    for step in steps:
        hearing = await walk(handset, step)
        kept = [str(await redis.dump(name)) for name in await redis.keys("*")]
        seen += [hearing.text, hearing.action, *kept]
    assert "Please enter the PIN that you have now." in hearing.text
    seen.append("".join(capfd.readouterr()))
    structlog.reset_defaults()
    async with line.application.engine.connect() as connection:
        trail = await connection.exec_driver_sql("SELECT audit_entry::text FROM audit_entry")
        seen += [row[0] for row in trail]
    whole = " ".join(seen)
    assert "phone_call_begun" in whole
    assert "pin.changed" in whole
    for pin in ("135792", TEMPORARY, "24680", NEW, "592711", "9165550177"):
        assert pin not in whole


async def test_what_fails_inside_is_said_politely(
    line: PhoneLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller is connected with an agent, or asked to call later, in both languages; no error
    page, and nothing of the reason."""

    async def broken(*_: object) -> None:
        raise RuntimeError("Telltale")

    handset = await line.at(Call("recent_payments", language="es"))
    monkeypatch.setattr("engine.phone.conversation.Conversation._take", broken)
    hearing = await handset.press("1")
    assert hearing.agent
    assert {said.language for said in hearing.lines} == {"en", "es"}
    assert "Telltale" not in hearing.text
    line.hour.now = SATURDAY
    handset = await line.at(Call("main", language="es"))
    assert (await handset.press("1")).hung_up


async def test_more_fields_than_a_platform_sends_are_refused(line: PhoneLine) -> None:
    """Bodies are bounded."""
    handset = line.telephone()
    many = handset.fields() | {f"Field{number}": "" for number in range(200)}
    assert (await handset.send(CALL, many)).status_code == 400
