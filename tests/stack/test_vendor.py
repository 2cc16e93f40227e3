"""The demonstration vendor: a process of its own, found by the commands on its data folder."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.mail.drops.opening import open_drop
from engine.mail.drops.port import DropUnavailableError
from engine.settings import Settings, load_settings
from engine.stack.supervisor import Process, Supervisor
from engine.stack.vendor import start_vendor, starts_vendor, vendor_listens, with_vendor


@pytest.fixture
def given(tmp_path: Path) -> Settings:
    """Settings of a machine for trying out, that name no drop."""
    return load_settings(data_dir=tmp_path / "data")


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor whose processes do not outlive the test."""
    made = Supervisor(tmp_path / "logs", {})
    yield made
    made.stop()


def listening(given: Settings, supervisor: Supervisor) -> Process:
    """A vendor that listens; the deadline is for a test that would hang."""
    process = start_vendor(given, supervisor, ())
    deadline = time.monotonic() + 60
    while not vendor_listens(process, given.data_dir):
        assert time.monotonic() < deadline
    return process


async def test_commands_find_the_vendor_by_the_data_folder(
    given: Settings, supervisor: Supervisor
) -> None:
    """With nothing but the data folder, another command signs in at the vendor's drop; and a batch
    is sealed to the key that the vendor holds."""
    assert with_vendor(given) == given
    listening(given, supervisor)
    found = with_vendor(given)
    async with open_drop(found) as drop:
        assert str(drop).startswith("sftp://127.0.0.1:")
        assert list(await drop.arrived()) == []
    assert with_vendor(found) == found


async def test_a_vendor_that_died_is_back_at_its_port(
    given: Settings, supervisor: Supervisor
) -> None:
    """Portal and workers were told where it is, and go on finding it there; while it is down, the
    drop is unavailable, and nothing falls back to a folder that nobody reads."""
    process = listening(given, supervisor)
    found = with_vendor(given)
    assert process.popen
    process.popen.kill()
    process.popen.wait()
    assert with_vendor(given) == found
    with pytest.raises(DropUnavailableError):
        async with open_drop(found):
            pass
    while process.popen.returncode is not None:
        supervisor.check()
    assert with_vendor(given) == found
    assert await _answers(found)


async def _answers(found: Settings) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            async with open_drop(found):
                return True
        except DropUnavailableError:
            continue
    return False


@pytest.mark.parametrize("named", ["print_drop_url", "vendor_certificate", "print_signing_key"])
def test_a_drop_of_ones_own_is_left_alone(
    given: Settings, supervisor: Supervisor, tmp_path: Path, named: str
) -> None:
    """Who names a drop or keys has a vendor: none is started, and none takes its place."""
    listening(given, supervisor)
    own = given.model_copy(update={named: f"file://{tmp_path}" if "url" in named else tmp_path})
    assert not starts_vendor(own)
    assert with_vendor(own) == own
