"""Who does something by hand, and why: the two options of every command that acts."""

import getpass
from typing import Annotated

import typer


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


By = Annotated[str, typer.Option("--by", help="Who you are; on record.", default_factory=_user)]
Why = Annotated[str, typer.Option("--why", help="The reason; on record.")]
