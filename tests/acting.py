"""The application as it stands in production: each part over a login of the role that runs it.

A statement that a role was not granted fails the test that needs it. Tests themselves prepare and
look as the owner, through `Application.engine`.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from pydantic import SecretStr

from engine.bootstrap import Application, compose, open_engine, open_servers
from engine.caseload.sign_in import SignIn
from engine.clock import Clock, system_clock
from engine.migrations.grants import OPERATOR, PORTAL, WORKER
from engine.migrations.roles import login_url
from engine.recovery.mark import Mark
from engine.recovery.witnesses import Witnesses
from engine.settings import Settings

_OF_THE_PORTAL: Final = (
    *("chosen_pins", "acts", "documents", "consent_samples", "contact_changes", "other_party"),
    *("unsubscribing", "calendars", "sessions", "applicant_sessions", "applicant_acts", "feed"),
    *("webhooks", "accounts", "account_sign_in", "account_passwords"),
    *("drafts", "uploads", "submitting"),
)
_OF_OPERATORS: Final = (
    *("held", "overview", "by_hand", "orders", "superseding", "proofs", "returned_mail"),
    *("appointment_changes", "bulk_notices", "surveyor", "holds", "purge", "api_keys"),
    "exports",
)


def as_role(settings: Settings, role: str) -> Settings:
    """`settings` of a process that signs in to the database as a member of `role`."""
    assert settings.database_url
    url = login_url(settings.database_url.get_secret_value(), role)
    return settings.model_copy(update={"database_url": SecretStr(url)})


@dataclass(frozen=True)
class _Parted:
    """One service that two processes run: what it does in the one, and everything else."""

    one: Any
    names: tuple[str, ...]
    other: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.one if name in self.names else self.other, name)


@dataclass(frozen=True, slots=True)
class Parts:
    """The application `whole`, as tests call it, and the `portal`'s, as its pages have it."""

    whole: Application
    portal: Application


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignIn(SignIn):
    """The portal's, but for what a worker does of it by the clock."""

    worker: SignIn

    async def tell_locked(self) -> int:
        return await self.worker.tell_locked()


@asynccontextmanager
async def parts(
    settings: Settings, clock: Clock = system_clock, acting: str = WORKER
) -> AsyncIterator[Parts]:
    """The processes of an application, opened in this one; what a test itself records through
    `outbox`, it records as one of the role `acting`."""
    async with AsyncExitStack() as stack:
        # One Redis and one mail server, as they are no role's.
        servers = await stack.enter_async_context(open_servers(settings, clock))
        owner = await stack.enter_async_context(open_engine(settings))
        engines = {
            role: await stack.enter_async_context(open_engine(as_role(settings, role)))
            for role in (WORKER, PORTAL, OPERATOR)
        }
        mark = await Mark.on(engines[WORKER], Witnesses(settings.data_dir, servers.doorbell.redis))
        mark.guard()
        worker, portal, operator = (
            compose(as_role(settings, role), clock, engine, servers, mark)
            for role, engine in engines.items()
        )
        taken = {name: getattr(portal, name) for name in _OF_THE_PORTAL}
        taken |= {name: getattr(operator, name) for name in _OF_OPERATORS}
        taken |= {
            "pin_requests": _Parted(
                portal.pin_requests, ("receive", "receive_by_number"), worker.pin_requests
            ),
            "sign_in": _SignIn(**_fields(portal.sign_in), worker=worker.sign_in),
            "campaigns": _Parted(worker.campaigns, ("finish_cancelling",), operator.campaigns),
        }
        by_role = {WORKER: worker, PORTAL: portal, OPERATOR: operator}
        taken["outbox"] = by_role[acting].outbox
        yield Parts(replace(worker, settings=settings, engine=owner, **taken), portal)


@asynccontextmanager
async def opened_in_parts(
    settings: Settings, clock: Clock = system_clock, acting: str = WORKER
) -> AsyncIterator[Application]:
    """The whole application; its `engine` is the owner's."""
    async with parts(settings, clock, acting) as opened:
        yield opened.whole


def _fields(service: SignIn) -> dict[str, Any]:
    return {each.name: getattr(service, each.name) for each in fields(service)}
