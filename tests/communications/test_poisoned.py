"""What nothing can be made of is called out, and the others go on."""

import pytest

from engine.alarms.kinds import Alarm, counted
from engine.bootstrap import Application
from engine.communications.rendering import Renderer, RenderError
from tests import people
from tests.database_rows import execute, states
from tests.promises import payment, record
from tests.smtp_server import SmtpServer


async def recorded(application: Application) -> list[int]:
    """Two payment notices."""
    persons = await people.add(application.engine, *people.crowd(2))
    return await record(
        application, *(payment(person, key=f"payment:{person}") for person in persons)
    )


async def test_a_row_that_cannot_be_read_is_an_alarm(
    application: Application, smtp: SmtpServer
) -> None:
    """It is set aside, the other is sent; once a person has settled it the alarm is over."""
    ids = await recorded(application)
    await execute(application, "UPDATE communication SET facts = '{}' WHERE id = 1")
    await application.dispatcher.deliver(ids)
    assert set(await states(application)) == {"held", "sent"}
    assert await application.poison.look() == [
        Alarm("unreadable", "payment_notice by email", f"deliveries: 1 ({ids[0]})")
    ]
    (alarm,) = await application.alarms.standing()
    assert alarm.kind == "unreadable"
    await execute(application, "UPDATE communication SET state = 'cancelled' WHERE id = 1")
    assert await application.poison.look() == []
    assert await application.alarms.standing() == []


async def test_a_message_that_cannot_be_built_is_an_alarm(
    application: Application, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it waits for whoever mends its template; what is only late is none."""

    def fault(*_: object) -> None:
        raise RenderError("payment_notice: a fault")

    ids = await recorded(application)
    await execute(application, "UPDATE delivery SET reason = 'connect' WHERE id = $1", ids[0])
    with monkeypatch.context() as faulty:
        faulty.setattr(Renderer, "email", fault)
        await application.dispatcher.deliver(ids[1:])
    assert await application.poison.look() == [
        Alarm("not_built", "payment_notice by email", f"deliveries: 1 ({ids[1]})")
    ]
    await execute(application, "UPDATE delivery SET next_attempt_at = now()")
    await application.dispatcher.deliver(ids)
    assert await application.poison.look() == []
    assert len(smtp.taken) == 2


def test_many_are_counted_and_the_first_are_named() -> None:
    """A message of a thousand ids is read by nobody."""
    assert counted("deliveries", 7, [1, 2, 3]) == "deliveries: 7 (1, 2, 3 and 4 more)"
