"""Sealed columns: a connection seals and opens them, each for its own row alone."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.caseload import personal
from engine.caseload.personal import CONTACT, EVERY, FIELDS, NAME, NAMES, NAMES_APART
from engine.communications.catalogue import CATALOGUE
from engine.communications.frozen_facts import PERSONAL_FACTS
from engine.database import create_engine, driver_connection
from engine.errors import SettingsError
from engine.security.resealing import IN_CLEAR, held, require_keys, reseal
from engine.security.sealed_columns import (
    ColumnSealer,
    Unreadable,
    box_of,
    fingerprint_of,
    key_of,
)
from engine.security.sealing import SealError, SecretBox
from tests import people
from tests.database_rows import delivery_ids, execute, fetch
from tests.promises import payment, record

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
BOTH: Final = {"old": OLD, "new": NEW}
OPEN_FACTS: Final = {
    "kind", "starts_at", "place", "was_at", "case_number", "direction", "amount_cents", "paid_on",
    "month", "lines", "made_cents", "sent_cents", "document", "ready_on", "waiting_since",
    "happened_at", "why", "since", "participant_number", "what", "hours", "locked_at",
    "replied_on", "number", "received_on",
}  # fmt: skip


def sealer(current: str, keys: Mapping[str, bytes] = BOTH) -> ColumnSealer:
    """Seals under `current`."""
    return ColumnSealer(SecretBox(keys, current), b"fingerprints")


@asynccontextmanager
async def engine_of(url: str, attached: ColumnSealer) -> AsyncIterator[AsyncEngine]:
    """An engine that seals and opens with it."""
    engine = create_engine(url, sealer=attached)
    yield engine
    await engine.dispose()


async def asked(engine: AsyncEngine, query: str, *arguments: object) -> list[Any]:
    """Rows of a query; what it changes is committed."""
    async with engine.begin() as connection:
        driver = await driver_connection(connection)
        return list(await driver.fetch(query, *arguments))


async def until_waiting(driver: Any) -> None:
    """Until somebody waits for a lock."""
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while not await driver.fetchval(waits):  # noqa: ASYNC110  PostgreSQL tells nobody who waits
        await asyncio.sleep(0)


async def rotated(engine: AsyncEngine, current: str = "new") -> tuple[int, list[int]]:
    """Seal everything under `current`: how many were, and the ids of those that do not open."""
    batches = [batch async for batch in reseal(engine, EVERY, current)]
    unreadable = [id_ for batch in batches for id_ in batch.unreadable]
    return sum(batch.sealed for batch in batches), unreadable


async def keys_of(engine: AsyncEngine) -> dict[str, int]:
    """Key → rows, of names and contacts."""
    found: dict[str, int] = {}
    async with engine.connect() as connection:
        driver = await driver_connection(connection)
        for column in (NAMES, CONTACT):
            for key, rows in (await held(driver, column)).items():
                found[key] = found.get(key, 0) + rows
    return found


async def test_what_is_in_the_clear_is_read_and_sealed_on_the_way(
    database: AsyncEngine, postgres_url: str
) -> None:
    """A row from before is read as it stands; sealed, it reads the same, and nothing of it is left
    in the clear."""
    await people.add(database, *people.crowd(3))
    query = (
        f"SELECT {NAME} AS name, {NAMES_APART} AS apart, {FIELDS} AS fields, kind FROM participant"
        " JOIN contact_point ON participant_id = participant.id ORDER BY contact_point.id"
    )
    async with engine_of(postgres_url, sealer("old")) as engine:
        before = await asked(engine, query)
        assert before[0]["name"] == "Inés Peña-Ibáñez"
        assert before[0]["apart"] == "Inés\nPeña-Ibáñez"
        assert before[0]["fields"] == {"email": "person1@example.com"}
        assert await rotated(engine, "old") == (9, [])
        assert await asked(engine, query) == before
        left = await asked(
            engine,
            "SELECT FROM participant JOIN contact_point ON participant_id = participant.id"
            " WHERE coalesce(first_name, last_name, email, phone, addr1, city, state) IS NOT NULL",
        )
        assert left == []


async def test_a_rotation_leaves_nothing_under_the_old_key(
    database: AsyncEngine, postgres_url: str
) -> None:
    """New rows are sealed under the new key at once, old ones open until they are sealed anew, and
    after that without the old key; called again, it finds nothing to do."""
    await people.add(database, people.Person())
    async with engine_of(postgres_url, sealer("old")) as engine:
        await rotated(engine, "old")
    async with engine_of(postgres_url, sealer("new")) as engine:
        [row] = await asked(engine, f"SELECT {NAME} AS name FROM participant")
        assert row["name"] == "Inés Peña-Ibáñez"
        assert await keys_of(engine) == {"old": 3}
        assert await rotated(engine) == (3, [])
        assert await rotated(engine) == (0, [])
    async with engine_of(postgres_url, sealer("new", {"new": NEW})) as engine:
        assert await keys_of(engine) == {"new": 3}
        [row] = await asked(
            engine, f"SELECT {FIELDS} AS fields FROM contact_point WHERE kind = 'email'"
        )
        assert row["fields"] == {"email": "ines@example.com"}


async def test_a_rotation_that_was_cut_short_goes_on(
    database: AsyncEngine, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sealed by then stays; the next call does the rest, and no row twice."""
    monkeypatch.setattr("engine.security.resealing.AT_ONCE", 2)
    await people.add(database, *people.crowd(5))
    async with engine_of(postgres_url, sealer("new")) as engine:
        batches = reseal(engine, EVERY, "new")
        first = [(await anext(batches)).sealed for _ in range(2)]
        await batches.aclose()  # type: ignore[attr-defined]
        assert first == [2, 2]
        assert await keys_of(engine) == {"new": 4, IN_CLEAR: 11}
        assert await rotated(engine) == (11, [])


