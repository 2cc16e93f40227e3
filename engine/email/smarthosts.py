"""The smarthosts that mail may go to: which are well, and the connections to each of them.

The first that is well takes the mail, within the connections that it grants; the next ones take
what it cannot. One that fails is left alone for a time that grows, and tried again in the
background while others carry on.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Self

import aiosmtplib
import structlog
from aiosmtplib import SMTP

from engine.communications.retries import Backoff
from engine.email.answers import (
    MessageDeferredError,
    Reply,
    ServerUnavailableError,
    refusal,
)
from engine.email.smarthost import Smarthost, advice
from engine.errors import ConnectError

log: Final = structlog.get_logger()

PROBES: Final = Backoff(first=0.5, most=30)
"""How long a smarthost that failed is left alone."""
CROWDED_SECONDS: Final = 60.0
"""How long a smarthost that refused one connection more is asked for no more than it granted."""
_OUT_OF_STEP: Final = 503
"""Bad sequence of commands (RFC 5321, 4.2.3)."""
_LOST_IN_A_ROW: Final = 3
"""So many messages lost one after the other are no longer any reader's fault."""
_PATIENCE_SECONDS: Final = 1.0
"""How long a connection to the first smarthost is waited for while another could be used."""
_FRESH_SECONDS: Final = 5.0
_GOODBYE_SECONDS: Final = 2.0


class CrowdedError(ServerUnavailableError):
    """Every connection that the smarthosts grant is in use: one is given back soon."""


@dataclass(frozen=True, slots=True)
class HostStatus:
    """How one smarthost stands: its name, for how many seconds it has been down or None, whether it
    took the last connection that was tried, the word for why not, its open connections, and how
    many it grants where it has said so."""

    name: str
    seconds_down: float | None
    answering: bool
    reason: str | None
    connections: int
    granted: int | None


@dataclass(slots=True)
class Health:
    """Whether one smarthost takes mail, as far as this process knows."""

    name: str
    monotonic: Callable[[], float]
    down_since: float | None = None
    reason: str | None = None
    again_at: float = 0.0
    answering: bool = False
    """Whether it has taken a connection since it was last down."""
    failures: int = 0
    lost: int = 0

    @property
    def is_up(self) -> bool:
        """Whether mail should go there."""
        return self.down_since is None or self.answering

    @property
    def is_due(self) -> bool:
        """Whether it may be tried, though it was down."""
        return self.monotonic() >= self.again_at

    def failed(self, reason: str) -> None:
        """It was not there, or did not want to hear of any message."""
        now = self.monotonic()
        if self.down_since is None or reason != self.reason:
            log.warning("smarthost_down", host=self.name, reason=reason, advice=advice(reason))
        self.down_since = now if self.down_since is None else self.down_since
        self.reason = reason
        self.failures += 1
        self.lost = 0
        self.answering = False
        self.again_at = now + PROBES.delay(self.failures).total_seconds()

    def well(self) -> None:
        """It has answered for a reader, one way or the other."""
        if self.down_since is not None:
            seconds = round(self.monotonic() - self.down_since, 1)
            log.info("smarthost_up", host=self.name, seconds_down=seconds)
        self.down_since = self.reason = None
        self.failures = self.lost = 0


