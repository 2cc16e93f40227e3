"""From the staging tables into the caseload: what is new is added, what differs is changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.caseload.personal import CONTACT, NAMES
from engine.security.resealing import seal_clear
from engine.security.sealed_columns import box_of, fingerprint_of, key_of

Connection = Any
"""An asyncpg connection in a transaction; asyncpg publishes no types."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows were added and how many changed."""

    added: int
    updated: int


@dataclass(frozen=True, slots=True)
class Target:
    """A table, and the query that gives its rows out of a staging table."""

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    incoming: str
    sealed: tuple[str, ...] = ()
    """Columns that are written and not compared: no two sealings are alike."""

    def statement(self) -> str:
        """One statement that writes what is new or differs, and counts both.

        A row that is already as the file says is not written at all: no lock, no new version.
        """
        written = self.columns + self.sealed
        keys, every = ", ".join(self.key), ", ".join(self.key + written)
        known = ", ".join(f"t.{name}" for name in self.columns)
        given = ", ".join(f"i.{name}" for name in self.columns)
        changes = ", ".join(f"{name} = excluded.{name}" for name in written)
        return f"""
            WITH incoming AS ({self.incoming}),
            wanted AS (
                SELECT i.*, t.{self.key[0]} IS NULL AS is_new
                FROM incoming i LEFT JOIN {self.table} t USING ({keys})
                WHERE t.{self.key[0]} IS NULL OR ROW({known}) IS DISTINCT FROM ROW({given})
            ),
            written AS (
                INSERT INTO {self.table} ({every}) SELECT {every} FROM wanted
                ON CONFLICT ({keys}) DO UPDATE SET {changes}
            )
            SELECT count(*) FILTER (WHERE is_new) AS added,
                   count(*) FILTER (WHERE NOT is_new) AS updated
            FROM wanted
        """  # noqa: S608  every name in it is written in this module


_NAMES_IN_CLEAR: Final = ", ".join(
    f"{sql.replace('{p}', 's.personal')} AS {name}" for name, sql in NAMES.plain
)
_PARTICIPANTS: Final = Target(
    "participant",
    ("external_id",),
    (
        "name_fingerprint",
        "language",
        "confidential",
        "paperless",
        "large_print",
        "imported_language",
        "imported_paperless",
    ),
    # What the case system repeats does not undo what the parent chose since it said so first.
    f"""
    SELECT s.participant_id AS external_id, {box_of("s.personal")} AS sealed_name,
           {key_of("s.personal")} AS name_key_id,
           {fingerprint_of("s.personal")} AS name_fingerprint, s.confidential,
           {_NAMES_IN_CLEAR},
           CASE WHEN s.language = p.imported_language THEN p.language
                ELSE s.language END AS language,
           CASE WHEN s.paperless IS NULL OR s.paperless = p.imported_paperless
                THEN COALESCE(p.paperless, false) ELSE s.paperless END AS paperless,
           s.language AS imported_language,
           COALESCE(s.paperless, p.imported_paperless) AS imported_paperless,
           COALESCE(s.large_print, p.large_print, false) AS large_print
    FROM stage_participants s LEFT JOIN participant p ON p.external_id = s.participant_id
    """,  # noqa: S608  joined from constants of ours
    ("sealed_name", "name_key_id", "first_name", "last_name"),
)
_CASES: Final = Target(
    "support_case",
    ("external_id",),
    ("county", "status", "opened_on"),
    "SELECT case_number AS external_id, county, status, opened_on FROM stage_cases",
)
_CASE_PARTIES: Final = Target(
    "case_party",
    ("case_id", "participant_id"),
    ("role",),
    """
    SELECT c.id AS case_id, p.id AS participant_id, s.role
    FROM stage_case_parties s
    JOIN support_case c ON c.external_id = s.case_number
    JOIN participant p ON p.external_id = s.participant_id
    """,
)
_ACCOUNTS: Final = Target(
    "account",
    ("external_id",),
    ("case_id", "kind", "monthly_cents", "balance_cents", "as_of"),
    """
    SELECT s.account_id AS external_id, c.id AS case_id, s.kind,
           s.monthly_amount AS monthly_cents, s.balance AS balance_cents, s.as_of
    FROM stage_accounts s JOIN support_case c ON c.external_id = s.case_number
    """,
)
_PAYMENTS: Final = Target(
    "payment",
    ("external_id",),
    ("case_id", "participant_id", "direction", "amount_cents", "method", "paid_on"),
    """
    SELECT s.payment_id AS external_id, c.id AS case_id, p.id AS participant_id,
           s.direction, s.amount AS amount_cents, s.method, s.paid_on
    FROM stage_payments s
    JOIN support_case c ON c.external_id = s.case_number
    JOIN participant p ON p.external_id = s.participant_id
    """,
)
_APPOINTMENTS: Final = Target(
    "appointment",
    ("external_id",),
    ("case_id", "participant_id", "kind", "starts_at", "place", "status"),
    """
    SELECT s.appointment_id AS external_id, c.id AS case_id, p.id AS participant_id,
           s.kind, s.starts_at, s.place, s.status
    FROM stage_appointments s
    JOIN support_case c ON c.external_id = s.case_number
    JOIN participant p ON p.external_id = s.participant_id
    """,
)