async def test_equal_contacts_keep_equal_fingerprints(
    database: AsyncEngine, postgres_url: str
) -> None:
    """Whether the case system's file, a parent or a rotation sealed them, and under whichever key;
    another participant's equal contact has another."""
    await people.add(database, people.Person(), people.Person(external_id="0000000002"))
    async with engine_of(postgres_url, sealer("old")) as engine:
        await rotated(engine, "old")
        before = await asked(engine, "SELECT id, fingerprint FROM contact_point ORDER BY id")
        typed = personal.contact("0000000001", "email", {"phone": "", "email": "ines@example.com"})
        [row] = await asked(engine, f"SELECT {fingerprint_of('$1::json')} AS f", typed)
    async with engine_of(postgres_url, sealer("new")) as engine:
        await rotated(engine)
        assert (
            await asked(engine, "SELECT id, fingerprint FROM contact_point ORDER BY id") == before
        )
    assert row["f"] == before[0]["fingerprint"]
    assert len({each["fingerprint"] for each in before}) == len(before)


@pytest.mark.parametrize(
    "move",
    [
        "UPDATE contact_point SET participant_id = 2 WHERE id = 1",
        "UPDATE contact_point SET substitute = true WHERE kind = 'mail'",
        "UPDATE contact_point SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)",
        "UPDATE contact_point SET sealed_key_id = 'gone'",
    ],
)
async def test_what_was_moved_or_altered_does_not_open(
    database: AsyncEngine, postgres_url: str, move: str
) -> None:
    """Put to another participant, passed off as a substitute address, changed by a bit, or sealed
    under a key that is gone: its row says so when it is used, and the others are read."""
    await people.add(
        database,
        people.Person(email=None),
        people.Person(external_id="0000000002", street=None, email=None),
        people.Person(external_id="0000000003", email="well@example.com", street=None),
    )
    async with engine_of(postgres_url, sealer("new")) as engine:
        await rotated(engine)
        await asked(engine, f"{move} {'AND' if 'WHERE' in move else 'WHERE'} id = 1")
        rows = await asked(engine, f"SELECT {FIELDS} AS fields FROM contact_point ORDER BY id")
        assert rows[1]["fields"] == {"email": "well@example.com"}
        assert isinstance(rows[0]["fields"], Unreadable)
        with pytest.raises(SealError):
            str(rows[0]["fields"])
        with pytest.raises(SealError):
            f"{rows[0]['fields']}"
        changed = sealer("old")
    async with engine_of(postgres_url, changed) as engine:
        assert (await rotated(engine, "old"))[1] == [1]


