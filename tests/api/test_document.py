"""What the API says of itself."""

from engine.api.about import WRITTEN, every_door
from engine.api.document import written
from engine.caseload.columns import Rules
from tests.api.api_site import V1, ApiSite


def test_the_document_in_docs_is_the_one_that_is_served() -> None:
    """`python -m engine.api.about` writes it anew."""
    assert WRITTEN.read_text(encoding="utf-8") == written(every_door(Rules()))


async def test_document_and_problems_are_public(api: ApiSite) -> None:
    """Whoever writes a program has no key yet; every type of problem leads to what it means."""
    stranger = api.stranger()
    document = (await stranger.get(f"{V1}/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    told = (await stranger.get(f"{V1}/problems")).json()["problems"]
    refused = (await stranger.get(f"{V1}/catalogue")).json()
    assert refused["type"] in {kind["type"] for kind in told}
