"""Opens the drop that the settings name: one connection for as long as it is used."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from engine.errors import SettingsError
from engine.mail.contract import Environment
from engine.mail.drops.folder import open_bucket, open_folder
from engine.mail.drops.placing import VendorDrop
from engine.mail.drops.port import FROM_VENDOR, TO_VENDOR, Drop, DropRefusedError
from engine.mail.drops.sftp import open_sftp
from engine.mail.drops.ssh import SftpAddress
from engine.settings import Settings


@asynccontextmanager
async def open_drop(settings: Settings) -> AsyncIterator[Drop]:
    """The drop at PRINT_DROP_URL, or the folder `drop/` of this machine's data where it is unset.

    Raises DropUnavailableError, DropRefusedError and SettingsError.
    """
    url = settings.print_drop_url
    scheme = urlsplit(url).scheme if url is not None else ""
    if url is None:
        yield VendorDrop(open_folder(_made(settings.data_dir / "drop")))
    elif scheme == "sftp":
        async with _sftp(url, settings.print_sftp_key, settings.print_sftp_host_keys) as drop:
            yield drop
    else:
        yield VendorDrop(open_bucket(url) if scheme == "s3" else open_folder(url))


def drop_for(settings: Settings, env: Environment) -> AbstractAsyncContextManager[Drop]:
    """The drop to which batches of `env` go: a test batch never reaches a production drop.

    Raises SettingsError where there is none.
    """
    if env == settings.print_env:
        return open_drop(settings)
    if env == "test" and settings.print_test_drop_url is not None:
        return open_drop(
            settings.model_copy(update={"print_drop_url": settings.print_test_drop_url})
        )
    raise SettingsError(
        f"there is no drop for {env} batches: PRINT_DROP_URL is for {settings.print_env}"
        + (", and PRINT_TEST_DROP_URL is not set" if env == "test" else "")
    )


@asynccontextmanager
async def _sftp(url: str, key: Path | None, host_keys: Path | None) -> AsyncIterator[Drop]:
    if key is None or host_keys is None:
        raise SettingsError("PRINT_SFTP_KEY and PRINT_SFTP_HOST_KEYS: an SFTP drop needs both")
    async with open_sftp(SftpAddress.parse(url), key=key, host_keys=host_keys) as shelf:
        yield VendorDrop(shelf)


def _made(folder: Path) -> str:
    """The folders of a machine for trying out, made where they are missing."""
    try:
        for part in (TO_VENDOR, FROM_VENDOR):
            (folder / part).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DropRefusedError(f"{folder}: {error.strerror}") from None
    return folder.resolve().as_uri()
