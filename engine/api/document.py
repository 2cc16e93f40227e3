"""The OpenAPI 3.1 document of the machine API, made from its doors."""

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic import TypeAdapter

from engine.api.doors import Answers, Door, Operation
from engine.api.problems import (
    AWAY,
    BODY_LATE,
    BODY_UNREADABLE,
    KEY_MISSING,
    KEY_UNKNOWN,
    MEDIA_TYPE,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    NOT_JSON,
    OUR_FAULT,
    SCOPE_MISSING,
    TOO_LARGE,
    TOO_MANY,
    ProblemKind,
)
from engine.case_system.keys import Scope
from engine.caseload.columns import Rules

PREFIX: Final = "/api/v1"
_REFERENCE: Final = "#/components/schemas/{model}"
_SCHEME: Final = "apiKey"
_ABOUT: Final = (
    "For the state's case-management system: record what a participant is to be told, and hear "
    "what became of it. Every time is UTC, every day a day in California. Each reader is told in "
    "their own language, English or Spanish. / Para el sistema de casos del estado: registrar lo "
    "que se ha de comunicar a cada participante y saber qué fue de ello. Cada participante lo "
    "recibe en su idioma, inglés o español."
)
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Problem details (RFC 9457). No value that was sent is repeated.",
    "properties": {
        "type": {"type": "string", "description": "Stable; /api/v1/problems says what it means"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON Pointer into the body"},
                    "detail": {"type": "string"},
                },
                "required": ["pointer", "detail"],
                "additionalProperties": False,
            },
        },
        "errors_in_all": {"type": "integer", "description": "errors names a thousand at most"},
    },
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
}
_LIMITS: Final = {
    "RateLimit-Policy": {"$ref": "#/components/headers/RateLimit-Policy"},
    "RateLimit": {"$ref": "#/components/headers/RateLimit"},
}


def document(doors: Iterable[Door], rules: Rules) -> dict[str, Any]:
    """The document of `doors`, for an agency whose numbers have as many digits as `rules` say."""
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    paths: dict[str, Any] = {}
    for door in doors:
        described = _operation(door, rules, schemas)
        paths.setdefault(door.path, {})[door.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Customer Connect", "version": "1", "description": _ABOUT},
        "servers": [{"url": PREFIX}],
        "security": [{_SCHEME: []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "headers": {
                "RateLimit-Policy": _header('"api-key";q=600;w=60', "How many in how many seconds"),
                "RateLimit": _header('"api-key";r=599;t=60', "How many are left, until when"),
                "Retry-After": _header("30", "Seconds after which it is worth asking again"),
            },
            "securitySchemes": {
                _SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `connect api-key create`; scopes: "
                    + ", ".join(Scope),
                }
            },
        },
    }


def _operation(door: Door, rules: Rules, schemas: dict[str, Any]) -> dict[str, Any]:
    operation = door.operation
    scope = f"Scope: `{door.scope}`." if door.scope else ""
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": " ".join(filter(None, (operation.description, scope))),
    }
    if operation.parameters:
        described["parameters"] = [dict(each) for each in operation.parameters]
    if operation.body is not None:
        schema = _schema(operation.body(rules), schemas, "validation")
        content = {"schema": schema, "examples": dict(operation.body_examples)}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    if door.public:
        described["security"] = []
    answers = {
        str(status): _answer(answer, schemas, limited=not door.public)
        for status, answer in operation.answers.items()
    }
    described["responses"] = answers | _problems(door, operation)
    return described


def _answer(answer: Answers, schemas: dict[str, Any], *, limited: bool) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.said}
    headers: dict[str, Any] = dict(_LIMITS) if limited else {}
    for name, said in answer.headers.items():
        headers[name] = {"schema": {"type": "string"}, "description": said}
    if headers:
        described["headers"] = headers
    if answer.shape is not None:
        content: dict[str, Any] = {"schema": _schema(answer.shape, schemas, "serialization")}
        if answer.examples:
            content["examples"] = dict(answer.examples)
        described["content"] = {"application/json": content}
    return described


def _problems(door: Door, operation: Operation) -> dict[str, Any]:
    kinds: list[ProblemKind] = [*operation.problems, OUR_FAULT, AWAY]
    if not door.public:
        kinds += [KEY_MISSING, KEY_UNKNOWN, TOO_MANY]
    if door.scope is not None:
        kinds.append(SCOPE_MISSING)
    if operation.body is not None:
        kinds += [BODY_UNREADABLE, BODY_LATE, TOO_LARGE, NOT_JSON]
    if any(each["in"] == "path" for each in operation.parameters):
        kinds.append(NOT_FOUND)
    by_status: dict[int, list[ProblemKind]] = {}
    for kind in dict.fromkeys((*kinds, METHOD_NOT_ALLOWED)):
        by_status.setdefault(kind.status, []).append(kind)
    return {str(status): _problem(found) for status, found in sorted(by_status.items())}


def _problem(kinds: Sequence[ProblemKind]) -> dict[str, Any]:
    status = HTTPStatus(kinds[0].status)
    described: dict[str, Any] = {
        "description": " / ".join(kind.title for kind in kinds),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {kind.name: {"value": _told(kind)} for kind in kinds},
            }
        },
    }
    headers = {
        HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
        HTTPStatus.METHOD_NOT_ALLOWED: ("Allow",),
    }.get(status, ())
    if headers:
        described["headers"] = {name: {"schema": {"type": "string"}} for name in headers}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        described["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return described


def _told(kind: ProblemKind) -> Mapping[str, Any]:
    return {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.meaning,
    }


def _header(example: str, said: str) -> dict[str, Any]:
    return {"description": said, "schema": {"type": "string"}, "example": example}


def _schema(shape: Any, schemas: dict[str, Any], mode: Any) -> dict[str, Any]:
    """The schema of `shape`, a model or an adapter, by reference where it has a name."""
    adapter = shape if isinstance(shape, TypeAdapter) else TypeAdapter(shape)
    made = adapter.json_schema(mode=mode, ref_template=_REFERENCE)
    schemas |= made.pop("$defs", {})
    if "title" not in made:
        return made
    schemas[made["title"]] = made
    return {"$ref": _REFERENCE.format(model=made["title"])}


def written(doors: Iterable[Door]) -> str:
    """The document with the numbers as long as they are by default, as it lies in docs/."""
    told = document(doors, Rules())
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
