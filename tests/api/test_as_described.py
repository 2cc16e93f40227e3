"""Every operation of the API, asked for as its document allows and as it does not."""

from typing import Any, Final

import pytest
from redis.asyncio import Redis
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    response_headers_conformance,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.api.about import every_door
from engine.api.document import document
from engine.caseload.columns import Rules
from engine.settings import Settings
from tests.api.api_site import BASE, CASE, READER, V1, api_over, populate
from tests.described import AS_DESCRIBED, cases_of, operations, sent

CHECKS: Final = [*AS_DESCRIBED, response_headers_conformance]


def about_somebody(body: Any) -> Any:
    """`body` about a participant and a case that there are, as far as it is about any."""
    if isinstance(body, list):
        return [about_somebody(each) for each in body]
    if not isinstance(body, dict):
        return body
    known = {"participant_id": READER.external_id, "case_number": CASE}
    return {name: known.get(name, about_somebody(value)) for name, value in body.items()}


@pytest.mark.parametrize(
    "wanted",
    [GenerationMode.POSITIVE, pytest.param(GenerationMode.NEGATIVE, marks=pytest.mark.full)],
    ids=["as it allows", "as it does not"],
)
async def test_every_answer_is_as_described(
    settings: Settings, database: AsyncEngine, redis: Redis, wanted: GenerationMode
) -> None:
    """No failure of ours, no answer that the document does not know, and nothing is taken that it
    does not allow; about nobody, and about somebody who is there.

    The fuller tier asks for more, of webhooks too: tests/api/test_over_http.py.
    """
    # Every call shows its key: that one is asked for is for tests/api/test_keys.py.
    described = document(every_door(Rules()), Rules()) | {"security": []}
    generous = settings.model_copy(update={"api_rate": "10000/minute"})
    async with api_over(generous) as api:
        await populate(api.application)
        client = await api.client()
        for name, mode, door in operations(described):
            # To post to a host that was made up, its name has to be looked for.
            if mode is not wanted or (wanted is GenerationMode.POSITIVE and "/webhooks" in name):
                continue
            checks = [*CHECKS]
            if mode is GenerationMode.NEGATIVE:
                checks.append(negative_data_rejection)
            for case in cases_of(door, 2):
                for body in (case.body, about_somebody(case.body)):
                    case.body = body
                    asked = sent(case, f"{BASE}{V1}")
                    answer = await client.request(**asked)
                    await answer.request.aread()
                    case.validate_response(answer, checks=checks)
