"""Personal columns, sealed at rest: the only way into them and out of them.

They cross to and from PostgreSQL as `json` values, which the connection seals and opens. A query
selects `column.read()` and gets the text. A statement is given a `Personal` as `$1::json`, and
takes from it `key_of("$1::json")`, `box_of(...)` and, where equality is looked up,
`fingerprint_of(...)`. No other text than ciphertext reaches the database.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NoReturn

from engine.security.sealing import SealError, SecretBox

Form = Literal["text", "line", "fields"]
"""How it is read: as it is; its lines as one; its fields by their names."""

_SEALED: Final = b'"sealed '
_CLEAR: Final = b'["sealed '
_FACTS: Final = b'["facts '
_FINGERPRINT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Personal:
    """A text on its way into a sealed column, and whose and what it is: it opens for no other."""

    context: str
    text: str = field(repr=False)


class Unreadable:
    """What could not be opened, in its row's place: its neighbours are read all the same.

    Whoever uses it as a text gets the SealError that says why.
    """

    def __init__(self, why: SealError) -> None:
        self.why = why

    def __str__(self) -> NoReturn:
        raise self.why

    def __format__(self, _how: str) -> NoReturn:
        raise self.why


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A sealed column of `table`: the names of the two columns that hold it, and how its context
    is told from its row. `{t}` stands for the table.

    `clear` is the same text where a row has it in the clear, else NULL, and `plain` what is written
    of it in the clear: columns and SQL, in which `{p}` stands for what is written. NULL comes out,
    unless a version that knows nothing of sealing is at work too. `fingerprint` is a keyed hash
    that equal texts share in one context; `form` how it is read unless asked for in another;
    `at_once` how many rows are sealed anew in one go, where texts are large.
    """

    table: str
    box: str
    key_id: str
    context: str
    clear: str = "NULL::text"
    plain: tuple[tuple[str, str], ...] = ()
    fingerprint: str | None = None
    form: Form = "text"
    at_once: int | None = None

    def read(self, alias: str | None = None, *, form: Form | None = None) -> str:
        """An SQL expression that the connection opens; NULL where nothing is on file."""
        table, form = alias or self.table, form or self.form
        return (
            f"CASE WHEN {table}.{self.box} IS NULL"
            f" THEN json_build_array('sealed {form}', {self.clear.replace('{t}', table)})"
            f""" ELSE ('"sealed {form}|' || ({self.parts(table)}) || '"')::json END"""
        )

    def parts(self, table: str) -> str:
        """What has to be known to open it, as one text: context, key and box in hex, by bars."""
        context = self.context.replace("{t}", table)
        return (
            f"CASE WHEN {table}.{self.box} IS NOT NULL THEN {context} || '|' || "
            f"{table}.{self.key_id} || '|' || encode({table}.{self.box}, 'hex') END"
        )

    def plain_columns(self) -> str:
        """The columns in the clear, for an INSERT."""
        return ", ".join(column for column, _ in self.plain)

    def plain_values(self, personal: str) -> str:
        """What goes into them of a json expression."""
        return ", ".join(value.replace("{p}", personal) for _, value in self.plain)


def read_facts(plain: str, *columns: str) -> str:
    """An SQL expression of the json object `plain` with what `columns`, of
    `SealedColumn.parts`, add to it."""
    sealed = " || '|' || ".join(f"coalesce({parts}, '||')" for parts in columns)
    return f"""('["facts ' || {sealed} || '",' || {plain} || ']')::json"""


def key_of(personal: str) -> str:
    """The SQL expression of the key's id in a json expression."""
    return f"({personal} ->> 0)"


def box_of(personal: str) -> str:
    """The SQL expression of the ciphertext in a json expression."""
    return f"decode({personal} ->> 1, 'hex')"


def fingerprint_of(personal: str) -> str:
    """The SQL expression of the fingerprint in a json expression."""
    return f"decode({personal} ->> 2, 'hex')"


def fields_text(fields: Mapping[str, object]) -> str:
    """Fields as the text that is sealed, the same for the same fields in whatever order."""
    return json.dumps(fields, ensure_ascii=False, sort_keys=True)


def clear_of(personal: str) -> str:
    """The SQL expression of the text itself in a json expression; NULL unless it is to be kept."""
    return f"({personal} ->> 3)"


class ColumnSealer:
    """Seals and opens for the connections it is attached to.

    `fingerprint_key` is apart from the sealing keys: these change, and equal must stay equal. With
    `keep_clear` the text is written in the clear too, for a version that can read no other.
    """

    def __init__(self, box: SecretBox, fingerprint_key: bytes, *, keep_clear: bool = False) -> None:
        self._box = box
        self._fingerprint_key = fingerprint_key
        self._keep_clear = keep_clear

    async def attach(self, driver: Any) -> None:
        """Have an asyncpg connection seal and open; any other json stays the text it was."""
        await driver.set_type_codec(
            "json", schema="pg_catalog", encoder=self.encode, decoder=self.decode, format="binary"
        )

    def encode(self, value: str | Personal) -> bytes:
        """A json value for PostgreSQL: what is personal, as key, box and fingerprint."""
        if not isinstance(value, Personal):
            return value.encode()
        sealed = self._box.seal(value.text, value.context)
        said = f"{value.context}\0{value.text}".encode()
        digest = hmac.digest(self._fingerprint_key, said, "sha256")[:_FINGERPRINT_BYTES]
        clear = value.text if self._keep_clear else None
        return json.dumps([sealed.key_id, sealed.to_bytes().hex(), digest.hex(), clear]).encode()

    def decode(self, stored: bytes) -> Any:
        """What a json value of PostgreSQL says; a sealed one opened, in its form."""
        try:
            if stored.startswith(_SEALED):
                form, _, parts = stored[len(_SEALED) : -1].partition(b"|")
                return _FORMS[form](self._opened(*parts.split(b"|")))
            if stored.startswith(_FACTS):
                return self._facts(stored)
        except SealError as why:
            return Unreadable(why)
        if stored.startswith(_CLEAR):
            mark, text = json.loads(stored)
            return None if text is None else _FORMS[mark[7:].encode()](text.encode())
        return stored.decode()

    def _facts(self, stored: bytes) -> str:
        head, _, plain = stored[len(_FACTS) : -1].partition(b'",')
        parts = head.split(b"|")
        own, name = self._opened(*parts[:3]), self._opened(*parts[3:])
        named = b'"name":' + json.dumps(_line(name)).encode() if name else b""
        joined = (plain.strip()[1:-1], own[1:-1], named)
        return (b"{" + b",".join(filter(None, joined)) + b"}").decode()

    def _opened(self, context: bytes, key_id: bytes, box: bytes) -> bytes:
        if not box:
            return b""
        return self._box.open_stored(key_id.decode(), bytes.fromhex(box.decode()), context)


def _line(text: bytes) -> str:
    return text.decode().replace("\n", " ")


_FORMS: Final[Mapping[bytes, Callable[[bytes], Any]]] = {
    b"text": bytes.decode,
    b"line": _line,
    b"fields": json.loads,
}
