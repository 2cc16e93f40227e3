"""What is answered when all is well: JSON, made from a model."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response


class Told(BaseModel):
    """A part of an answer. Nothing in it is personal, and every field of it is always there."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def answered(told: Told, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that says so."""
    return json_answer(told.model_dump_json(), status, headers)


def json_answer(
    body: str | bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer whose JSON is made already."""
    return Response(body, status, headers=dict(headers or {}), media_type="application/json")
