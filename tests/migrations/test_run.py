"""Migrations: they make what the models say, they go back, and many may start them at once."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.migrations.run import differences, downgrade, upgrade
from engine.stack.embedded import start_postgres


@pytest.fixture(scope="module")
def empty_url(servers_folder: Path) -> Iterator[str]:
    """An empty PostgreSQL of this module's own."""
    server = start_postgres(servers_folder / "migrations")
    yield server.url
    server.stop()


def in_a_thread(act: object, *arguments: object) -> threading.Thread:
    """Alembic runs its own loop, so it is kept out of the test's."""
    assert callable(act)
    thread = threading.Thread(target=act, args=arguments)
    thread.start()
    return thread


def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    """Portal and workers start together: one migrates, the others find it done."""
    threads = [in_a_thread(upgrade, empty_url) for _ in range(3)]
    for thread in threads:
        thread.join()
    assert differences(empty_url) == []


def test_every_migration_can_be_taken_back(empty_url: str) -> None:
    """Down to nothing and up again gives the same schema."""
    upgrade(empty_url)
    downgrade(empty_url, "base")
    assert differences(empty_url) != []
    upgrade(empty_url)
    assert differences(empty_url) == []
