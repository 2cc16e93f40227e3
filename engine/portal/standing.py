"""Where the engine's obligations stand, read from the tables for whoever watches."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args

import structlog
from asyncpg.exceptions import PostgresError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from engine.alarms.kinds import AlarmKind
from engine.bootstrap import Application
from engine.clock import pacific_date
from engine.communications.catalogue import Channel, Urgency
from engine.communications.states import State
from engine.database import driver_connection
from engine.email.smarthost_reports import HostStanding, standing, workers_alive

log: Final = structlog.get_logger()

ANSWER_WITHIN_SECONDS: Final = 5.0

_DELIVERIES = "SELECT state, channel, count(*) AS number FROM delivery GROUP BY state, channel"
_OBLIGATIONS = """
SELECT urgency,
       extract(epoch FROM clock_timestamp() - min(recorded_at))::float8 AS oldest,
       count(*) FILTER (WHERE due_by = $1) AS due_today,
       count(*) FILTER (WHERE due_by < $1) AS overdue
FROM communication WHERE state IN ('owed', 'held') GROUP BY urgency
"""
_PROMISES = "SELECT event, count(*) AS number FROM communication_event GROUP BY event"
_ALARMS = "SELECT kind, count(*) AS number FROM alarm WHERE cleared_at IS NULL GROUP BY kind"
_WEBHOOKS = """
SELECT CASE WHEN disabled_at IS NOT NULL THEN 'disabled' WHEN failures > 0 THEN 'failing'
       ELSE 'enabled' END AS state, count(*) AS number
FROM webhook_endpoint GROUP BY state
"""
_OBLIGATION_GAUGES: Final = {
    "oldest": (
        "connect_oldest_owed_seconds",
        "Age of the oldest communication still owed or held; 0 when there is none",
    ),
    "due_today": ("connect_due_today", "Communications still owed or held on their last day"),
    "overdue": ("connect_overdue", "Communications still owed or held after their last day"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the tables said at one moment."""

    deliveries: dict[tuple[str, str], int]
    obligations: dict[str, Any]
    alarms: dict[str, int]
    promises: dict[str, int]
    at_risk: int
    smarthosts: list[HostStanding]
    workers: int
    webhooks: dict[str, int]


class Standing(Collector):
    """The last reading as gauges. Figures that could not be read again are not shown: they age."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._reading: Reading | None = None

    async def read(self) -> None:
        """Read the tables again."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                self._reading = await self._read()
        except (TimeoutError, OSError, SQLAlchemyError, PostgresError) as error:
            log.warning("standing_unread", error=type(error).__name__)
            self._reading = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges; every state, channel and urgency is there, at 0 if need be."""
        reading = self._reading
        up = GaugeMetricFamily("connect_database_up", "1 when the tables could be read")
        up.add_metric([], float(reading is not None))
        yield up
        if reading is None:
            return
        deliveries = GaugeMetricFamily(
            "connect_deliveries", "Deliveries by state and channel", labels=("state", "channel")
        )
        for state in State:
            for channel in Channel:
                number = reading.deliveries.get((state, channel), 0)
                deliveries.add_metric([state.value, channel.value], number)
        yield deliveries
        for column, (name, meaning) in _OBLIGATION_GAUGES.items():
            gauge = GaugeMetricFamily(name, meaning, labels=("urgency",))
            for urgency in Urgency:
                row = reading.obligations.get(urgency, {column: 0})
                gauge.add_metric([urgency.value], row[column])
            yield gauge
        alarms = GaugeMetricFamily(
            "connect_alarms", "Alarms that stand: connect alarms", labels=("kind",)
        )
        for kind in get_args(AlarmKind):
            alarms.add_metric([kind], reading.alarms.get(kind, 0))
        yield alarms
        yield from _smarthosts(reading)
        yield GaugeMetricFamily(
            "connect_at_risk",
            "Communications whose deadline is in danger while there is still time",
            value=reading.at_risk,
        )
        promises = GaugeMetricFamily(
            "connect_promises",
            "What was written down of promises so far",
            labels=("event",),
        )
        for event in ("at_risk", "promise_missed", "breached"):
            promises.add_metric([event], reading.promises.get(event, 0))
        yield promises
        webhooks = GaugeMetricFamily(
            "connect_webhooks", "Webhook endpoints: connect webhook list", labels=("state",)
        )
        for name in ("enabled", "failing", "disabled"):
            webhooks.add_metric([name], reading.webhooks.get(name, 0))
        yield webhooks

    async def _read(self) -> Reading:
        today = pacific_date(self._application.clock())
        async with self._application.engine.connect() as connection:
            driver = await driver_connection(connection)
            deliveries = await driver.fetch(_DELIVERIES)
            obligations = await driver.fetch(_OBLIGATIONS, today)
            alarms = await driver.fetch(_ALARMS)
            promises = await driver.fetch(_PROMISES)
            smarthosts = await standing(connection)
            workers = await workers_alive(connection)
            webhooks = await driver.fetch(_WEBHOOKS)
        outlook = await self._application.deadlines.outlook()
        return Reading(
            {(row["state"], row["channel"]): row["number"] for row in deliveries},
            {row["urgency"]: row for row in obligations},
            {row["kind"]: row["number"] for row in alarms},
            {row["event"]: row["number"] for row in promises},
            len(outlook.at_risk),
            smarthosts,
            workers,
            {row["state"]: row["number"] for row in webhooks},
        )


def _smarthosts(reading: Reading) -> Iterator[GaugeMetricFamily]:
    yield GaugeMetricFamily(
        "connect_workers",
        "Worker processes that have said within the minute that they live",
        value=reading.workers,
    )
    hosts = GaugeMetricFamily(
        "connect_smarthost_workers",
        "Workers by how a smarthost stands for them",
        labels=("host", "state"),
    )
    for host in reading.smarthosts:
        hosts.add_metric([host.host, "up"], host.up)
        hosts.add_metric([host.host, "down"], host.down)
        hosts.add_metric([host.host, "untried"], host.workers - host.up - host.down)
    yield hosts
