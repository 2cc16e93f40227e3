"""Known vulnerabilities of what we depend on: found, or said not to have been looked for."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from engine.stack import advisories
from engine.stack.advisories import Verdict, ask, read

KNOWN = {
    "id": "PYSEC-2099-1",
    "modified": "2099-01-01T00:00:00Z",
    "summary": "invented",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "jinja2"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999.0"}]}],
        }
    ],
}


class _Service(BaseHTTPRequestHandler):
    """Knows a vulnerability of jinja2, and of nothing else."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = [KNOWN] if asked["package"]["name"] == "jinja2" else []
        answer = json.dumps({"vulns": known}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    """A vulnerability service of the loopback."""
    with HTTPServer(("127.0.0.1", 0), _Service) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.full
def test_a_known_vulnerability_is_found(service: str) -> None:
    """pip-audit reads our lock files, looks up every package, and names what is known."""
    verdict = ask(service)
    assert verdict.proved
    assert verdict.audited > 100
    (line,) = verdict.vulnerable
    assert line.startswith("jinja2 ")
    assert line.endswith(": PYSEC-2099-1 (mended in 999.0)")


def test_a_service_that_is_away_proves_nothing() -> None:
    """The last thing pip-audit said is the reason."""
    verdict = read("", "Traceback\nConnectionError: no route\n")
    assert verdict == Verdict(away="ConnectionError: no route")
    assert not verdict.proved


def test_a_package_that_was_not_looked_up_is_named() -> None:
    """The others are counted."""
    report = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": []},
            {"name": "b", "skip_reason": "not found"},
        ]
    }
    verdict = read(json.dumps(report), "")
    assert (verdict.audited, verdict.unknown, verdict.proved) == (1, ("b",), False)


@pytest.mark.parametrize(
    ("verdict", "asked", "ends"),
    [
        (Verdict(9), [], (0, "9 packages looked up")),
        (Verdict(away="no route"), [], (0, "NOTHING WAS AUDITED")),
        (Verdict(away="no route"), ["--required"], (1, "NOTHING WAS AUDITED")),
        (Verdict(9, vulnerable=("a 1: X",)), [], (1, "vulnerable: a 1: X")),
    ],
)
def test_what_is_said_and_when_it_fails(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    verdict: Verdict,
    asked: list[str],
    ends: tuple[int, str],
) -> None:
    """Where nothing could be asked the check goes on, and says so; not where it is required."""
    monkeypatch.setattr(advisories, "ask", lambda: verdict)
    monkeypatch.setattr("sys.argv", ["advisories", *asked])
    found = 0
    try:
        advisories.main()
    except SystemExit as stopped:
        found = int(str(stopped.code))
    assert found == ends[0]
    assert ends[1] in "".join(capsys.readouterr())