@dataclass(slots=True, eq=False)
class Session:
    """A connection, opened at `opened` by the station's clock; it is `fresh` until it has been in
    use, or has waited for a while: a server may tire of it, and be well."""

    client: SMTP
    station: "Station"
    opened: float
    fresh: bool = True

    @property
    def leftover(self) -> bool:
        """Whether the server has said more than it was asked: an answer too many would be taken
        for the answer to the next command, and be held against another reader."""
        protocol = self.client.protocol
        return protocol is not None and bool(protocol._buffer)  # noqa: SLF001  aiosmtplib has no public word for it

    @property
    def in_step(self) -> bool:
        """Whether it can carry another message, as far as is known."""
        return self.client.is_connected and not self.leftover

    @property
    def pipelines(self) -> bool:
        """Whether its server takes commands in groups (RFC 2920), and may be given them so."""
        return self.station.smarthost.pipelining and self.client.supports_extension("pipelining")

    @property
    def takes_8bit(self) -> bool:
        """Whether its server takes content beyond ASCII (RFC 6152)."""
        return self.client.supports_extension("8bitmime")

    def lost(self, word: str) -> ServerUnavailableError | MessageDeferredError:
        """A message was lost on the way: its own misfortune, until too many have had it one after
        the other."""
        if self.station.lost(word):
            return ServerUnavailableError(word)
        return MessageDeferredError(word)

    def refused(self, reply: Reply) -> tuple[ConnectError, bool]:
        """What `reply` to RCPT, DATA or the content means for a message, and whether the connection
        can go on."""
        if reply.closes:
            self.station.lost(str(reply))
            return refusal(reply), False
        if reply.code < 400 or reply.code == _OUT_OF_STEP:
            # It speaks of what was asked of it, and not of the reader.
            return self.lost(str(reply.code)), False
        self.station.health.well()
        return refusal(reply), True


