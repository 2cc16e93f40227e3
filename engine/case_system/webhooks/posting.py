"""One POST to a webhook, and what came of it."""

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

import httpx

from engine.case_system.webhooks.destinations import Resolver, Rules
from engine.errors import InputError

WITHIN_SECONDS: Final = 15.0
"""From looking up the name to the status: the specification asks for 15 to 30."""
_CONNECT_SECONDS: Final = 5.0
_GONE: Final = 410
_BUSY: Final = frozenset({429, 503})
_SECONDS: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it was taken, and what was said: a status, or a word of ours. `gone` asks for no
    more, and `wait` for nothing before it is over."""

    taken: bool
    said: str
    gone: bool = False
    wait: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts to where it may, under TLS, to the address that was judged. It follows no redirect, and
    reads no more of an answer than its status."""

    rules: Rules
    resolver: Resolver
    ca_file: Path | None = None
    within: float = WITHIN_SECONDS

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post `body` as JSON. Whatever goes wrong is an answer."""
        try:
            async with asyncio.timeout(self.within):
                status, wait = await self._asked(url, headers, body)
        except (TimeoutError, httpx.TimeoutException):
            return Answer(taken=False, said="no answer in time")
        except InputError:
            return Answer(taken=False, said="its address is refused")
        except ssl.SSLError:
            return Answer(taken=False, said="TLS failed")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Answer(taken=False, said=_why(error))
        return Answer(200 <= status < 300, f"status {status}", status == _GONE, wait)

    async def _asked(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, timedelta]:
        parts = self.rules.parts(url)
        assert parts.hostname is not None  # noqa: S101  the rules saw to it
        host, port = parts.hostname, parts.port or _PORTS[parts.scheme]
        found = await self.resolver.addresses(host, port)
        if not found:
            raise OSError("no address")
        for address in found:
            # One that is refused among several is no accident.
            self.rules.require(address)
        there = httpx.URL(url).copy_with(host=found[0], port=port)
        sent = {
            "Content-Type": "application/json",
            "User-Agent": "CustomerConnect-Webhooks/1",
            "Host": parts.netloc,
            **headers,
        }
        async with (
            httpx.AsyncClient(
                verify=_tls(self.ca_file),
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(self.within, connect=_CONNECT_SECONDS),
            ) as client,
            client.stream(
                "POST", there, content=body, headers=sent, extensions={"sni_hostname": host}
            ) as answer,
        ):
            return answer.status_code, _wait(answer)


@lru_cache
def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """Reading all authorities takes its time: once a process."""
    return (
        httpx.create_ssl_context()
        if ca_file is None
        else ssl.create_default_context(cafile=ca_file)
    )


def _wait(answer: httpx.Response) -> timedelta:
    """What Retry-After asks for in seconds (RFC 9110, section 10.2.3). A date there is left to our
    own backoff: it tells no more than that there is a time."""
    asked = answer.headers.get("Retry-After", "") if answer.status_code in _BUSY else ""
    return timedelta(seconds=int(asked)) if _SECONDS.fullmatch(asked) else timedelta()


def _why(error: Exception) -> str:
    """What may be said: an error's own words may hold the URL."""
    if isinstance(error, httpx.ConnectError):
        tls = isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in str(error).upper()
        return "TLS failed" if tls else "nobody answers there"
    if isinstance(error, OSError):
        return "its name is not found"
    return "its answer cannot be read"
