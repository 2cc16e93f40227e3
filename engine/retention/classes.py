"""The classes of records: how old each may grow, what keeps one longer, and how it is removed.

`candidates` answers with the ids of what is older than `$1`, and whether it is `owed` still or
`held` for a court; `removals` take the ids that are neither as `$1`. A record that another one
still points at waits for that one's turn: the classes are removed in the order they stand in.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from engine.settings import Retention

_YEAR: Final = timedelta(days=365.25)


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of records; `append_only` names the tables whose rows the database gives up only
    when they are named."""

    name: str
    kept_for: timedelta
    candidates: str
    removals: tuple[str, ...]
    append_only: tuple[str, ...] = ()


_LINKS = """
SELECT email_confirmation.id, false AS owed,
       participant_id IN (SELECT participant_id FROM held_participant) AS held
FROM email_confirmation JOIN contact_point ON contact_point.id = contact_point_id
WHERE expires_at < $1
"""
_PIN_HASHES = """
SELECT id, participant_id IN (SELECT participant_id FROM held_participant) AS held,
       EXISTS (SELECT FROM delivery WHERE delivery.id = delivery_id
               AND state IN ('owed', 'sending', 'batched', 'held')) AS owed
FROM pin_credential
WHERE least(used_at, voided_at, expires_at) < $1
  AND NOT EXISTS (SELECT FROM portal_session WHERE credential_id = pin_credential.id)
"""
_PIN_REQUESTS = """
SELECT id, settled_at IS NULL AS owed,
       coalesce(participant_id, 0) IN (SELECT participant_id FROM held_participant) AS held
FROM pin_request WHERE requested_at < $1
"""
_BOUNCE_REPORTS = """
SELECT bounce_report.id, communication.state IN ('owed', 'held') AS owed,
       participant_id IN (SELECT participant_id FROM held_participant) AS held
FROM bounce_report JOIN delivery ON delivery.id = delivery_id
     JOIN communication ON communication.id = communication_id
WHERE received_at < $1
"""
_DOCUMENTS = """
SELECT document.id, communication.state IN ('owed', 'held') AS owed,
       document.participant_id IN (SELECT participant_id FROM held_participant) AS held
FROM document JOIN delivery ON delivery.id = delivery_id
     JOIN communication ON communication.id = communication_id
WHERE posted_at < $1
"""
# A question and its replies are one; a question that nobody answered is owed an answer.
_MESSAGES = """
SELECT id, participant_id IN (SELECT participant_id FROM held_participant) AS held,
       author = 'participant' AND NOT EXISTS (
           SELECT FROM caseworker_message AS reply WHERE reply.answers_id = caseworker_message.id
       ) AS owed
FROM caseworker_message
WHERE answers_id IS NULL AND written_at < $1 AND NOT EXISTS (
    SELECT FROM caseworker_message AS later
    WHERE later.answers_id = caseworker_message.id AND later.written_at >= $1
)
"""
_OTHER_PARTY_REPORTS = """
SELECT id, read_at IS NULL AS owed,
       participant_id IN (SELECT participant_id FROM held_participant) AS held
FROM other_party_report WHERE reported_at < $1
"""
_APPOINTMENT_ANSWERS = """
SELECT appointment_answer.id, appointment.starts_at > $1 AS owed,
       participant_id IN (SELECT participant_id FROM held_participant) AS held
FROM appointment_answer JOIN appointment ON appointment.id = appointment_id
WHERE answered_at < $1
"""
# The newest of each sequence stays, so that the next batch is numbered after it.
_PRINT_BATCHES = """
SELECT id,
       bool_or(coalesce(owing, false)) AS owed, bool_or(coalesce(holding, false)) AS held
FROM (
    SELECT print_batch.id,
           participant_id IN (SELECT participant_id FROM held_participant) AS holding,
           communication.state IN ('owed', 'held') OR delivery.state = 'batched' AS owing
    FROM print_batch
         LEFT JOIN print_piece ON batch_id = print_batch.id
         LEFT JOIN delivery ON delivery.id = delivery_id
         LEFT JOIN communication ON communication.id = communication_id
    WHERE print_batch.state = 'handed_over' AND handed_over_at < $1
      AND EXISTS (SELECT FROM print_batch AS later WHERE later.job = print_batch.job
                  AND later.env = print_batch.env AND later.sequence > print_batch.sequence)
) AS pieces GROUP BY id
"""
_SUPPRESSIONS = """
SELECT contact_suppression.id, false AS owed,
       participant_id IN (SELECT participant_id FROM held_participant) AS held
FROM contact_suppression JOIN contact_point ON contact_point.id = contact_point_id
WHERE superseded_at < $1
"""
_COMMUNICATIONS = """
SELECT communication.id, participant_id IN (SELECT participant_id FROM held_participant) AS held,
       communication.state IN ('owed', 'held') OR EXISTS (
           SELECT FROM delivery WHERE communication_id = communication.id
           AND delivery.state IN ('owed', 'sending', 'batched', 'held')
       ) AS owed
FROM communication
WHERE greatest(
    recorded_at, met_at,
    (SELECT max(final_at) FROM delivery WHERE communication_id = communication.id)
) < $1 AND NOT EXISTS (
    SELECT FROM delivery WHERE communication_id = communication.id AND (
        EXISTS (SELECT FROM document WHERE delivery_id = delivery.id)
        OR EXISTS (SELECT FROM print_piece WHERE delivery_id = delivery.id)
        OR EXISTS (SELECT FROM contact_suppression WHERE delivery_id = delivery.id)
        OR EXISTS (SELECT FROM pin_credential WHERE delivery_id = delivery.id)
    )
)
"""
_CAMPAIGNS = """
SELECT id, false AS owed, false AS held FROM campaign
WHERE created_at < $1
  AND NOT EXISTS (SELECT FROM communication WHERE campaign_id = campaign.id)
"""
# What stands is never old: the period of a consent begins with the next one's.
_CONSENTS = """
SELECT id, false AS owed,
       participant_id IN (SELECT participant_id FROM held_participant) AS held
FROM consent
WHERE EXISTS (
    SELECT FROM consent AS later WHERE later.participant_id = consent.participant_id
    AND (later.at, later.id) > (consent.at, consent.id) AND later.at < $1
)
"""
_REMINDER_CHOICES = """
SELECT id, false AS owed,
       participant_id IN (SELECT participant_id FROM held_participant) AS held
FROM reminder_choice
WHERE EXISTS (
    SELECT FROM reminder_choice AS later
    WHERE later.participant_id = reminder_choice.participant_id
    AND later.id > reminder_choice.id AND later.at < $1
)
"""
_CONTACTS = """
SELECT id, false AS owed,
       participant_id IN (SELECT participant_id FROM held_participant) AS held
FROM contact_point
WHERE superseded_at < $1
  AND NOT EXISTS (SELECT FROM delivery WHERE sent_to = contact_point.id)
  AND NOT EXISTS (SELECT FROM communication WHERE contact_point_id = contact_point.id)
  AND NOT EXISTS (SELECT FROM consent WHERE contact_point_id = contact_point.id)
  AND NOT EXISTS (SELECT FROM contact_suppression WHERE contact_point_id = contact_point.id)
  AND NOT EXISTS (SELECT FROM email_confirmation WHERE contact_point_id = contact_point.id)
"""
_FEED = "SELECT position AS id, false AS owed, false AS held FROM feed_event WHERE at < $1"
# Whoever reads on from before there is told so.
_FEED_REMOVED = """
UPDATE feed_head SET removed_to =
    greatest(removed_to, (SELECT max(gone) FROM unnest($1::bigint[]) AS removed (gone)))
"""
_ACCOUNT_LINKS = """
SELECT applicant_link.id, false AS owed,
       participant_id IN (SELECT participant_id FROM held_participant) AS held
FROM applicant_link JOIN applicant ON applicant.id = applicant_id
WHERE expires_at < $1
"""
# An account goes with the participant that was made for it, and all that was sent there.
_ACCOUNT = """
SELECT participant_id AS id,
       participant_id IN (SELECT participant_id FROM held_participant) AS held,
       EXISTS (SELECT FROM communication
               WHERE communication.participant_id = applicant.participant_id
               AND state IN ('owed', 'held')) AS owed
FROM applicant
WHERE NOT EXISTS (SELECT FROM portal_session
                  WHERE portal_session.participant_id = applicant.participant_id)
  AND NOT EXISTS (SELECT FROM submission
                  WHERE submission.participant_id = applicant.participant_id)
  AND NOT EXISTS (SELECT FROM application_draft
                  WHERE application_draft.participant_id = applicant.participant_id)
"""
_UNCONFIRMED_ACCOUNTS = f"{_ACCOUNT} AND confirmed_at IS NULL AND registered_at < $1"
_UNUSED_ACCOUNTS = f"{_ACCOUNT} AND confirmed_at IS NOT NULL AND seen_at < $1"
_ALARMS = """
SELECT id, cleared_at IS NULL AS owed, false AS held FROM alarm WHERE raised_at < $1
"""
_KEPT_ANSWERS = "SELECT id, false AS owed, false AS held FROM kept_answer WHERE kept_at < $1"
_DRAFTS = """
SELECT id, false AS owed, false AS held FROM application_draft
WHERE expires_at < $1 AND submitted_at IS NULL
"""
# What the case system was not handed yet is owed to it.
_APPLICATIONS = """
SELECT id, participant_id IN (SELECT participant_id FROM held_participant) AS held,
       NOT EXISTS (SELECT FROM application_export WHERE application_id = application.id) AS owed
FROM application WHERE submitted_at < $1
"""
# The draft of an application that is gone says only that there was one.
_SUBMITTED_DRAFTS = """
SELECT id, false AS owed, false AS held FROM application_draft
WHERE submitted_at < $1
  AND NOT EXISTS (SELECT FROM application WHERE draft_id = application_draft.id)
"""
_OPERATOR_ACTS = "SELECT id, false AS owed, false AS held FROM operator_act WHERE at < $1"