async def test_a_changed_fingerprint_key_is_made_good(
    database: AsyncEngine, postgres_url: str
) -> None:
    """Every row gets the fingerprint that an import compares with, though its key is the same."""
    await people.add(database, people.Person(street=None))
    other = ColumnSealer(SecretBox(BOTH, "new"), b"another key")
    query = "SELECT fingerprint FROM contact_point"
    async with engine_of(postgres_url, sealer("new")) as engine:
        await rotated(engine)
        [before] = await asked(engine, query)
    async with engine_of(postgres_url, other) as engine:
        batches = [batch async for batch in reseal(engine, EVERY, "new", every=True)]
        assert sum(batch.sealed for batch in batches) == 2
        [after] = await asked(engine, query)
        typed = personal.contact("0000000001", "email", {"email": "ines@example.com"})
        [row] = await asked(engine, f"SELECT {fingerprint_of('$1::json')} AS f", typed)
    assert after["fingerprint"] == row["f"] != before["fingerprint"]


async def test_whoever_changes_a_row_meanwhile_is_not_overwritten(
    database: AsyncEngine, postgres_url: str
) -> None:
    """A rotation writes only over what it read."""
    await people.add(database, people.Person(email=None, street=None))
    renamed = personal.names("0000000001", "Inés", "Nueva")
    async with engine_of(postgres_url, sealer("old")) as engine:
        await rotated(engine, "old")
    async with engine_of(postgres_url, sealer("new")) as engine, engine.connect() as connection:
        driver = await driver_connection(connection)
        write = (
            f"UPDATE participant SET sealed_name = {box_of('$1::json')},"
            f" name_key_id = {key_of('$1::json')}"
        )
        await driver.execute(write, renamed)
        batches = reseal(engine, [NAMES], "new")
        waiting = asyncio.ensure_future(anext(batches))
        await until_waiting(driver)
        await connection.commit()
        assert (await waiting).sealed == 0
        [row] = await asked(engine, f"SELECT {NAME} AS name FROM participant")
        assert row["name"] == "Inés Nueva"


def test_every_fact_is_known_to_be_personal_or_not() -> None:
    """A new fact is either sealed or looked at here: it is never in the clear by oversight."""
    every = {name for notice in CATALOGUE.values() for name in notice.facts.model_fields}
    assert every == OPEN_FACTS | set(PERSONAL_FACTS)


async def test_nobody_serves_without_a_key_that_rows_are_sealed_under(
    database: AsyncEngine, postgres_url: str
) -> None:
    """Its emails would all turn into letters: portal and workers say which key is missing."""
    await people.add(database, people.Person())
    async with engine_of(postgres_url, sealer("old")) as engine:
        await rotated(engine, "old")
        await require_keys(engine, (NAMES, CONTACT), ["old", "new"])
        with pytest.raises(SettingsError, match="the key 'old' is not held, and rows of part"):
            await require_keys(engine, (NAMES, CONTACT), ["new"])


async def test_facts_that_do_not_open_stop_nobody_else(application: Application) -> None:
    """What they belong to is held for a person, and its neighbours go."""
    ids = await people.add(application.engine, *people.crowd(2))
    await record(application, *(payment(id_, key=f"payment:{id_}") for id_ in ids))
    await execute(application, "UPDATE communication SET facts_key_id = 'gone' WHERE id = 1")
    await application.dispatcher.deliver(await delivery_ids(application))
    rows = await fetch(application, "SELECT state, given_to FROM communication ORDER BY id")
    told = [(row["state"], row["given_to"]) for row in rows]
    assert told == [("held", "operators"), ("met", None)]


async def test_both_forms_stand_while_an_older_version_is_at_work(
    database: AsyncEngine, postgres_url: str
) -> None:
    """With PERSONAL_COLUMNS=both what is written stands in the clear too, and what was sealed can
    be had back; a rotation without it leaves nothing in the clear."""
    await people.add(database, people.Person())
    plain = (
        "SELECT first_name, last_name, email, addr1, zip5 FROM participant"
        " JOIN contact_point ON participant_id = participant.id ORDER BY contact_point.id"
    )
    both = ColumnSealer(SecretBox(BOTH, "new"), b"fingerprints", keep_clear=True)
    async with engine_of(postgres_url, sealer("new")) as engine:
        before = await asked(engine, plain)
        await rotated(engine)
        assert {value for row in await asked(engine, plain) for value in row} == {None}
    async with engine_of(postgres_url, both) as engine:
        assert [batch.sealed async for batch in reseal(engine, [NAMES, CONTACT], "new", every=True)]
        assert await asked(engine, plain) == before
        assert await keys_of(engine) == {IN_CLEAR: 3}
    async with engine_of(postgres_url, sealer("new")) as engine:
        assert await rotated(engine) == (3, [])
        assert {value for row in await asked(engine, plain) for value in row} == {None}
