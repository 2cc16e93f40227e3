"""The demonstration vendor: a print shop of its own on this machine, reached over real SFTP.

It has the contract, an account and keys, and nothing else of ours: see `tests/vendor`. Its drop
stands under `print/vendor/` of the data folder, and commands on that folder find it there.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.assets import CONTRACT_SCHEMAS, VENDOR_PATH
from engine.mail.drops.demonstration import demonstration_sftp
from engine.mail.keys import load_print_keys
from engine.settings import Settings
from engine.stack.supervisor import Process, Supervisor

CAREFUL: Final = ("--spoiled", "1")
"""A shop on a good day: one sheet is spoiled and made again."""

_NAME: Final = "vendor"
_USER: Final = "agency"


def vendor_root(data_dir: Path) -> Path:
    """The drop as the vendor sees it: `to-vendor/` and `from-vendor/`."""
    return data_dir / "print" / "vendor"


def starts_vendor(settings: Settings) -> bool:
    """Whether these settings leave the print vendor to us: no drop and no keys are set."""
    named = (settings.print_drop_url, settings.vendor_certificate, settings.print_signing_key)
    return settings.profile == "development" and not any(named)


def start_vendor(
    settings: Settings, supervisor: Supervisor, manners: Sequence[str], *, removes: bool = True
) -> Process:
    """Start it on a free port, which it writes down once it listens; `manners` are its options.

    What it has acknowledged it `removes`, but for whoever wants to count what it was given.
    """
    folder = settings.data_dir / "print"
    load_print_keys(settings)
    sftp = demonstration_sftp(folder)
    port_file = _port_file(settings.data_dir)
    port_file.parent.mkdir(parents=True, exist_ok=True)
    port_file.unlink(missing_ok=True)
    return supervisor.start(
        _NAME,
        *("-m", "tests.vendor", "serve", "--port", "0"),
        *("--root", str(vendor_root(settings.data_dir))),
        *("--port-file", str(port_file)),
        *("--host-key", str(sftp.server_key)),
        *("--authorized-key", str(sftp.authorized_keys)),
        *("--vendor-key", str(folder / "vendor-key" / "vendor-secret.asc")),
        *("--agency-key", str(folder / "vendor-key" / "signing-public.asc")),
        *("--schemas", str(CONTRACT_SCHEMAS)),
        *("--env", settings.print_env),
        # It remembers a batch for as long as it runs: what it has acknowledged it takes away, so
        # that it is not new to the vendor that is started tomorrow.
        *(("--removes",) if removes else ()),
        "--destroys",
        *manners,
        environment=_importable(),
    )


def vendor_listens(process: Process, data_dir: Path) -> bool:
    """Whether it has said where it listens. From then on it comes back at the same port."""
    port = _port(data_dir)
    if port is None:
        return False
    process.arguments = [*process.arguments, "--port", str(port)]
    return True


def with_vendor(settings: Settings) -> Settings:
    """`settings` with the drop and the keys of the demonstration vendor of this data folder, where
    there is one and the settings name no other. It may be down: then the drop is unavailable."""
    port = _port(settings.data_dir)
    if port is None or not starts_vendor(settings):
        return settings
    folder = settings.data_dir.resolve() / "print"
    sftp = demonstration_sftp(folder)
    return settings.model_copy(
        update={
            "print_drop_url": f"sftp://{_USER}@127.0.0.1:{port}/",
            "print_sftp_key": sftp.client_key,
            "print_sftp_host_keys": sftp.host_keys,
            "vendor_certificate": folder / "vendor-key" / "vendor-public.asc",
            "print_signing_key": folder / "our-key" / "signing-secret.asc",
        }
    )


def _importable() -> dict[str, str]:
    """Its folder first, and never the folder that the command was called from."""
    before = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(filter(None, (str(VENDOR_PATH), before)))
    return {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def _port_file(data_dir: Path) -> Path:
    return data_dir / "run" / "vendor-port"


def _port(data_dir: Path) -> int | None:
    try:
        return int(_port_file(data_dir).read_text())
    except FileNotFoundError:
        return None
