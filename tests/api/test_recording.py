"""Recording over the API: once, whole, in the reader's language, by the way they chose."""

import asyncio
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from engine.case_system.keys import Scope
from engine.case_system.recording import KEY_PREFIX
from engine.communications.outbox import Transaction
from tests.api.api_site import (
    CASE,
    LECTORA,
    OTHERS,
    READER,
    V1,
    ApiSite,
    appointment,
    payment,
    record,
)
from tests.database_rows import execute, fetch

NOBODY = "9999999999"


def pointers(answer: httpx.Response) -> list[str]:
    """Where a problem says that something is wrong."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    return [each["pointer"] for each in answer.json()["errors"]]


async def recorded(api: ApiSite) -> int:
    """How many communications there are."""
    (row,) = await fetch(api.application, "SELECT count(*) AS number FROM communication")
    return int(str(row["number"]))


async def test_one_is_recorded_with_its_way_and_its_deadline(api: ApiSite) -> None:
    """As the outbox records everything: the name from the caseload, the reader's language, the
    route that the reader chose; and the answer holds nothing of the reader's."""
    answer = await record(await api.client(Scope.COMMUNICATIONS_WRITE), payment())
    assert answer.status_code == 201
    told = answer.json()
    assert answer.headers["Location"] == f"{V1}/communications/{told['id']}"
    assert (told["notice"], told["language"], told["state"]) == ("payment_notice", "en", "owed")
    assert told["due_by"] == "2026-12-09"
    assert [(each["channel"], each["state"]) for each in told["deliveries"]] == [("mail", "owed")]
    for personal in (READER.first_name, READER.last_name, READER.external_id, CASE, "48250"):
        assert personal not in answer.text
    (row,) = await fetch(
        api.application, "SELECT idempotency_key, facts, participant_id FROM communication"
    )
    assert str(row["idempotency_key"]).startswith(KEY_PREFIX)
    assert CASE in str(row["facts"])
    (entry,) = await fetch(
        api.application, "SELECT actor, details FROM audit_entry WHERE act = 'api.recorded'"
    )
    assert str(entry["actor"]).startswith("api:")


async def test_a_reader_without_paper_is_told_in_the_inbox_and_by_email(api: ApiSite) -> None:
    """In Spanish, by the way that the portal's own notices go."""
    told = (await record(await api.client(), payment(LECTORA.external_id))).json()
    assert told["language"] == "es"
    assert [each["channel"] for each in told["deliveries"]] == ["inbox", "email"]


async def test_a_thousand_are_one_transaction_and_come_back_in_order(api: ApiSite) -> None:
    """Of all notices mixed; two statements of the same words are two communications."""
    asks = [payment() if turn % 2 else appointment() for turn in range(1_000)]
    answer = await record(
        await api.client(), {"communications": asks}, path="/communications/batch"
    )
    assert answer.status_code == 201, answer.text
    told = answer.json()["communications"]
    assert [each["notice"] for each in told] == [ask["notice"] for ask in asks]
    assert len({each["id"] for each in told}) == len(asks)
    rows = await fetch(api.application, "SELECT DISTINCT recorded_at FROM communication")
    assert len(rows) == 1
    assert await recorded(api) == len(asks)


async def test_anything_wrong_with_one_of_many_records_none(api: ApiSite) -> None:
    """Every fault is named by its item and its field, and no value that was sent is repeated."""
    asks: list[Any] = [
        payment(),
        payment(NOBODY),
        payment(OTHERS.external_id),
        appointment(starts_at="2026-11-23T08:00:00-08:00"),
        appointment(OTHERS.external_id, starts_at="2026-11-24T09:30:00-08:00"),
    ]
    client = await api.client()
    answer = await record(client, {"communications": asks}, path="/communications/batch")
    assert answer.status_code == 422
    assert pointers(answer) == [
        "#/communications/1/participant_id",
        "#/communications/2/facts/case_number",
        "#/communications/3/facts/starts_at",
        "#/communications/4/facts/starts_at",
    ]
    for sent in (NOBODY, CASE, OTHERS.external_id, "2026-11-2"):
        assert sent not in answer.text
    assert await recorded(api) == 0
    # What was refused is not remembered: mended, it may come under the same key.
    key = str(uuid4())
    assert (await record(client, payment(NOBODY), key=key)).status_code == 422
    assert (await record(client, payment(), key=key)).status_code == 201


async def test_an_applicant_is_no_participant_of_the_case_system(api: ApiSite) -> None:
    """Whoever applied has a row, under a number that no Participant ID Number looks like."""
    await execute(
        api.application,
        "INSERT INTO participant (external_id, first_name, last_name, language)"
        " VALUES ('applicant-7', 'Ana', 'Ruiz', 'es')",
    )
    answer = await record(await api.client(), payment("applicant-7"))
    assert (answer.status_code, pointers(answer)) == (422, ["#/participant_id"])


