"""The feed and its webhooks, as a program meets them."""

from datetime import timedelta
from typing import Any

import httpx

from engine.case_system.keys import Scope
from tests.api.api_site import LECTORA, READER, V1, ApiSite, payment, record
from tests.database_rows import execute, fetch
from tests.webhook_server import listening

UNASKABLE = [
    ("limit", "0", 422),
    ("limit", "1001", 422),
    ("limit", "1e2", 422),
    ("notice", "carrier_pigeon", 422),
    ("cursor", "cur_made_up", 404),
    ("communication", "cmn_" + "A" * 32, 404),
]


async def happened(api: ApiSite) -> list[str]:
    """Two communications are recorded and delivered; their ids."""
    client = await api.client(Scope.COMMUNICATIONS_WRITE)
    told = [(await record(client, payment(each.external_id))).json() for each in (READER, LECTORA)]
    rows = await fetch(api.application, "SELECT id FROM delivery ORDER BY id")
    await api.application.dispatcher.deliver([int(str(row["id"])) for row in rows])
    await api.application.numbering.run()
    return [each["id"] for each in told]


async def read(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    """A page of the feed."""
    answer = await client.get(f"{V1}/events", params=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_the_feed_is_read_on_by_its_cursor(api: ApiSite) -> None:
    """A few at a time or all at once, the same events in the same order; each leads to its
    communication, and holds nothing of its reader."""
    recorded = await happened(api)
    client = await api.client(Scope.EVENTS_READ)
    whole = await read(client)
    page, found = await read(client, limit=1), []
    while page["events"]:
        found += page["events"]
        page = await read(client, limit=1, cursor=page["cursor"])
    assert found == whole["events"]
    assert page["cursor"] == whole["cursor"]
    assert not whole["more"]
    assert [event["communication"]["id"] for event in found] == [recorded[0], *[recorded[1]] * 2]
    assert {event["type"] for event in found} == {"delivery.gathered", "delivery.accepted"}
    for person in (READER, LECTORA):
        for personal in (person.external_id, person.last_name, str(person.email)):
            assert personal not in str(whole)
    (first,) = (await read(client, communication=recorded[0]))["events"]
    assert first == found[0]
    assert (await read(client, notice="monthly_statement"))["events"] == []
    assert (await client.get(f"{V1}/communications/{recorded[0]}")).status_code == 403


async def test_what_cannot_be_asked_is_named(api: ApiSite) -> None:
    """The parameter, and what it may be."""
    client = await api.client()
    for name, written, status in UNASKABLE:
        answer = await client.get(f"{V1}/events", params={name: written})
        assert answer.status_code == status, (name, written)
        assert answer.json()["detail"].startswith(f"{name}: ")


async def test_a_cursor_from_before_what_is_kept_is_said_to_be_gone(api: ApiSite) -> None:
    """410, never a gap."""
    client = await api.client()
    before = (await read(client))["cursor"]
    await happened(api)
    await execute(
        api.application, "UPDATE feed_event SET at = at - $1::interval", timedelta(days=60)
    )
    await api.application.purge.run("o.perator")
    answer = await client.get(f"{V1}/events", params={"cursor": before})
    assert (answer.status_code, answer.json()["type"]) == (410, "/api/v1/problems#cursor-gone")
    assert (await read(client))["events"] == []


async def test_a_webhook_is_managed_by_a_program(api: ApiSite) -> None:
    """From its adding, at a cursor of the feed, to its removal; the secret is shown when it is
    made, and the worker posts what the feed tells."""
    client = await api.client(Scope.WEBHOOKS_MANAGE, Scope.EVENTS_READ)
    start = (await read(client))["cursor"]
    async with listening() as hook:
        body = {"url": hook.url, "notices": ["payment_notice"], "cursor": start}
        added = await client.post(f"{V1}/webhooks", json=body)
        assert added.status_code == 201, added.text
        told, at = added.json(), added.headers["Location"]
        assert told["secret"].startswith("whsec_")
        await happened(api)
        run = api.application.webhook_run
        assert await run.post(await run.due()) == 3
        feed = await read(client)
        assert hook.messages[0]["data"]["cursor"] == feed["cursor"]
        posted = [event["id"] for event in hook.messages[0]["data"]["events"]]
        assert posted == [event["id"] for event in feed["events"]]
    looked = await client.get(at)
    assert looked.json()["cursor"] == feed["cursor"]
    assert looked.json()["last_answer"] == "status 204"
    rotated = (await client.post(f"{at}/rotate")).json()
    assert rotated["secret"] not in {None, told["secret"]}
    assert rotated["old_secret_until"] is not None
    assert (await client.post(f"{at}/disable")).json()["disabled_why"] == "asked"
    assert (await client.post(f"{at}/enable")).json()["disabled_why"] is None
    listed = await client.get(f"{V1}/webhooks")
    assert [each["id"] for each in listed.json()["webhooks"]] == [told["id"]]
    assert "whsec_" not in listed.text
    assert (await client.delete(at)).status_code == 204
    assert (await client.get(at)).status_code == 404
    assert (await (await api.client(Scope.EVENTS_READ)).get(f"{V1}/webhooks")).status_code == 403


async def test_a_webhook_that_cannot_be_one_is_refused(api: ApiSite) -> None:
    """What is no notice is named by its place, a URL into our own network by its field; and what
    was sent is not repeated."""
    client = await api.client()
    asked = {"url": "https://hooks.example.org/", "notices": ["payment_notice", "pigeon"]}
    answer = await client.post(f"{V1}/webhooks", json=asked)
    assert [each["pointer"] for each in answer.json()["errors"]] == ["#/notices/1"]
    for url in ("https://10.0.0.5/", "http://hooks.example.org/", "https://u:p@hooks.example.org/"):
        answer = await client.post(f"{V1}/webhooks", json={"url": url})
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == ["#/url"]
        assert url not in answer.text
