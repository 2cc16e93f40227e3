"""The project's own promises: make help lists every target, lock files name no index, and what an
install fetches is not committed."""

import ast
import hashlib
import json
import re
import subprocess
from pathlib import Path
from string import ascii_lowercase

import pytest

ROOT = Path(__file__).parent.parent


def test_make_help_lists_every_target() -> None:
    """A target without a line of help would be found only by reading the Makefile."""
    targets = re.findall(r"^\.PHONY: ([a-z-]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    said = subprocess.run(
        ["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    listed = re.findall(r"^  make ([a-z-]+) +\S", said, re.MULTILINE)
    assert sorted(listed) == sorted(targets)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("requirements.lock", 50),
        ("requirements-dev.lock", 50),
        ("requirements-node.lock", 1),
        ("requirements-peers.lock", 10),
        ("requirements-client.lock", 10),
    ],
)
def test_the_lock_files_pin_and_hash_everything(name: str, least: int) -> None:
    """Every package has a version and hashes, and no address of an index is written down."""
    content = (ROOT / name).read_text()
    assert "://" not in content
    packages = re.findall(r"^([a-z][a-z0-9._-]*)(\S*) \\?$", content, re.MULTILINE)
    assert len(packages) >= least
    assert all(re.match(r"(\[.*\])?==", version) for _, version in packages)
    assert content.count("==") <= content.count("--hash=sha256:")
    # An option, such as that of an index, would begin with a hyphen.
    assert {line[0] for line in content.splitlines() if line} <= {*ascii_lowercase, " ", "#"}


def test_every_lock_file_is_looked_at() -> None:
    """There is no other."""
    assert {path.name for path in tracked() if path.suffix == ".lock"} == {
        "requirements.lock", "requirements-dev.lock", "requirements-node.lock",
        "requirements-peers.lock", "requirements-client.lock",
    }  # fmt: skip


@pytest.mark.parametrize("folder", [ROOT, ROOT / "bench" / "peers"])
def test_what_comes_from_npm_is_pinned_and_hashed(folder: Path) -> None:
    """Every package of package-lock.json has a version and a hash, and no address to fetch it at:
    where from is the business of whoever installs."""
    content = (folder / "package-lock.json").read_text()
    packages = {name: each for name, each in json.loads(content)["packages"].items() if name}
    assert len(packages) >= 4
    assert not re.search(r"resolved|registry|\.tgz", content)
    for name, each in packages.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", each["version"]), name
        assert each["integrity"].startswith("sha512-"), name
    wanted = json.loads((folder / "package.json").read_text())
    for name, version in (wanted["dependencies"] | wanted.get("devDependencies", {})).items():
        assert packages[f"node_modules/{name}"]["version"] == version


def tracked() -> list[Path]:
    """What is committed, or about to be."""
    said = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [Path(name) for name in said.split("\0") if name]


def test_nothing_of_the_design_system_is_committed() -> None:
    """It is fetched at install: neither what npm brings, nor what the portal takes of it, nor a
    copy of either under another name."""
    files = tracked()
    assert Path("engine/portal/uswds.py") in files
    for path in files:
        assert not {"node_modules", "uswds"} & set(path.parts[:-1]), path
        assert path.suffix not in {".woff", ".woff2", ".ttf", ".otf", ".scss"}, path
    for folder in ("node_modules/x", "engine/portal/theme/uswds/x"):
        ignored = subprocess.run(["git", "check-ignore", "-q", folder], cwd=ROOT, check=False)
        assert ignored.returncode == 0, folder
    fetched = {
        hashlib.sha256(path.read_bytes()).digest()
        for path in (ROOT / "node_modules/@uswds/uswds/dist").rglob("*")
        if path.is_file()
    }
    assert len(fetched) > 100
    kept = {
        path: hashlib.sha256((ROOT / path).read_bytes()).digest()
        for path in files
        if (ROOT / path).is_file()
    }
    assert [path for path, digest in kept.items() if digest in fetched] == []
    marked = [
        path for path in files if path.suffix in {".css", ".js", ".svg"} and _is_theirs(ROOT / path)
    ]
    assert marked == []


def _is_theirs(path: Path) -> bool:
    """Whether a file of styles or script says of itself that it is the design system's."""
    return path.is_file() and "uswds v" in path.read_text("utf-8").lower()


def test_every_command_of_the_readme_is_a_command() -> None:
    """What the README tells to type exists: targets in the Makefile, sub-commands in `connect`."""
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)`?", readme)) - {"and"} <= targets


def test_nothing_of_ours_reads_what_can_be_a_bomb() -> None:
    """XML, archives and pickles are written at most: no module of ours parses or unpacks one, so
    that none can be made to grow, to fetch, or to run."""
    readers = {
        *("xml", "lxml", "defusedxml", "tarfile", "pickle", "shelve", "marshal", "yaml"),
        *("bz2", "lzma", "dill", "joblib"),
    }
    unpacking = {"decompress", "decompressobj", "extractall", "extract", "unpack_archive"}
    for folder in ("engine", "jobs"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    named = {alias.name.partition(".")[0] for alias in node.names}
                    assert not named & readers, path
                elif isinstance(node, ast.ImportFrom):
                    assert (node.module or "").partition(".")[0] not in readers, path
                elif isinstance(node, ast.Attribute):
                    assert node.attr not in unpacking, path


BROUGHT_IN = re.compile(r"\{%\s*from\s+\"[^\"]+\"\s+import\s+(.+?)(?:\s+with context)?\s*%\}")
"""The head of a template: which macros of other files it is made of."""


def templates_as_written() -> dict[str, str]:
    """Every template by its path, in the words of its file."""
    found = [path for path in tracked() if path.parts[:1] == ("templates",)]
    assert found
    return {str(path): (ROOT / path).read_text("utf-8") for path in found}


def brought_in(words: str) -> set[str]:
    """The macros that a template brings in."""
    return {name for found in BROUGHT_IN.finditer(words) for name in re.split(r"\s*,\s*", found[1])}


def test_no_template_brings_in_what_it_does_not_use() -> None:
    """What stands at the head of a template is what it is made of."""
    unused = [
        (place, name)
        for place, words in templates_as_written().items()
        for name in brought_in(words)
        if not re.search(rf"\b{name}\b", BROUGHT_IN.sub("", words))
    ]
    assert unused == []


def test_every_template_brings_in_what_it_uses() -> None:
    """A macro is there by a template's own head, never by what its parent happens to bring in."""
    templates = templates_as_written()
    macros = {
        name for words in templates.values() for name in re.findall(r"\bmacro (\w+)\(", words)
    }
    assert macros
    missing = [
        (place, name)
        for place, words in templates.items()
        for name in set(re.findall(r"(?<![.\w])(\w+)\(", BROUGHT_IN.sub("", words))) & macros
        if name not in brought_in(words) and not re.search(rf"\bmacro {name}\(", words)
    ]
    assert missing == []