UNFIT: Final[list[tuple[Any, list[str]]]] = [
    ({}, ["#/notice"]),
    ([], ["#"]),
    (payment() | {"notice": "temporary_pin"}, ["#/notice"]),
    (payment() | {"notice": "security_alert"}, ["#/notice"]),
    (payment() | {"extra": 1}, ["#/extra"]),
    (payment() | {"María Peña": 1}, ["#"]),
    (payment() | {"participant_id": 42}, ["#/participant_id"]),
    (payment() | {"facts": None}, ["#/facts"]),
    (payment(name="María"), ["#/facts/name"]),
    (payment(amount_cents="5"), ["#/facts/amount_cents"]),
    (payment(amount_cents=0), ["#/facts/amount_cents"]),
    (payment(amount_cents=True), ["#/facts/amount_cents"]),
    (payment(paid_on="2026-02-30"), ["#/facts/paid_on"]),
    (payment(paid_on=20261120), ["#/facts/paid_on"]),
    (payment(direction="both", case_number="1"), ["#/facts/direction", "#/facts/case_number"]),
    (appointment(place="=HYPERLINK()"), ["#/facts/place"]),
    (appointment(place=""), ["#/facts/place"]),
    (appointment(starts_at="2026-12-15T09:30:00"), ["#/facts/starts_at"]),
]


async def test_what_cannot_be_used_is_named_and_not_repeated(api: ApiSite) -> None:
    """The field by JSON Pointer; of a name that was made up only what looks like a field's."""
    client = await api.client()
    for body, found in UNFIT:
        answer = await record(client, body)
        assert (answer.status_code, pointers(answer)) == (422, found), body
        assert "María" not in answer.text
        assert "HYPERLINK" not in answer.text


async def test_the_same_request_again_is_answered_alike_and_tells_once(api: ApiSite) -> None:
    """With its fields in another order too; the answer is the one that was given then."""
    client, key = await api.client(), str(uuid4())
    first = await record(client, payment(), key=key)
    await execute(api.application, "UPDATE communication SET state = 'cancelled'")
    again = await record(client, dict(reversed(payment().items())), key=f'"{key}"')
    assert (again.status_code, again.text) == (201, first.text)
    assert again.headers["Location"] == first.headers["Location"]
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (
        None,
        "true",
    )
    assert await recorded(api) == 1


async def test_a_key_is_for_one_request_of_one_program(api: ApiSite) -> None:
    """Another body under it, or another path, is a 409; another program's key is another key."""
    client, key = await api.client(), str(uuid4())
    assert (await record(client, payment(), key=key)).status_code == 201
    other = await record(client, payment(amount_cents=1), key=key)
    many = {"communications": [payment()]}
    elsewhere = await record(client, many, key=key, path="/communications/batch")
    for answer in (other, elsewhere):
        assert answer.status_code == 409
        assert answer.json()["type"] == "/api/v1/problems#idempotency-key-reused"
    assert await recorded(api) == 1
    assert (await record(await api.client(), payment(), key=key)).status_code == 201


async def test_the_same_request_twice_at_once_is_carried_out_once(
    api: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is told to wait while the first is at work, by a problem of its own type."""
    record_all, entered, go_on = Transaction.record_all, asyncio.Event(), asyncio.Event()

    async def slowly(self: Transaction, asked: Any) -> dict[str, int]:
        entered.set()
        await go_on.wait()
        return await record_all(self, asked)

    monkeypatch.setattr(Transaction, "record_all", slowly)
    client, key = await api.client(), str(uuid4())
    first = asyncio.create_task(record(client, payment(), key=key))
    await entered.wait()
    second = await record(client, payment(), key=key)
    go_on.set()
    assert second.status_code == 409
    assert second.json()["type"] == "/api/v1/problems#idempotency-key-at-work"
    assert second.headers["Retry-After"]
    assert (await first).status_code == 201
    assert await recorded(api) == 1


async def test_nothing_is_recorded_without_a_key_that_can_be_read(api: ApiSite) -> None:
    """A caller that forgot it is told, rather than telling somebody twice."""
    client = await api.client()
    unfit: list[list[str]] = [[], ["a b"], [""], ['"open'], ["one", "two"], ["x" * 129]]
    for keys in unfit:
        headers = [("Idempotency-Key", key) for key in keys]
        answer = await client.post(f"{V1}/communications", json=payment(), headers=headers)
        assert answer.status_code == 400, keys
        assert answer.json()["type"] == "/api/v1/problems#idempotency-key-missing"


async def test_a_notice_of_a_known_appointment_is_about_it(api: ApiSite) -> None:
    """So that it is stopped when the appointment is moved, and its email has a calendar file."""
    told = appointment()["facts"]
    await execute(
        api.application,
        "INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place,"
        " status) SELECT 'A1', 1, id, 'office', $2::timestamptz, $3, 'scheduled'"
        " FROM participant WHERE external_id = $1",
        LECTORA.external_id,
        (api.application.clock() + timedelta(days=22)).replace(hour=9, minute=30),
        told["place"],
    )
    client = await api.client()
    for place in (told["place"], "Elsewhere"):
        assert (await record(client, appointment(place=place))).status_code == 201
    rows = await fetch(api.application, "SELECT subject FROM communication ORDER BY id")
    assert [row["subject"] for row in rows] == ["appointment:1", None]
