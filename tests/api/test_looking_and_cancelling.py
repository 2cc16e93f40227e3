"""Looking at a communication, and cancelling what has not left."""

import re
from collections.abc import Mapping
from datetime import timedelta

import httpx

from engine.case_system.keys import Scope
from engine.communications.catalogue import PAYMENT_NOTICE
from engine.communications.outcomes import Outcome
from engine.communications.states import Event
from tests.api.api_site import LECTORA, READER, V1, ApiSite, payment, record
from tests.database_rows import delivery_ids, execute, fetch

PERSONAL = (READER, LECTORA)


async def recorded(client: httpx.AsyncClient, participant: str = READER.external_id) -> str:
    """A communication; the path it stands at."""
    answer = await record(client, payment(participant))
    assert answer.status_code == 201
    return answer.headers["Location"]


async def happen(api: ApiSite, delivery_id: int, *events: Event) -> None:
    """What became of a delivery."""
    for event in events:
        async with api.application.engine.begin() as connection:
            await api.application.outcomes.record(connection, [Outcome(delivery_id, event)])


async def test_one_is_looked_at_with_all_that_became_of_it(api: ApiSite) -> None:
    """Its failed delivery, the one that took over, the events of both, the promise that was missed
    and the new deadline; and nothing of whose it is."""
    client = await api.client()
    path = await recorded(client, LECTORA.external_id)
    inbox, _ = await delivery_ids(api.application)
    await happen(api, inbox, Event.CLAIMED, Event.REFUSED)
    told = (await client.get(path)).json()
    assert (told["state"], told["step"], told["due_by"]) == ("owed", 1, "2026-12-09")
    standings = [(each["channel"], each["state"], each["step"]) for each in told["deliveries"]]
    assert standings == [("inbox", "failed", 0), ("email", "cancelled", 0), ("mail", "owed", 1)]
    events = [each["event"] for each in told["deliveries"][0]["events"]]
    assert events == ["claimed", "refused"]
    assert [each["event"] for each in told["events"]] == ["promise_missed"]
    text = (await client.get(path)).text
    for person in PERSONAL:
        for value in (person.external_id, person.first_name, person.last_name, person.email):
            assert str(value) not in text


async def test_what_another_door_recorded_is_looked_at_and_not_cancelled(api: ApiSite) -> None:
    """The portal's own, a PIN's letter for one, are its own to cancel."""
    await execute(
        api.application,
        "INSERT INTO communication (idempotency_key, notice, participant_id, language, urgency,"
        " facts, template_version, route, requested_at, due_by)"
        " VALUES ('payment_notice:1', $1, 1, 'en', 'bulk', '{}', '1', '[]', now(), now())",
        PAYMENT_NOTICE.key,
    )
    client = await api.client()
    path = f"{V1}/communications/{api.application.identifiers.shown('communication', 1)}"
    assert (await client.get(path)).status_code == 200
    answer = await client.post(f"{path}/cancel")
    assert (answer.status_code, answer.json()["type"]) == (
        403,
        "/api/v1/problems#recorded-elsewhere",
    )


async def test_what_is_owed_or_held_is_cancelled_once(api: ApiSite) -> None:
    """Its delivery by the state table, and the promise with it; asked again, nothing changes."""
    client = await api.client()
    ways: list[list[Event]] = [[], [Event.HELD], [Event.CLAIMED, Event.PUT_BACK]]
    for events in ways:
        path = await recorded(client)
        (delivery,) = await delivery_ids(api.application)
        await happen(api, delivery, *events)
        first = await client.post(f"{path}/cancel")
        assert (first.status_code, first.json()["state"]) == (200, "cancelled"), events
        assert first.json()["deliveries"][0]["events"][-1]["reason"] == "case_system"
        again = await client.post(f"{path}/cancel")
        assert (again.status_code, again.json()) == (200, first.json())
    told = await fetch(
        api.application,
        "SELECT actor, participant_id FROM audit_entry WHERE act = 'api.cancelled'",
    )
    assert [(str(row["actor"])[:4], row["participant_id"]) for row in told] == [("api:", 1)] * 3


async def test_what_has_left_is_not_cancelled(api: ApiSite) -> None:
    """Emailed, handed over or mailed: 409, and everything stays as it was."""
    client = await api.client()
    letter = [Event.CLAIMED, Event.GATHERED, Event.HANDED_OVER]
    for events in ([Event.CLAIMED, Event.ACCEPTED], letter, [*letter, Event.MAILED]):
        path = await recorded(client)
        (delivery,) = await delivery_ids(api.application)
        await happen(api, delivery, *events)
        before = (await client.get(path)).json()
        answer = await client.post(f"{path}/cancel")
        assert (answer.status_code, answer.json()["type"]) == (409, "/api/v1/problems#has-left")
        assert (await client.get(path)).json() == before


