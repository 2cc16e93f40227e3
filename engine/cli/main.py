"""The `connect` command: its sub-commands, and how errors reach the operator."""

import sys
from typing import Final

import typer

from engine.cli.at_need import at_need
from engine.errors import ConnectError

_INSUFFICIENT_PRIVILEGE: Final = "42501"
"""PostgreSQL's SQLSTATE."""

_COMMANDS: Final = {
    "caseload": "engine.cli.caseload:app",
    "calendar": "engine.cli.calendar:app",
    "batch": "engine.cli.batch:app",
    "appointment": "engine.cli.appointment:app",
    "mail": "engine.cli.mail:app",
    "bounce": "engine.cli.bounce:app",
    "staff": "engine.cli.staff:app",
    "audit": "engine.cli.audit:app",
    "keys": "engine.cli.keys:app",
    "campaign": "engine.cli.campaign:app",
    "consent": "engine.cli.consent:app",
    "roles": "engine.cli.roles:app",
    "hold": "engine.cli.hold:app",
    "applications": "engine.cli.applications:app",
    "phone": "engine.cli.phone:app",
    "api-key": "engine.cli.api_key:app",
    "webhook": "engine.cli.webhook:app",
    "preview": "engine.cli.preview:preview",
    "remind": "engine.cli.notices:remind",
    "alarms": "engine.cli.alarms:alarms",
    "deadlines": "engine.cli.deadlines:deadlines",
    "announce-payments": "engine.cli.notices:announce_payments",
    "notify": "engine.cli.notify:notify",
    "statements": "engine.cli.notify:statements",
    "purge": "engine.cli.purge:purge",
    "migrate": "engine.cli.migrate:migrate",
    "recover": "engine.cli.recover:recover",
    "portal": "engine.cli.portal:portal",
    "worker": "engine.cli.worker:worker",
    "run": "engine.cli.stack:run",
    "demo": "engine.cli.stack:demo",
}
_FOR_OURSELVES: Final = {"servers": "engine.cli.servers:servers"}
"""What a stack starts, and nobody types."""

app = typer.Typer(
    name="connect",
    cls=at_need(_COMMANDS, hidden=_FOR_OURSELVES),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def connect() -> None:
    """Customer Connect / Cliente Conectado: the communications engine and its portal."""


def main() -> None:
    """Run the command; an error of ours is one line on standard error and exit status 1."""
    try:
        app()
    except ConnectError as error:
        typer.secho(f"connect: {error}", err=True, fg=typer.colors.RED)
        sys.exit(1)
    except Exception as error:
        # The log has it, where there is one: whoever typed the command is told so.
        typer.secho(f"connect: {_unforeseen(error)}", err=True, fg=typer.colors.RED)
        raise


def _unforeseen(error: Exception) -> str:
    """What may be said of a fault that no command of ours explains: its kind, and no value."""
    if getattr(getattr(error, "orig", error), "sqlstate", None) == _INSUFFICIENT_PRIVILEGE:
        return "this database login lacks a right that the command needs: docs/security.md, Roles"
    return f"it failed ({type(error).__name__}); what is known stands in the log"
