"""What is asked and answered, for readers of either language. Everybody in it is invented."""

from typing import Any, Final

_ID: Final = "cmn_Vb2xLk0pQm8rT5uW9yZ1aC3dE6fG7hJ4"
_OTHER_ID: Final = "cmn_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6"


def _example(summary: str, value: Any) -> dict[str, Any]:
    return {"summary": summary, "value": value}


_PAYMENT_ASK: Final = {
    "notice": "payment_notice",
    "participant_id": "0000000042",
    "facts": {
        "direction": "sent",
        "amount_cents": 48_250,
        "paid_on": "2026-11-20",
        "case_number": "000000000000042",
    },
}
_APPOINTMENT_ASK: Final = {
    "notice": "appointment_scheduled",
    "participant_id": "0000000043",
    "facts": {
        "kind": "office",
        "starts_at": "2026-12-09T09:30:00-08:00",
        "place": "1200 Example Street, Suite 300, Sacramento, CA 95814",
    },
}
ASKS: Final = {
    "payment_en": _example("A payment, to a reader of English", _PAYMENT_ASK),
    "cita_es": _example(
        "Una cita, a quien lee en español: el idioma es el del participante", _APPOINTMENT_ASK
    ),
}
BATCH_ASKS: Final = {
    "two": _example(
        "A reader of English and one of Spanish / Quien lee en inglés y quien lee en español",
        {"communications": [_PAYMENT_ASK, _APPOINTMENT_ASK]},
    )
}

_BRIEF_EN: Final = {
    "id": _ID,
    "notice": "payment_notice",
    "language": "en",
    "urgency": "bulk",
    "state": "owed",
    "requested_at": "2026-11-23T20:00:00Z",
    "due_by": "2026-12-09",
}
_BRIEF_ES: Final = _BRIEF_EN | {
    "id": _OTHER_ID,
    "notice": "appointment_scheduled",
    "language": "es",
    "due_by": "2026-11-24",
}
BATCHES: Final = {
    "two": _example(
        "In the order in which they were asked for / En el orden en que se pidieron",
        {"communications": [_BRIEF_EN, _BRIEF_ES]},
    )
}


def _delivery(channel: str, due_by: str, state: str, *events: dict[str, Any]) -> dict[str, Any]:
    return {
        "step": 0,
        "channel": channel,
        "meets_obligation": True,
        "due_by": due_by,
        "state": state,
        "attempts": 0,
        "reason": None,
        "created_at": "2026-11-23T20:00:00Z",
        "final_at": None,
        "events": list(events),
    }


def _whole(brief: dict[str, Any], *deliveries: dict[str, Any]) -> dict[str, Any]:
    return brief | {
        "step": 0,
        "recorded_at": "2026-11-23T20:00:00Z",
        "met_at": None,
        "deliveries": list(deliveries),
        "events": [],
    }


