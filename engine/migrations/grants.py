"""Who may read and write which table: all that the processes of each role need, and no more.

Rights stand as SQL has them. Where columns are named, the others are closed: a sealed secret to the
portal, the hash of a PIN and the token of a session to workers.
"""

from typing import Final

WORKER: Final = "connect_worker"
"""Workers, and `connect bounce serve`."""
PORTAL: Final = "connect_portal"
OPERATOR: Final = "connect_operator"
"""Commands. It may do what a worker may besides, and become `connect_purger`."""
PURGER: Final = "connect_purger"
"""`connect purge` while it removes."""

_READ: Final = "SELECT"
_APPEND: Final = "SELECT, INSERT"
_CHANGE: Final = "SELECT, INSERT, UPDATE"
_REMOVE: Final = "SELECT, DELETE"

_OPEN_OF_COMMUNICATION: Final = (
    "id, idempotency_key, notice, participant_id, language, urgency, route, step, requested_at, "
    "due_by, state, recorded_at, met_at, given_to, contact_point_id, subject, campaign_id"
)
"""All but its words: the facts are for whoever renders them."""
_OPEN_OF_DELIVERY: Final = (
    "id, communication_id, step, channel, meets_obligation, due_by, state, attempts, "
    "next_attempt_at, rung_at, lease_token, leased_until, secret_key_id, reason, sent_to, "
    "created_at, final_at"
)
"""All but the sealed secret."""
_MOVED_OF_DELIVERY: Final = (
    "state, reason, next_attempt_at, rung_at, attempts, lease_token, leased_until, sent_to, "
    "final_at, secret, secret_key_id"
)
_OPEN_OF_PIN: Final = (
    "id, participant_id, kind, delivery_id, issued_at, expires_at, used_at, voided_at"
)
"""All but its hash."""

