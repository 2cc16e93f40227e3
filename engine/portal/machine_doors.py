"""What other programs may ask of the portal, as OpenAPI has it: the pages are for people.

Tests hold every answer against it. The machine API has a document of its own, made from its doors.
"""

from typing import Any, Final

from engine.portal.one_click import FIELD, VALUE

_STANDING: Final = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ready", "away"]},
        "postgresql": {"enum": ["ready", "away"]},
        "redis": {"enum": ["ready", "away"]},
    },
    "required": ["status", "postgresql", "redis"],
    "additionalProperties": False,
}
_ONE_CLICK: Final = {
    "type": "object",
    "properties": {FIELD: {"type": "string", "enum": [VALUE]}},
    "required": [FIELD],
}


def _json(said: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": said, "content": {"application/json": {"schema": schema}}}


def _page(said: str) -> dict[str, Any]:
    return {"description": said, "content": {"text/html": {"schema": {"type": "string"}}}}


DESCRIPTION: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {"title": "Customer Connect", "version": "1"},
    "paths": {
        "/health/live": {
            "get": {
                "summary": "Whether this process runs",
                "responses": {
                    "200": _json(
                        "It does",
                        {
                            "type": "object",
                            "properties": {"status": {"const": "live"}},
                            "required": ["status"],
                            "additionalProperties": False,
                        },
                    )
                },
            }
        },
        "/health/ready": {
            "get": {
                "summary": "Whether it can serve",
                "responses": {
                    "200": _json("It can", _STANDING),
                    "503": _json("It cannot: what is away is named", _STANDING),
                },
            }
        },
        "/metrics": {
            "get": {
                "summary": "Counters and standings, for Prometheus",
                "responses": {
                    "200": {
                        "description": "In its text format",
                        "content": {"text/plain": {"schema": {"type": "string"}}},
                    }
                },
            }
        },
        "/{language}/u/{token}": {
            "post": {
                "summary": "One-click unsubscribe (RFC 8058), from a mail program",
                "parameters": [
                    {
                        "name": "language",
                        "in": "path",
                        "required": True,
                        "schema": {"enum": ["en", "es"]},
                    },
                    {
                        "name": "token",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "minLength": 1},
                    },
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/x-www-form-urlencoded": {"schema": _ONE_CLICK},
                        "multipart/form-data": {"schema": _ONE_CLICK},
                    },
                },
                "responses": {
                    "200": _page("Reminders by email are stopped, or were before"),
                    "400": _page("The body does not say so"),
                    "404": _page("The link is none of ours"),
                    "408": _page("The body did not come"),
                    "413": _page("The body is too large"),
                    "415": _page("The body is in neither of the two forms"),
                    "429": _page("Too many for now"),
                },
            }
        },
    },
}