COMMUNICATIONS: Final = {
    "owed_en": _example(
        "A letter that is owed, in English",
        _whole(_BRIEF_EN, _delivery("mail", "2026-12-09", "owed")),
    ),
    "enviado_es": _example(
        "Un correo electrónico enviado, en español",
        _whole(
            _BRIEF_ES | {"state": "met"},
            _delivery("email", "2026-11-24", "sent")
            | {
                "attempts": 1,
                "final_at": "2026-11-23T20:00:02Z",
                "events": [
                    {
                        "at": "2026-11-23T20:00:01Z",
                        "event": "claimed",
                        "state": "sending",
                        "changed": True,
                        "reason": None,
                    },
                    {
                        "at": "2026-11-23T20:00:02Z",
                        "event": "accepted",
                        "state": "sent",
                        "changed": True,
                        "reason": None,
                    },
                ],
            },
        )
        | {"met_at": "2026-11-23T20:00:02Z"},
    ),
}
_CANCELLED: Final = {
    "at": "2026-11-23T20:05:00Z",
    "event": "cancelled",
    "state": "cancelled",
    "changed": True,
    "reason": "case_system",
}
CANCELLED: Final = {
    "cancelled_en": _example(
        "A letter that is not sent",
        _whole(
            _BRIEF_EN | {"state": "cancelled"},
            _delivery("mail", "2026-12-09", "cancelled", _CANCELLED)
            | {"reason": "case_system", "final_at": "2026-11-23T20:05:00Z"},
        ),
    ),
    "cancelada_es": _example(
        "Una carta que ya no se envía",
        _whole(
            _BRIEF_ES | {"state": "cancelled"},
            _delivery("mail", "2026-12-09", "cancelled", _CANCELLED)
            | {"reason": "case_system", "final_at": "2026-11-23T20:05:00Z"},
        ),
    ),
}
CATALOGUE: Final = {
    "two_of_them": _example(
        "One that is recorded here and one that is not / Uno que se registra aquí y otro que no",
        {
            "notices": [
                {
                    "notice": "document_ready",
                    "recordable": True,
                    "why_not": None,
                    "urgency": "bulk",
                    "legal_class": "ordinary",
                    "channels": [
                        {"channel": "email", "business_days": 1},
                        {"channel": "mail", "business_days": 10},
                        {"channel": "inbox", "business_days": 1},
                    ],
                    "facts_schema": {"type": "object"},
                },
                {
                    "notice": "temporary_pin",
                    "recordable": False,
                    "why_not": "it carries a secret, which is made when a participant asks for it",
                    "urgency": "urgent",
                    "legal_class": "ordinary",
                    "channels": [
                        {"channel": "email", "business_days": 1},
                        {"channel": "mail", "business_days": 10},
                    ],
                    "facts_schema": None,
                },
            ]
        },
    )
}

_CURSOR: Final = "cur_Q1w2E3r4T5y6U7i8O9p0A1s2D3f4G5h6"
EVENTS: Final = {
    "sent_en": _example(
        "An email was taken, and what it was for is met",
        {
            "events": [
                {
                    "id": "evt_Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4",
                    "type": "delivery.accepted",
                    "at": "2026-11-23T20:00:02Z",
                    "step": 0,
                    "communication": {"id": _ID, "notice": "payment_notice", "state": "met"},
                    "delivery": {
                        "id": "dlv_M1n2B3v4C5x6Z7l8K9j0H1g2F3d4S5a6",
                        "channel": "email",
                        "state": "sent",
                    },
                }
            ],
            "cursor": _CURSOR,
            "more": False,
        },
    ),
    "en_riesgo_es": _example(
        "Un plazo está en riesgo: todavía hay tiempo",
        {
            "events": [
                {
                    "id": "evt_A1s2D3f4G5h6J7k8L9z0X1c2V3b4N5m6",
                    "type": "communication.at_risk",
                    "at": "2026-11-24T16:00:00Z",
                    "step": 0,
                    "communication": {
                        "id": _OTHER_ID,
                        "notice": "appointment_scheduled",
                        "state": "owed",
                    },
                    "delivery": None,
                }
            ],
            "cursor": _CURSOR,
            "more": True,
        },
    ),
}
WEBHOOK_ASKS: Final = {
    "all_en": _example(
        "Every event from now on", {"url": "https://cases.example.org/connect/events"}
    ),
    "citas_es": _example(
        "Solo lo que toca a las citas",
        {
            "url": "https://casos.example.org/avisos",
            "notices": ["appointment_scheduled", "appointment_changed"],
        },
    ),
}
_WEBHOOK: Final = {
    "id": "whk_R1t2Y3u4I5o6P7a8S9d0F1g2H3j4K5l6",
    "url": "https://cases.example.org/connect/events",
    "notices": None,
    "cursor": _CURSOR,
    "failures": 0,
    "failing_since": None,
    "next_attempt_at": "2026-11-23T20:00:00Z",
    "last_answer": "status 204",
    "taken_at": "2026-11-23T20:05:00Z",
    "disabled_at": None,
    "disabled_why": None,
    "added_at": "2026-11-23T20:00:00Z",
    "old_secret_until": None,
}
NEW_WEBHOOKS: Final = {
    "new": _example(
        "The secret is shown this once / El secreto se muestra solo esta vez",
        _WEBHOOK | {"last_answer": None, "taken_at": None, "secret": "whsec_…"},
    )
}
WEBHOOKS: Final = {
    "one": _example("One, which takes what it is told / Uno, que recibe", {"webhooks": [_WEBHOOK]})
}
