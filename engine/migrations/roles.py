"""The database roles: groups that logins are members of, with the grants of `grants` and no others.

`connect_migrator` owns every table, and migrations run as it. `connect_purger` alone may remove
what is kept append-only; an operator's command changes into it for as long as it removes, and is
never it by itself.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from engine.errors import InputError
from engine.migrations.grants import GRANTS, OPERATOR, PORTAL, PURGER, WORKER
from engine.models import METADATA

MIGRATOR: Final = "connect_migrator"
ROLES: Final = (MIGRATOR, WORKER, PORTAL, OPERATOR, PURGER)
_NO_TABLES: Final = frozenset({"alembic_version"})

_RIGHT: Final = re.compile(r"([A-Z]+)(?: \(([a-z0-9_, ]+)\))?")
_EXIST: Final = "SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"
_MAY_MAKE: Final = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
_MAY_BE_MIGRATOR: Final = (
    f"SELECT to_regrole('{MIGRATOR}') IS NOT NULL AND "
    f"pg_has_role(current_user, coalesce(to_regrole('{MIGRATOR}'), 'pg_monitor'), 'SET')"
)
_OWNED_BY_OTHERS: Final = """
SELECT format('ALTER %s %s OWNER TO connect_migrator', kind, name) FROM (
    SELECT 'TABLE' AS kind, oid::regclass::text AS name, relowner AS owner FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
    UNION ALL
    SELECT 'FUNCTION', oid::regprocedure::text, proowner FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
) AS things WHERE owner <> 'connect_migrator'::regrole
"""
_STANDING: Final = """
WITH acls AS (
    SELECT relname, relowner, relacl AS acl, NULL AS attname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
    UNION ALL
    SELECT relname, relowner, attacl, attname
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
)
SELECT relname, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END AS role,
       privilege_type, attname
FROM acls, aclexplode(acl) WHERE grantee <> relowner
"""
_TABLES: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""

Grant = tuple[str, str, str, str | None]
"""Table, role, privilege, and the column where it is of one column."""


def making() -> list[str]:
    """Statements for a superuser that make the roles in a cluster that has none of them."""
    return [
        *(f"CREATE ROLE {role} NOLOGIN" for role in ROLES),
        f"GRANT USAGE ON SCHEMA public TO {', '.join(ROLES)}",
        f"GRANT CREATE ON SCHEMA public TO {MIGRATOR}",
        # An operator's command is a worker's too: `batch close` does what the clock would.
        f"GRANT {WORKER} TO {OPERATOR}",
        f"GRANT {PURGER} TO {OPERATOR} WITH INHERIT FALSE, SET TRUE",
    ]


def granting() -> list[str]:
    """Statements for the owner that grant what is declared, and take back everything else."""
    granted = ", ".join(ROLES[1:])
    return [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {granted}, PUBLIC",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {granted}, PUBLIC",
        f"GRANT SELECT ON alembic_version TO {granted}",
        *(
            f"GRANT {rights} ON {table} TO {role}"
            for table, by_role in GRANTS.items()
            for role, rights in by_role.items()
        ),
    ]


def make_roles(connection: Connection) -> None:
    """Make the roles that are missing, and give `connect_migrator` what is in the schema.

    Raises InputError where the login is not a superuser's.
    """
    if not connection.scalar(text(_MAY_MAKE)):
        raise InputError(
            "only a superuser of PostgreSQL makes the roles: give DATABASE_URL one for this once, "
            "or hand an administrator what `connect roles make --sql` prints"
        )
    there = set(connection.scalars(text(_EXIST), {"names": list(ROLES)}))
    for statement in making():
        words = statement.split()
        if words[0] != "CREATE" or words[2] not in there:
            connection.execute(text(statement))
    for statement in connection.scalars(text(_OWNED_BY_OTHERS)).all():
        connection.execute(text(statement))


def made(connection: Connection) -> bool:
    """Whether all the roles are there."""
    return len(connection.scalars(text(_EXIST), {"names": list(ROLES)}).all()) == len(ROLES)


def become_migrator(connection: Connection) -> None:
    """Until the transaction's end, be `connect_migrator`, so that it owns what is made; a login
    that is none, in a database without roles, stays itself."""
    if connection.scalar(text(_MAY_BE_MIGRATOR)):
        connection.execute(text(f"SET LOCAL ROLE {MIGRATOR}"))


def digest() -> str:
    """Changes with every change of the grants."""
    return hashlib.sha256("\n".join(granting()).encode()).hexdigest()[:16]


def grant(connection: Connection) -> None:
    """Grant what is declared, and nothing else; remembered beside the schema's version."""
    for statement in granting():
        connection.execute(text(statement))
    connection.execute(text(f"COMMENT ON TABLE alembic_version IS 'grants {digest()}'"))


def granted(connection: Connection) -> bool:
    """Whether these grants are the ones that were made last."""
    said = connection.scalar(text("SELECT obj_description(to_regclass('alembic_version'))"))
    return str(said) == f"grants {digest()}"


def faults(connection: Connection) -> list[str]:
    """How the database's grants differ from those declared, a line each, and the tables that were
    forgotten; a database without the roles has one fault."""
    if not made(connection):
        return ["the roles are not made: connect roles make"]
    tables = set(connection.scalars(text(_TABLES))) - _NO_TABLES
    rows = connection.execute(text(_STANDING)).all()
    standing = {(row[0], row[1], row[2], row[3]) for row in rows if row[0] not in _NO_TABLES}
    return [*_forgotten(tables), *_differing(set(_declared()), standing)]


def _forgotten(tables: Iterable[str]) -> Iterator[str]:
    for table in sorted({*tables, *METADATA.tables} - GRANTS.keys()):
        yield f"{table}: engine/migrations/grants.py does not say who may read and write it"


def _differing(declared: set[Grant], standing: set[Grant]) -> Iterator[str]:
    for table, role, privilege, column in sorted(declared - standing, key=str):
        yield f"{table}: {role} lacks {privilege}{_of(column)}"
    for table, role, privilege, column in sorted(standing - declared, key=str):
        yield f"{table}: {role} has {privilege}{_of(column)}, which is not declared"


def _of(column: str | None) -> str:
    return "" if column is None else f" of {column}"


def _declared() -> Iterator[Grant]:
    for table, by_role in GRANTS.items():
        for role, rights in by_role.items():
            for privilege, columns in _RIGHT.findall(rights):
                for column in columns.split(", ") if columns else [None]:
                    yield table, role, privilege, column


def login_of(role: str) -> str:
    """The login of an embedded server that is a member of `role`."""
    return f"{role}_login"


def make_logins(connection: Connection) -> None:
    """Logins without a password, one for each role: for an embedded server, which nobody reaches
    who does not reach its folder, and for tests."""
    for role in ROLES:
        login = login_of(role)
        if not connection.scalar(text("SELECT to_regrole(:name)"), {"name": login}):
            connection.execute(text(f"CREATE ROLE {login} LOGIN IN ROLE {role}"))


def login_url(url: str, role: str) -> str:
    """`url` with the login of `role` in place of its own."""
    return make_url(url).set(username=login_of(role)).render_as_string(hide_password=False)