async def test_what_lies_in_a_stored_batch_has_left(api: ApiSite) -> None:
    """It is immutable: its letters leave with it. Of one that is open, or closing, a letter is
    taken out."""
    client = await api.client()
    paths = [await recorded(client) for _ in range(3)]
    deliveries = await delivery_ids(api.application)
    for delivery, state in zip(deliveries, ("open", "closing", "stored"), strict=True):
        await happen(api, delivery, Event.CLAIMED, Event.GATHERED)
        await in_batch(api, delivery, state)
    answers = [(await client.post(f"{path}/cancel")).status_code for path in paths]
    assert answers == [200, 200, 409]


async def in_batch(api: ApiSite, delivery: int, state: str) -> None:
    """Put a letter into a batch of its own."""
    await execute(
        api.application,
        "WITH batch AS (INSERT INTO print_batch (job, env, state, opened_at, name, sha256, bytes)"
        " VALUES ($3, 'test', $2, now(), $3, sha256(''), 1) RETURNING id)"
        " INSERT INTO print_piece (piece_id, batch_id, delivery_id)"
        " SELECT gen_random_uuid(), id, $1 FROM batch",
        delivery,
        state,
        state,
    )


async def test_what_a_worker_holds_is_asked_for_again(api: ApiSite) -> None:
    """While its lease runs nobody knows whether it leaves; when the lease is over it is ours."""
    client = await api.client()
    path = await recorded(client)
    lease = "UPDATE delivery SET state = 'sending', leased_until = clock_timestamp() + $1"
    await execute(api.application, lease, timedelta(minutes=1))
    answer = await client.post(f"{path}/cancel")
    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "30")
    assert answer.json()["type"] == "/api/v1/problems#being-sent"
    await execute(api.application, lease, timedelta(minutes=-1))
    assert (await client.post(f"{path}/cancel")).status_code == 200


async def test_a_task_that_nothing_is_open_of_is_taken_back(api: ApiSite) -> None:
    """Nobody is asked to mend an address for what is not to be told any more."""
    client = await api.client()
    path = await recorded(client)
    (delivery,) = await delivery_ids(api.application)
    await happen(api, delivery, Event.CLAIMED, Event.REFUSED)
    assert (await client.get(path)).json()["state"] == "held"
    assert (await client.post(f"{path}/cancel")).json()["state"] == "cancelled"
    assert await api.application.held.tasks() == []


async def test_an_id_that_is_none_of_ours_is_not_found(api: ApiSite) -> None:
    """Neither looked at nor cancelled: a number that is counted up is no id."""
    client = await api.client(Scope.COMMUNICATIONS_READ, Scope.COMMUNICATIONS_WRITE)
    await recorded(client)
    for id_ in ("1", "cmn_" + "A" * 32, "evt_" + "A" * 32, "cmn_", "%00", "cmn_" + "é" * 32):
        for answer in (
            await client.get(f"{V1}/communications/{id_}"),
            await client.post(f"{V1}/communications/{id_}/cancel"),
        ):
            found = (answer.status_code, answer.json()["type"])
            assert found == (404, "/api/v1/problems#not-found"), id_


async def test_the_catalogue_says_what_is_recorded_and_why_the_rest_is_not(api: ApiSite) -> None:
    """A secret never, and what only the portal or the clock may raise: each says so. What may be
    recorded has a schema, which our own example fits and which asks for no name."""
    answer = await (await api.client(Scope.EVENTS_READ)).get(f"{V1}/catalogue")
    notices: Mapping[str, dict[str, object]] = {
        each["notice"]: each for each in answer.json()["notices"]
    }
    assert [key for key, each in notices.items() if each["recordable"]] == [
        "appointment_scheduled",
        "appointment_changed",
        "appointment_cancelled",
        "payment_notice",
        "document_ready",
    ]
    for each in notices.values():
        assert (each["why_not"] is None) == each["recordable"] == (each["facts_schema"] is not None)
    assert "secret" in str(notices["temporary_pin"]["why_not"])
    schema = notices["payment_notice"]["facts_schema"]
    assert isinstance(schema, dict)
    assert set(schema["required"]) == {"direction", "amount_cents", "paid_on", "case_number"}
    assert re.fullmatch(schema["properties"]["case_number"]["pattern"], "0" * 15)
