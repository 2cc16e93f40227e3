"""Commands that are imported when they are asked for: to import all of them takes seconds, and a
person waits."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


def at_need(
    places: Mapping[str, str], hidden: Mapping[str, str] = MappingProxyType({})
) -> type[TyperGroup]:
    """A group of the commands named, besides those it was given. Each stands at `module:name`, a
    function or a group of its own; whoever asks for help asks for all that are not `hidden`."""
    known = {**places, **hidden}

    class AtNeed(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return [*super().list_commands(ctx), *places]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            place = known.get(cmd_name)
            return _command(cmd_name, place) if place else super().get_command(ctx, cmd_name)

    return AtNeed


def _command(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command: Any = get_group(found)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        command = get_command(alone)
    command.name = name
    return command