_DELIVERIES: Final = "SELECT id FROM delivery WHERE communication_id = ANY($1::bigint[])"
_SUBMITTED: Final = "SELECT draft_id FROM application WHERE id = ANY($1::bigint[])"
_PIECES: Final = "SELECT id FROM print_piece WHERE batch_id = ANY($1::bigint[])"


def _of(table: str, column: str = "id", among: str | None = None) -> str:
    """Remove the rows of `table` whose `column` is one of the ids, or among what they lead to."""
    chosen = "ANY($1::bigint[])" if among is None else f"ANY(ARRAY({among}))"
    return f"DELETE FROM {table} WHERE {column} = {chosen}"  # noqa: S608  names of our own


_OF_ACCOUNTS: Final = {
    "communication": "SELECT id FROM communication WHERE participant_id = ANY($1::bigint[])",
    "delivery": "SELECT delivery.id FROM delivery JOIN communication"
    " ON communication.id = communication_id WHERE participant_id = ANY($1::bigint[])",
    "contact_point": "SELECT id FROM contact_point WHERE participant_id = ANY($1::bigint[])",
    "applicant": "SELECT id FROM applicant WHERE participant_id = ANY($1::bigint[])",
}
"""What accounts lead to, by the participants made for them."""


def _accounts(name: str, kept_for: timedelta, candidates: str) -> Kind:
    """A class of accounts, each with everything that was sent to it."""
    return Kind(
        name,
        kept_for,
        candidates,
        (
            _of("contact_suppression", "contact_point_id", _OF_ACCOUNTS["contact_point"]),
            _of("bounce_report", "delivery_id", _OF_ACCOUNTS["delivery"]),
            _of("delivery_event", "delivery_id", _OF_ACCOUNTS["delivery"]),
            _of("delivery", "communication_id", _OF_ACCOUNTS["communication"]),
            _of("communication_event", "communication_id", _OF_ACCOUNTS["communication"]),
            _of("communication", "participant_id"),
            _of("applicant_link", "applicant_id", _OF_ACCOUNTS["applicant"]),
            _of("applicant", "participant_id"),
            _of("contact_point", "participant_id"),
            _of("participant"),
        ),
        ("contact_suppression", "bounce_report", "delivery_event", "communication_event"),
    )