@dataclass(slots=True, eq=False)
class Station:
    """One smarthost with its health and its connections; one more is opened at a time."""

    smarthost: Smarthost
    health: Health
    size: int
    wake: Callable[[], None]
    _idle: list[Session] = field(default_factory=list)
    _in_use: set[Session] = field(default_factory=set)
    _opening: asyncio.Task[None] | None = None
    _granted: int | None = None
    _granted_until: float = 0.0

    @property
    def granted(self) -> int | None:
        """How many connections it was found to grant, while that is remembered."""
        return self._granted if self.health.monotonic() < self._granted_until else None

    @property
    def most(self) -> int:
        """How many connections it may be asked for."""
        return min(self.size, self.granted or self.size)

    @property
    def connections(self) -> int:
        """Those that are open, as far as is known."""
        self._idle = [session for session in self._idle if session.in_step]
        return len(self._idle) + len(self._in_use)

    def idle(self) -> Session | None:
        """A kept connection, if there is one; the server may have closed it meanwhile."""
        if not self.connections or not self._idle:
            return None
        session = self._idle.pop()
        if self.health.monotonic() - session.opened > _FRESH_SECONDS:
            session.fresh = False
        self._in_use.add(session)
        return session

    def open_one(self) -> bool:
        """Have a connection opened in the background; whether one is on its way."""
        if self._opening is None:
            if self.connections >= self.most:
                return False
            self._opening = asyncio.create_task(self._open())
        return True

    async def _open(self) -> None:
        try:
            client = await self.smarthost.connect()
        except ServerUnavailableError as error:
            self._not_opened(str(error))
        except Exception:
            # Whatever it was, nobody waits for this task: its fault must be seen, and be held
            # against the server alone.
            log.exception("smarthost_not_opened", host=self.smarthost.name)
            self._not_opened("fault")
        else:
            self.health.answering = True
            self._idle.append(Session(client, self, self.health.monotonic()))
        finally:
            self._opening = None
            self.wake()

    def _not_opened(self, reason: str) -> None:
        """With others open, it is this one connection that the server does not want."""
        if open_now := self.connections:
            self._granted = open_now
            self._granted_until = self.health.monotonic() + CROWDED_SECONDS
            log.info("smarthost_crowded", host=self.smarthost.name, granted=open_now, reason=reason)
        else:
            self.failed(reason)

    def failed(self, reason: str) -> None:
        """Leave it alone for a while; its idle connections are let go."""
        self.health.failed(reason)
        self.let_go_of_idle()

    def lost(self, reason: str) -> bool:
        """A message was lost on the way; whether so many were that the server is to blame."""
        self.health.lost += 1
        if self.health.lost < _LOST_IN_A_ROW:
            return False
        self.failed(reason)
        return True

    def let_go_of_idle(self) -> None:
        """Close what is kept: a connection that the server dropped is seldom the only one."""
        for session in self._idle:
            session.client.close()
        self._idle.clear()

    def give_back(self, session: Session) -> None:
        """Take back a connection that is between messages."""
        self._in_use.discard(session)
        session.fresh = False
        if session.in_step and self.health.is_up:
            self._idle.append(session)
        else:
            session.client.close()
        self.wake()

    def drop(self, session: Session) -> None:
        """Close a connection on which nothing more can be said."""
        self._in_use.discard(session)
        session.client.close()
        self.wake()

    def status(self) -> HostStatus:
        """How it stands now."""
        since = self.health.down_since
        return HostStatus(
            name=self.smarthost.name,
            seconds_down=None if since is None else self.health.monotonic() - since,
            answering=self.health.answering,
            reason=self.health.reason,
            connections=self.connections,
            granted=self.granted,
        )

    async def close(self) -> None:
        """Say goodbye on every idle connection, and open no more."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_say_goodbye(session.client) for session in idle))


@dataclass(slots=True)
class Smarthosts:
    """The smarthosts in the order of SMTP_URL."""

    stations: tuple[Station, ...] = ()
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(
        cls,
        smarthosts: Sequence[Smarthost],
        size: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> Self:
        """With at most `size` connections to each of `smarthosts`."""
        hosts = cls()
        hosts.stations = tuple(
            Station(smarthost, Health(smarthost.name, monotonic), size, hosts.wake)
            for smarthost in smarthosts
        )
        return hosts

    async def take(self) -> Session:
        """A connection to the first smarthost that has one to give.

        Raises ServerUnavailableError when none is well, at once where all were tried lately, and
        CrowdedError when every connection that they grant is in use.
        """
        patience = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        patient = True
        while True:
            usable = self._usable()
            if not usable:
                raise ServerUnavailableError(self._why_none())
            changed = self._changed
            coming = False
            for station in usable:
                if session := station.idle():
                    return session
                coming = station.open_one() or coming
                if coming and patient:
                    break
            if not coming:
                raise CrowdedError("crowded")
            hurry = patient and len(usable) > 1
            try:
                async with asyncio.timeout_at(patience if hurry else None):
                    await changed.wait()
            except TimeoutError:
                patient = False

    def _usable(self) -> list[Station]:
        """Those that are up; while there are any, the others are tried in the background."""
        up = [station for station in self.stations if station.health.is_up]
        due = [station for station in self.stations if station not in up and station.health.is_due]
        if not up:
            return due
        for station in due:
            station.open_one()
        return up

    def _why_none(self) -> str:
        reasons = [station.health.reason for station in self.stations]
        return next((reason for reason in reasons if reason), "down")

    def probe(self) -> None:
        """Try those in the background that have not answered lately: with no mail for them, nobody
        would know how they stand."""
        for station in self.stations:
            if not station.health.answering and station.health.is_due:
                station.open_one()

    async def change(self) -> None:
        """Return when a connection has been opened, given back or dropped."""
        await self._changed.wait()

    def wake(self) -> None:
        """Something has changed: whoever waits looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def most(self) -> int:
        """How many connections those that are up may be asked for; one, to see, when none is."""
        return sum(station.most for station in self.stations if station.health.is_up) or 1

    def seconds_down(self) -> float:
        """For how long no smarthost has taken a message, as far as this process knows."""
        downs = [station.status().seconds_down for station in self.stations]
        known = [seconds for seconds in downs if seconds is not None]
        return min(known) if known and len(known) == len(downs) else 0.0

    def status(self) -> tuple[HostStatus, ...]:
        """How each stands, in order."""
        return tuple(station.status() for station in self.stations)

    async def close(self) -> None:
        """Say goodbye to all."""
        await asyncio.gather(*(station.close() for station in self.stations))


async def _say_goodbye(client: SMTP) -> None:
    with suppress(aiosmtplib.SMTPException, OSError):
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await client.quit()
    client.close()