# What the case system turns on or off it says of a consent, of which we know no more. A parent's
# own word is a record already, and what it repeats changes nothing.
_RECORD_CONSENTS: Final = """
    INSERT INTO consent (participant_id, action, at, how, proof)
    SELECT p.id, CASE WHEN p.paperless THEN 'given' ELSE 'withdrawn' END, now(), 'case_system', '{}'
    FROM stage_participants s
    JOIN participant p ON p.external_id = s.participant_id
    LEFT JOIN (
        SELECT DISTINCT ON (participant_id) participant_id, action FROM consent
        ORDER BY participant_id DESC, at DESC, id DESC
    ) AS said ON said.participant_id = p.id
    WHERE p.paperless <> COALESCE(said.action = 'given', false)
"""

# Between reading what is current and superseding it nobody else may write a contact point: the
# portal waits for the second or two that the four statements below take.
_HOLD_CONTACTS: Final = "LOCK TABLE contact_point IN SHARE ROW EXCLUSIVE MODE"
# Soon after a first import autovacuum has not counted the table yet, and comparing would go
# through all of it for each row.
_COUNT_CONTACTS: Final = "ANALYZE contact_point"
# Whether the lines fit their window, and whether the address may be written to at all, hang on
# the participant too: their addresses are looked at again.
_FORGET_FLAGS: Final = f"""
    UPDATE contact_point SET address_flags = NULL
    FROM participant p JOIN stage_participants s ON s.participant_id = p.external_id
    WHERE contact_point.participant_id = p.id AND address_flags IS NOT NULL
        AND superseded_at IS NULL
        AND ROW(p.name_fingerprint, p.confidential)
            IS DISTINCT FROM ROW({fingerprint_of("s.personal")}, s.confidential)
"""  # noqa: S608  joined from constants of ours
_COMPARE_CONTACTS: Final = f"""
    CREATE TEMP TABLE compared_contact ON COMMIT DROP AS
    SELECT p.id AS participant_id, s.kind, s.personal, s.substitute, current.id AS current_id,
           CASE WHEN place.same AND current.own_answer
                THEN current.safe_to_use AND COALESCE(s.safe_to_use, true)
                ELSE COALESCE(s.safe_to_use, current.safe_to_use, true) END AS safe_to_use,
           place.same AND current.own_answer AS own_answer,
           current.safe_to_use AS was_safe, place.same,
           CASE WHEN place.same THEN GREATEST(s.verified_at, current.verified_at)
                ELSE s.verified_at END AS verified_at,
           current.verified_at AS was_verified_at,
           CASE WHEN place.same THEN current.bounced_at END AS bounced_at,
           CASE WHEN place.same THEN current.returned_at END AS returned_at
    FROM stage_contact_points s
    JOIN participant p ON p.external_id = s.participant_id
    LEFT JOIN contact_point current ON current.participant_id = p.id AND current.kind = s.kind
        AND current.substitute = s.substitute AND current.superseded_at IS NULL
    LEFT JOIN LATERAL (
        SELECT said.fingerprint = {fingerprint_of("s.personal")} AS repeated
        FROM contact_point AS said
        WHERE (current.id IS NULL OR current.changed_by = 'participant')
            AND said.participant_id = p.id AND said.kind = s.kind
            AND said.substitute = s.substitute AND said.changed_by = 'case_system'
        ORDER BY said.id DESC LIMIT 1
    ) last ON true
    CROSS JOIN LATERAL (
        SELECT current.fingerprint IS NOT DISTINCT FROM {fingerprint_of("s.personal")} AS same
    ) place
    WHERE last.repeated IS NOT TRUE OR place.same
"""  # noqa: S608  joined from constants of ours
_SUPERSEDE_CONTACTS: Final = """
    UPDATE contact_point SET superseded_at = now() FROM compared_contact n
    WHERE contact_point.id = n.current_id AND NOT (n.same AND n.safe_to_use = n.was_safe)
"""
_ADD_CONTACTS: Final = f"""
    INSERT INTO contact_point (participant_id, kind, sealed, sealed_key_id, fingerprint, substitute,
        safe_to_use, verified_at, bounced_at, returned_at, own_answer, {CONTACT.plain_columns()})
    SELECT participant_id, kind, {box_of("personal")}, {key_of("personal")},
        {fingerprint_of("personal")}, substitute, safe_to_use, verified_at, bounced_at, returned_at,
        COALESCE(own_answer, false), {CONTACT.plain_values("personal")}
    FROM compared_contact n WHERE n.current_id IS NULL OR NOT (same AND safe_to_use = was_safe)
"""  # noqa: S608  joined from constants of ours
_VERIFY_CONTACTS: Final = """
    UPDATE contact_point SET verified_at = n.verified_at FROM compared_contact n
    WHERE contact_point.id = n.current_id AND n.same AND n.safe_to_use = n.was_safe
        AND n.verified_at IS DISTINCT FROM n.was_verified_at
"""


