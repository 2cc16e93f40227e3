"""What the API says of itself, to anybody: its document, and what each problem means.

Neither holds anything that is not in the repository; a program that is being written has no key
yet.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.responses import Response

from engine.api.answers import Told, answered, json_answer
from engine.api.document import document, written
from engine.api.doors import Answers, Call, Door, Operation
from engine.api.problems import KINDS
from engine.api.rooms import doors
from engine.caseload.columns import Rules

WRITTEN: Final = Path(__file__).parents[2] / "docs" / "api" / "openapi.json"


class ToldKind(Told):
    """A kind of problem."""

    type: str
    title: str
    status: int
    meaning: str


class ToldKinds(Told):
    """Every kind of problem there is."""

    problems: tuple[ToldKind, ...]


class ToldDocument(Told):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    servers: tuple[dict[str, Any], ...]
    security: tuple[dict[str, Any], ...]
    paths: dict[str, Any]
    components: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """The document, made once."""

    body: str

    async def serve(self, _call: Call) -> Response:
        """GET /openapi.json."""
        return json_answer(self.body)


async def problems(_call: Call) -> Response:
    """GET /problems."""
    told = [
        ToldKind(type=kind.type, title=kind.title, status=kind.status, meaning=kind.meaning)
        for kind in KINDS
    ]
    return answered(ToldKinds(problems=tuple(told)))


def every_door(rules: Rules) -> tuple[Door, ...]:
    """All doors, the public ones too."""
    served = list(_with(Document("")))
    told = document(served, rules)
    return tuple(_with(Document(json.dumps(told, ensure_ascii=False))))


def _with(made: Document) -> Sequence[Door]:
    return (
        *doors(),
        Door(
            "GET",
            "/problems",
            problems,
            Operation(
                "listProblems",
                "What each type of problem means",
                {200: Answers("Every kind there is", ToldKinds)},
                "Public.",
            ),
            public=True,
        ),
        Door(
            "GET",
            "/openapi.json",
            made.serve,
            Operation(
                "describe",
                "This document",
                {200: Answers("It is OpenAPI 3.1", ToldDocument)},
                "Public.",
            ),
            public=True,
        ),
    )


def main() -> None:
    """Write the document to docs/api/openapi.json."""
    WRITTEN.parent.mkdir(exist_ok=True)
    WRITTEN.write_text(written(every_door(Rules())), encoding="utf-8")
    sys.stdout.write("docs/api/openapi.json is written anew\n")


if __name__ == "__main__":
    main()