def kinds(retention: Retention, audit_years: int) -> tuple[Kind, ...]:
    """Every class, in the order in which they are removed; the audit trail is apart."""
    communications = retention.communication_years * _YEAR
    return (
        Kind(
            "feed",
            timedelta(days=retention.feed_days),
            _FEED,
            (_of("feed_event", "position"), _FEED_REMOVED),
        ),
        Kind("links", timedelta(days=retention.link_days), _LINKS, (_of("email_confirmation"),)),
        Kind(
            "account_links",
            timedelta(days=retention.link_days),
            _ACCOUNT_LINKS,
            (_of("applicant_link"),),
        ),
        _accounts(
            "unconfirmed_accounts",
            timedelta(days=retention.unconfirmed_account_days),
            _UNCONFIRMED_ACCOUNTS,
        ),
        _accounts(
            "unused_accounts", timedelta(days=retention.unused_account_days), _UNUSED_ACCOUNTS
        ),
        Kind(
            "kept_answers",
            timedelta(days=retention.kept_answer_days),
            _KEPT_ANSWERS,
            (_of("kept_answer"),),
        ),
        Kind(
            "pin_hashes",
            timedelta(days=retention.pin_hash_days),
            _PIN_HASHES,
            (_of("pin_credential"),),
        ),
        Kind(
            "pin_requests",
            timedelta(days=retention.pin_request_days),
            _PIN_REQUESTS,
            (_of("pin_request"),),
        ),
        Kind(
            "bounce_reports",
            timedelta(days=retention.bounce_report_days),
            _BOUNCE_REPORTS,
            (_of("bounce_report"),),
            ("bounce_report",),
        ),
        Kind("documents", retention.document_years * _YEAR, _DOCUMENTS, (_of("document"),)),
        Kind(
            "messages",
            retention.message_years * _YEAR,
            _MESSAGES,
            (_of("caseworker_message", "answers_id"), _of("caseworker_message")),
        ),
        Kind(
            "other_party_reports",
            retention.message_years * _YEAR,
            _OTHER_PARTY_REPORTS,
            (_of("other_party_report"),),
        ),
        Kind(
            "appointment_answers",
            retention.message_years * _YEAR,
            _APPOINTMENT_ANSWERS,
            (_of("appointment_answer"),),
        ),
        Kind(
            "application_drafts",
            timedelta(days=retention.draft_days),
            _DRAFTS,
            (
                _of("application_upload", "draft_id"),
                _of("application_answer", "draft_id"),
                _of("application_draft"),
            ),
        ),
        Kind(
            "applications",
            retention.application_years * _YEAR,
            _APPLICATIONS,
            (
                _of("application_export", "application_id"),
                _of("application_upload", "draft_id", _SUBMITTED),
                _of("application"),
            ),
            ("application_export", "application_upload", "application"),
        ),
        Kind(
            "submitted_drafts",
            retention.application_years * _YEAR,
            _SUBMITTED_DRAFTS,
            (_of("application_draft"),),
        ),
        Kind(
            "print_batches",
            communications,
            _PRINT_BATCHES,
            (
                _of("ordered_piece", "piece", _PIECES),
                _of("print_order", "batch_id"),
                _of("piece_event", "piece", _PIECES),
                _of("print_file", "batch_id"),
                _of("print_answer", "batch_id"),
                _of("print_piece", "batch_id"),
                _of("print_batch"),
            ),
            ("piece_event",),
        ),
        Kind(
            "suppressions",
            retention.contact_years * _YEAR,
            _SUPPRESSIONS,
            (_of("contact_suppression"),),
            ("contact_suppression",),
        ),
        Kind(
            "communications",
            communications,
            _COMMUNICATIONS,
            (
                _of("bounce_report", "delivery_id", _DELIVERIES),
                _of("delivery_event", "delivery_id", _DELIVERIES),
                _of("delivery", "communication_id"),
                _of("communication_event", "communication_id"),
                _of("communication"),
            ),
            ("bounce_report", "delivery_event", "communication_event"),
        ),
        Kind(
            "campaigns",
            communications,
            _CAMPAIGNS,
            (_of("campaign_recording", "campaign_id"), _of("campaign")),
        ),
        Kind(
            "consents",
            retention.consent_years * _YEAR,
            _CONSENTS,
            (_of("consent"),),
            ("consent",),
        ),
        Kind(
            "reminder_choices",
            retention.consent_years * _YEAR,
            _REMINDER_CHOICES,
            (_of("reminder_choice"),),
            ("reminder_choice",),
        ),
        Kind("contacts", retention.contact_years * _YEAR, _CONTACTS, (_of("contact_point"),)),
        Kind(
            "alarms", audit_years * _YEAR, _ALARMS, (_of("alarm_message", "alarm_id"), _of("alarm"))
        ),
        Kind(
            "operator_acts",
            audit_years * _YEAR,
            _OPERATOR_ACTS,
            (_of("operator_act"),),
            ("operator_act",),
        ),
    )
