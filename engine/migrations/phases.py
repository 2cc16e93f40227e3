"""Expand, then contract: what a migration may do while the version before it is still at work.

A new version is put in place machine by machine: the schema is migrated first, and the old code
works on it until the last machine has the new. So a migration only adds (`expand`, which need not
be said), and what it makes useless is removed by a later one, which says

    phase = "contract"
    unused_since = "0.2.0"

with the version, as CHANGELOG.md has it, from which on no code uses what it removes.

Where code writes in a form that the version before cannot read, no migration shows it: then its
own says `older_code_stops = True`, and the old machines are stopped first.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

VERSIONS: Final = Path(__file__).parent / "versions"
HELD_FROM: Final = "0010"
"""The first migration that was written under this rule."""

_TAKES_AWAY: Final = re.compile(
    r"\b(DROP|RENAME|TRUNCATE|REVOKE|DELETE\s+FROM|SET\s+NOT\s+NULL|ALTER\s+COLUMN\s+\S+\s+"
    r"(SET\s+DATA\s+)?TYPE|ADD\s+CONSTRAINT)\b",
    re.IGNORECASE,
)
_ADDS: Final = frozenset({"create_table", "bulk_insert", "f", "get_bind", "get_context", "inline"})
_TIGHTENS: Final = frozenset(
    {"create_check_constraint", "create_unique_constraint", "create_foreign_key"}
)
_LOOSENS: Final = frozenset({"drop_constraint"})


def faults(path: Path, released: str) -> list[str]:
    """What is wrong with one migration; `released` is the text of CHANGELOG.md."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = _constants(tree)
    if constants.get("revision", "") < HELD_FROM:
        return []
    if constants.get("phase", "expand") == "contract":
        return list(_unnamed(path, constants.get("unused_since"), released))
    upgrade = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    )
    calls = [node for node in ast.walk(upgrade) if isinstance(node, ast.Call)]
    new = {_text(call, 0, constants) for call in calls if _operation(call) == "create_table"}
    replaced = {
        _text(call, 0, constants) for call in calls if _operation(call) == "drop_constraint"
    }
    return [
        f"{path.name}:{call.lineno}: {fault}"
        for call in calls
        if (name := _operation(call)) is not None
        and (fault := _fault(name, call, constants, new, replaced)) is not None
    ]


def _unnamed(path: Path, since: str | None, released: str) -> Iterator[str]:
    if since is None:
        yield f"{path.name}: a contract migration says unused_since, the version that let go of it"
    elif re.search(rf"^## \[?{re.escape(since)}\b", released, re.MULTILINE) is None:
        yield f"{path.name}: unused_since is {since!r}, of which CHANGELOG.md has no heading"


def _fault(
    name: str,
    call: ast.Call,
    constants: dict[str, str],
    new: set[str | None],
    replaced: set[str | None],
) -> str | None:
    """Why an operation may not stand in a migration that only adds; None where it may."""
    tightens = name in _TIGHTENS or (name == "create_index" and _flag(call, "unique"))
    if name in _ADDS | _LOOSENS or (name == "create_index" and not tightens):
        return None
    if name == "drop_index" and (_text(call, 0, constants) or "").startswith("ix_"):
        # No code names an index; a unique one, which refuses and is inferred from, is called uq_.
        return None
    if tightens:
        loosened = {_text(call, 0, constants)} & replaced or {_text(call, 1, constants)} & new
        return None if loosened else f"{name} on what exists refuses what the old code writes"
    look = {"add_column": _column_fault, "alter_column": _alteration_fault}.get(name)
    if look is not None:
        return look(call)
    if name == "execute":
        return _statement_fault(call, constants)
    return f"{name} takes away what the old code uses"


def _column_fault(call: ast.Call) -> str | None:
    column = call.args[1] if len(call.args) > 1 else None
    if not isinstance(column, ast.Call):
        return "add_column: its column cannot be read here"
    given = {keyword.arg: keyword.value for keyword in column.keywords}
    nullable = given.get("nullable")
    required = isinstance(nullable, ast.Constant) and nullable.value is False
    if required and "server_default" not in given:
        return "add_column: neither nullable nor with a server_default: the old code writes none"
    return None


def _alteration_fault(call: ast.Call) -> str | None:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    nullable = given.get("nullable")
    if "type_" in given or "new_column_name" in given:
        return "alter_column changes what the old code reads"
    if nullable is not None and not (isinstance(nullable, ast.Constant) and nullable.value is True):
        return "alter_column: NOT NULL refuses what the old code writes"
    return None


def _statement_fault(call: ast.Call, constants: dict[str, str]) -> str | None:
    statement = _text(call, 0, constants)
    if statement is None:
        return "execute: a statement that cannot be read here: write it as a literal"
    found = _TAKES_AWAY.search(statement)
    return f"execute: {found[0]} in a migration that only adds" if found else None


def _operation(call: ast.Call) -> str | None:
    """The name of an `op.…(…)`, or None for any other call."""
    target = call.func
    if not isinstance(target, ast.Attribute) or not isinstance(target.value, ast.Name):
        return None
    return target.attr if target.value.id == "op" else None


def _flag(call: ast.Call, name: str) -> bool:
    return any(
        keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value
        for keyword in call.keywords
    )


def _text(call: ast.Call, position: int, constants: dict[str, str]) -> str | None:
    return _literal(call.args[position], constants) if len(call.args) > position else None


def _literal(node: ast.expr, constants: dict[str, str]) -> str | None:
    """The text that an expression is, with what is filled in left out; None where it is none."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part, constants) or " " for part in node.values)
    if isinstance(node, ast.Call) and node.args:
        # What op.f and sa.text wrap.
        return _literal(node.args[0], constants)
    return None


def _constants(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _literal(node.value, found)
            if text is not None:
                found[node.targets[0].id] = text
    return found


def oldest_at_work() -> Path:
    """The migration whose version is the oldest that may be at work beside this one's."""
    migrations = sorted(VERSIONS.glob("[0-9]*.py"), reverse=True)
    return next(
        path
        for path in migrations
        if path == migrations[-1] or "\nolder_code_stops = True\n" in path.read_text("utf-8")
    )


def all_faults(changelog: Path) -> list[str]:
    """What is wrong with any migration."""
    released = changelog.read_text(encoding="utf-8") if changelog.exists() else ""
    return [
        fault for path in sorted(VERSIONS.glob("[0-9]*.py")) for fault in faults(path, released)
    ]
