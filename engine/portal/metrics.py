"""What the portal tells Prometheus: its own requests, and where the engine's obligations stand."""

import asyncio
import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response

from engine.portal.standing import Standing

READ_EVERY_SECONDS: Final = 10.0
"""However many scrapers ask, the tables are counted no oftener than this."""


class Metrics:
    """The metrics of one portal, in a registry of its own."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._registry = CollectorRegistry()
        self._registry.register(standing)
        self._requests = Counter(
            "connect_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "connect_request_seconds",
            "Time to answer",
            ("method", "route"),
            registry=self._registry,
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered; `route` is a template, never a path that was asked for."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    async def serve(self, _request: Request) -> Response:
        """`/metrics`."""
        async with self._reading:
            if time.monotonic() - self._read_at >= READ_EVERY_SECONDS:
                await self._standing.read()
                self._read_at = time.monotonic()
        return Response(
            generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        )
