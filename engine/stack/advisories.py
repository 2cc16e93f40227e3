"""`python -m engine.stack.advisories`: whether a pinned package has a known vulnerability.

pip-audit asks a service on the network. Where none answers nothing was proved, and that is said on
standard error; with `--required` it is a failure.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LOCKS: Final = ("requirements-dev.lock", "requirements-node.lock")
"""What is installed; requirements.lock is a part of the first."""
OSV: Final = "https://api.osv.dev/v1/query"
_ROOT: Final = Path(__file__).parents[2]
_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many packages were looked up, which could not be, what is known of the others, and why
    nothing could be looked up, if so."""

    audited: int = 0
    unknown: tuple[str, ...] = ()
    vulnerable: tuple[str, ...] = ()
    away: str | None = None

    @property
    def proved(self) -> bool:
        """Whether every package was looked up."""
        return self.away is None and not self.unknown


def ask(service: str = OSV) -> Verdict:
    """Have pip-audit look up every pinned package at `service`."""
    locks = [word for name in LOCKS for word in ("--requirement", str(_ROOT / name))]
    ran = subprocess.run(  # noqa: S603  our own interpreter and our own lock files  # nosec B603
        [
            *(sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"),
            *("--vulnerability-service", "osv", "--osv-url", service),
            *("--timeout", str(_SECONDS), "--format", "json", "--progress-spinner", "off"),
            *locks,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return read(ran.stdout, ran.stderr)


def read(report: str, said: str) -> Verdict:
    """What pip-audit found; `said` is what it said beside its report, for when there is none."""
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        last = said.strip().splitlines()[-1:] or ["pip-audit gave no report"]
        return Verdict(away=last[0][:200])
    skipped = tuple(each["name"] for each in packages if "skip_reason" in each)
    vulnerable = tuple(
        f"{each['name']} {each['version']}: {vulnerability['id']}"
        f" (mended in {', '.join(vulnerability['fix_versions']) or 'no version yet'})"
        for each in packages
        for vulnerability in each.get("vulns", ())
    )
    return Verdict(len(packages) - len(skipped), skipped, vulnerable)


def main() -> None:
    """Say what is known; exit status 1 where a vulnerability is, or nothing was to be found out
    although it was `--required`."""
    verdict = ask()
    for line in verdict.vulnerable:
        sys.stderr.write(f"vulnerable: {line}\n")
    if verdict.away is not None:
        sys.stderr.write(
            "pip-audit: NOTHING WAS AUDITED, because the vulnerability service does not answer "
            f"from here ({verdict.away}). Run `make check AUDIT=--required` where it does.\n"
        )
    elif verdict.unknown:
        sys.stderr.write(f"pip-audit: NOT audited: {', '.join(verdict.unknown)}\n")
    else:
        sys.stdout.write(f"{verdict.audited} packages looked up\n")
    if verdict.vulnerable or ("--required" in sys.argv and not verdict.proved):
        sys.exit(1)


if __name__ == "__main__":
    main()
