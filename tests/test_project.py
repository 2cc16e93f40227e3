"""The project's own promises: make help lists every target, and the lock file names no index."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_make_help_lists_every_target() -> None:
    """A target without a line of help would be found only by reading the Makefile."""
    targets = re.findall(r"^\.PHONY: ([a-z-]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    said = subprocess.run(
        ["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    listed = re.findall(r"^  make ([a-z-]+) +\S", said, re.MULTILINE)
    assert sorted(listed) == sorted(targets)


def test_the_lock_files_pin_and_hash_everything() -> None:
    """Every package has a version and hashes, and no address of an index is written down."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        content = (ROOT / name).read_text()
        assert "://" not in content
        assert "--index" not in content
        packages = re.findall(r"^([a-z][a-z0-9._-]*)(\S*) \\?$", content, re.MULTILINE)
        assert len(packages) > 50
        assert all(re.match(r"(\[.*\])?==", version) for _, version in packages)
        assert content.count("==") <= content.count("--hash=sha256:")


def test_every_command_of_the_readme_is_a_command() -> None:
    """What the README tells to type exists: targets in the Makefile, sub-commands in `connect`."""
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)`?", readme)) - {"and"} <= targets