GRANTS: Final[dict[str, dict[str, str]]] = {
    # What the case system and the parents say.
    "participant": {
        WORKER: "SELECT, UPDATE (paperless)",
        PORTAL: "SELECT, INSERT, UPDATE (language, paperless)",
        OPERATOR: _CHANGE,
        PURGER: _REMOVE,
    },
    "contact_point": {
        WORKER: "SELECT, UPDATE (bounced_at, returned_at, vouched_at, verified_at)",
        PORTAL: "SELECT, INSERT, UPDATE (safe_to_use, superseded_at, verified_at, own_answer)",
        OPERATOR: _CHANGE,
        PURGER: _REMOVE,
    },
    "contact_suppression": {WORKER: _APPEND, PORTAL: _READ, PURGER: _REMOVE},
    "support_case": {
        WORKER: "SELECT, UPDATE (status)",
        PORTAL: "SELECT, UPDATE (status)",
        OPERATOR: _CHANGE,
        PURGER: _READ,
    },
    "case_party": {
        WORKER: _READ,
        PORTAL: _READ,
        OPERATOR: "SELECT, INSERT, UPDATE, DELETE",
        PURGER: _READ,
    },
    "account": {PORTAL: _READ, OPERATOR: _CHANGE},
    "payment": {WORKER: _READ, PORTAL: _READ, OPERATOR: _CHANGE},
    "appointment": {WORKER: _READ, PORTAL: _READ, OPERATOR: _CHANGE, PURGER: _READ},
    "appointment_answer": {
        PORTAL: _APPEND,
        OPERATOR: "SELECT, UPDATE (wish, sealed_wish, wish_key_id)",
        PURGER: _REMOVE,
    },
    "reminder_choice": {WORKER: _READ, PORTAL: _APPEND, PURGER: _REMOVE},
    "consent_text": {PORTAL: _APPEND, OPERATOR: _APPEND},
    "consent": {WORKER: _APPEND, PORTAL: _APPEND, OPERATOR: _APPEND, PURGER: _REMOVE},
    "consent_sample": {
        WORKER: "SELECT (id, expires_at), DELETE",
        PORTAL: _CHANGE,
    },
    "email_confirmation": {PORTAL: _CHANGE, PURGER: _REMOVE},
    "caseworker_message": {
        PORTAL: "SELECT, INSERT, UPDATE (read_at)",
        OPERATOR: _CHANGE,
        PURGER: _REMOVE,
    },
    "other_party_report": {
        PORTAL: "SELECT (id), INSERT",
        OPERATOR: "SELECT, UPDATE (read_at, read_by, facts, sealed_facts, facts_key_id)",
        PURGER: _REMOVE,
    },
    "submission": {
        WORKER: "SELECT (at), DELETE",
        PORTAL: _APPEND,
        PURGER: "SELECT (participant_id)",
    },
    # Those who apply.
    "applicant": {
        PORTAL: _CHANGE,
        OPERATOR: "SELECT, UPDATE (sealed_username, username_key_id)",
        PURGER: _REMOVE,
    },
    "applicant_link": {PORTAL: _CHANGE, PURGER: _REMOVE},
    # Applications.
    "application_draft": {PORTAL: "SELECT, INSERT, UPDATE, DELETE", PURGER: _REMOVE},
    "application_answer": {
        PORTAL: "SELECT, INSERT, UPDATE, DELETE",
        OPERATOR: "SELECT, UPDATE (sealed_values, values_key_id)",
        PURGER: "SELECT (id, draft_id), DELETE",
    },
    "application_upload": {
        PORTAL: "SELECT, INSERT, DELETE",
        OPERATOR: "SELECT, UPDATE (sealed_content, content_key_id)",
        PURGER: "SELECT (id, draft_id), DELETE",
    },
    "application": {
        PORTAL: _APPEND,
        OPERATOR: "SELECT, UPDATE (sealed_record, record_key_id)",
        PURGER: "SELECT (id, number, draft_id, participant_id, submitted_at), DELETE",
    },
    "application_export": {OPERATOR: _APPEND, PURGER: _REMOVE},
    # PINs and sessions.
    "pin_request": {
        WORKER: "SELECT, UPDATE (settled_at, outcome)",
        PORTAL: "SELECT (id), INSERT",
        PURGER: _REMOVE,
    },
    "pin_credential": {
        WORKER: f"SELECT ({_OPEN_OF_PIN}), INSERT, UPDATE (expires_at, voided_at)",
        PORTAL: "SELECT, INSERT, UPDATE (hash, used_at, voided_at)",
        PURGER: f"SELECT ({_OPEN_OF_PIN}), DELETE",
    },
    "portal_session": {
        WORKER: "SELECT (ends_at), DELETE",
        PORTAL: _CHANGE,
        PURGER: "SELECT (credential_id, participant_id)",
    },
    "sign_in_standing": {
        WORKER: "SELECT, UPDATE (tell, told_on), DELETE",
        PORTAL: "SELECT, INSERT, UPDATE, DELETE",
    },
    "audit_entry": {
        WORKER: _APPEND,
        PORTAL: _APPEND,
        PURGER: "SELECT, INSERT, DELETE",
    },
    # What is owed, and what became of it.
    "communication": {
        WORKER: _CHANGE,
        PORTAL: f"SELECT ({_OPEN_OF_COMMUNICATION}), INSERT, "
        "UPDATE (state, met_at, given_to, step, due_by)",
        PURGER: _REMOVE,
    },
    "communication_event": {WORKER: _APPEND, PORTAL: _APPEND, PURGER: _REMOVE},
    "delivery": {
        WORKER: _CHANGE,
        PORTAL: f"SELECT ({_OPEN_OF_DELIVERY}), "
        "INSERT (communication_id, step, channel, meets_obligation, due_by, next_attempt_at), "
        f"UPDATE ({_MOVED_OF_DELIVERY})",
        PURGER: f"SELECT ({_OPEN_OF_DELIVERY}), DELETE",
    },
    "delivery_event": {WORKER: _APPEND, PORTAL: _APPEND, PURGER: _REMOVE},
    "bounce_report": {WORKER: _APPEND, PURGER: _REMOVE},
    "campaign": {WORKER: _APPEND, OPERATOR: "UPDATE (state)", PURGER: _REMOVE},
    "campaign_recording": {WORKER: _APPEND, PURGER: _REMOVE},
    "document": {
        WORKER: "SELECT, INSERT, UPDATE (reminded_at)",
        PORTAL: "SELECT, UPDATE (opened_at)",
        PURGER: _REMOVE,
    },
    # What the case system is told of it.
    "feed_event": {WORKER: _APPEND, PORTAL: _READ, PURGER: _REMOVE},
    "feed_head": {
        WORKER: _CHANGE,
        PORTAL: "SELECT (position, removed_to, numbered_at)",
        PURGER: "SELECT (removed_to), UPDATE (removed_to)",
    },
    "webhook_endpoint": {
        WORKER: _CHANGE,
        PORTAL: "SELECT, INSERT, DELETE, UPDATE (failures, failing_since, next_attempt_at, "
        "disabled_at, disabled_why)",
        OPERATOR: "DELETE",
    },
    # The portal makes secrets, and can read none.
    "webhook_secret": {
        WORKER: _READ,
        PORTAL: "SELECT (id, endpoint_id, made_at, ends_at), INSERT, DELETE, UPDATE (ends_at)",
        OPERATOR: "SELECT, INSERT, DELETE, UPDATE",
    },
    # The mail room.
    "print_batch": {
        WORKER: "SELECT, INSERT, UPDATE, DELETE",
        PORTAL: "SELECT (id, state)",
        PURGER: _REMOVE,
    },
    "print_piece": {
        WORKER: "SELECT, INSERT, UPDATE, DELETE",
        PORTAL: "SELECT (batch_id, delivery_id)",
        PURGER: _REMOVE,
    },
    "print_file": {WORKER: _CHANGE, PURGER: _REMOVE},
    "print_answer": {WORKER: _CHANGE, PURGER: _REMOVE},
    "piece_event": {WORKER: _APPEND, PURGER: _REMOVE},
    "print_order": {WORKER: "SELECT, UPDATE (sha256, sent_at)", OPERATOR: _CHANGE, PURGER: _REMOVE},
    "ordered_piece": {WORKER: _READ, OPERATOR: _APPEND, PURGER: _REMOVE},
    "print_proof": {WORKER: _READ, OPERATOR: _CHANGE},
    "imb_range": {WORKER: _APPEND},
    # Of the version before, which may still run.
    "print_alarm": {WORKER: _CHANGE},
    "operator_act": {WORKER: _READ, OPERATOR: _APPEND, PURGER: _REMOVE},
    # What operators are told.
    "alarm": {WORKER: _CHANGE, PORTAL: "SELECT (kind, cleared_at)", PURGER: _REMOVE},
    "alarm_message": {WORKER: _CHANGE, PURGER: _REMOVE},
    "smarthost_report": {WORKER: "SELECT, INSERT, UPDATE, DELETE", PORTAL: _READ},
    # Whoever notices that the database was restored says so in it.
    "database_mark": {WORKER: _CHANGE, PORTAL: _CHANGE},
    # The machine API.
    "api_key": {WORKER: _READ, PORTAL: _READ, OPERATOR: _CHANGE},
    "api_key_secret": {
        WORKER: "SELECT (api_key_id, expires_at)",
        PORTAL: "SELECT, UPDATE (used_at)",
        OPERATOR: (
            "SELECT (id, api_key_id, prefix, created_at, expires_at, used_at), INSERT, "
            "UPDATE (expires_at)"
        ),
    },
    "kept_answer": {PORTAL: _APPEND, PURGER: _REMOVE},
    # Legal holds.
    "legal_hold": {OPERATOR: _CHANGE, PURGER: _READ},
    "held_participant": {OPERATOR: _READ, PURGER: _READ},
}
