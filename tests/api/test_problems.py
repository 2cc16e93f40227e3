"""Whatever goes wrong under /api is a problem, never a page."""

import pytest
from structlog.testing import capture_logs

from engine.case_system.recording import Recorder
from tests.api.api_site import V1, ApiSite, payment, record


async def test_what_is_not_there_is_a_problem(api: ApiSite) -> None:
    """In JSON, to whoever asks; no header lets another site's script read it."""
    stranger = api.stranger(Origin="https://elsewhere.example")
    for method, path, status in (
        ("GET", "/api/", 404),
        ("GET", "/api/v2/catalogue", 404),
        ("GET", f"{V1}/nowhere", 404),
        ("POST", f"{V1}/webhooks/x%0Ay/disable", 401),
        ("GET", "/api/x%0A", 404),
        ("POST", f"{V1}/catalogue", 405),
        ("GET", f"{V1}/communications/batch", 405),
        ("OPTIONS", f"{V1}/communications", 405),
        ("TRACE", f"{V1}/communications", 405),
    ):
        answer = await stranger.request(method, path)
        assert answer.status_code == status, path
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert ("Allow" in answer.headers) == (status == 405)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [(RuntimeError("María Peña"), 500, "our-fault"), (OSError("db.example"), 503, "away")],
)
async def test_a_failure_of_ours_tells_nobody_anything(
    api: ApiSite,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    kind: str,
) -> None:
    """The caller hears whether to try again, the log where it happened; neither what was said."""

    async def fail(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(Recorder, "record", fail)
    with capture_logs() as logs:
        answer = await record(await api.client(), payment())
    assert (answer.status_code, answer.json()["type"]) == (status, f"/api/v1/problems#{kind}")
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert [each["error"] for each in logs if each["event"] == "request_failed"] == [
        type(error).__name__
    ]
    assert str(error) not in answer.text + str(logs)
