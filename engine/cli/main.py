"""The `connect` command: its sub-commands, and how errors reach the operator."""

import sys
from typing import Final

import typer

from engine.cli import (
    alarms,
    api_key,
    applications,
    appointment,
    audit,
    batch,
    bounce,
    calendar,
    campaign,
    caseload,
    consent,
    deadlines,
    hold,
    keys,
    mail,
    notices,
    notify,
    phone,
    preview,
    processes,
    purge,
    recover,
    returns,
    roles,
    stack,
    staff,
    webhook,
)
from engine.errors import ConnectError

_INSUFFICIENT_PRIVILEGE: Final = "42501"
"""PostgreSQL's SQLSTATE."""

app = typer.Typer(
    name="connect",
    help="Customer Connect / Cliente Conectado: the communications engine and its portal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(caseload.app, name="caseload")
app.add_typer(calendar.app, name="calendar")
app.add_typer(batch.app, name="batch")
app.add_typer(appointment.app, name="appointment")
app.add_typer(mail.app, name="mail")
app.add_typer(bounce.app, name="bounce")
app.add_typer(staff.app, name="staff")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(campaign.app, name="campaign")
app.add_typer(consent.app, name="consent")
app.add_typer(roles.app, name="roles")
app.add_typer(hold.app, name="hold")
app.add_typer(applications.app, name="applications")
app.add_typer(phone.app, name="phone")
app.add_typer(api_key.app, name="api-key")
app.add_typer(webhook.app, name="webhook")
bounce.app.command("serve")(returns.serve)
bounce.app.command("read")(returns.read)
app.command("preview")(preview.preview)
app.command("remind")(notices.remind)
app.command("alarms")(alarms.alarms)
app.command("deadlines")(deadlines.deadlines)
app.command("announce-payments")(notices.announce_payments)
app.command("notify")(notify.notify)
app.command("statements")(notify.statements)
app.command("purge")(purge.purge)
app.command("migrate")(processes.migrate)
app.command("recover")(recover.recover)
app.command("portal")(processes.portal)
app.command("worker")(processes.worker)
app.command("servers", hidden=True)(processes.servers)
app.command("run")(stack.run)
app.command("demo")(stack.demo)


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