def _affected(status: str) -> int:
    return int(status.rpartition(" ")[2])


async def _load_contacts(connection: Connection) -> Written:
    await connection.execute(_HOLD_CONTACTS)
    await connection.execute(_COUNT_CONTACTS)
    await connection.execute(_COMPARE_CONTACTS)
    await connection.execute("ANALYZE compared_contact")
    superseded = _affected(await connection.execute(_SUPERSEDE_CONTACTS))
    inserted = _affected(await connection.execute(_ADD_CONTACTS))
    verified = _affected(await connection.execute(_VERIFY_CONTACTS))
    return Written(inserted - superseded, superseded + verified)


_TARGETS: Final[Mapping[str, Target]] = {
    "participants.csv": _PARTICIPANTS,
    "cases.csv": _CASES,
    "case_parties.csv": _CASE_PARTIES,
    "accounts.csv": _ACCOUNTS,
    "payments.csv": _PAYMENTS,
    "appointments.csv": _APPOINTMENTS,
}


async def load(connection: Connection, file: str) -> Written:
    """Bring the staged rows of `file` into its table, inside the caller's transaction.

    A contact point that differs supersedes the row it replaces, which stays as history; where only
    the answer to "is it safe to use" differs, its proofs, bounces and returned letters travel to
    the new row. A newer proof alone is noted on the row itself. What the case system says of
    eCommunications is a consent on record. Nothing else is written, and nobody is told. Mail
    addresses that are new, or whose participant has changed, are left to be looked at. What is
    sealed is compared by its fingerprint, so rows that are still in the clear are sealed first.
    """
    if file == "contact_points.csv":
        await seal_clear(connection, CONTACT)
        return await _load_contacts(connection)
    if file == "participants.csv":
        await seal_clear(connection, NAMES)
        await connection.execute(_FORGET_FLAGS)
    counts = await connection.fetchrow(_TARGETS[file].statement())
    if file == "participants.csv":
        await connection.execute(_RECORD_CONSENTS)
    return Written(counts["added"], counts["updated"])
