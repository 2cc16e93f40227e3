"""Where pages live, and who may come there: one table that the gate and its tests read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from engine.portal.visit import Visit

Handler = Callable[["Visit"], Awaitable[Response]]


class Access(StrEnum):
    """Who may come."""

    PUBLIC = "public"
    PIN_CHANGE = "pin change"
    """Whoever is signed in, with a temporary PIN too."""
    PRIVATE = "private"
    """Whoever is signed in with a PIN of their own."""
    APPLICANT = "applicant"
    """Whoever is signed in to the application site, with a username and a password."""


@dataclass(frozen=True, slots=True)
class Place:
    """One path, without its language; `{name}` parts as in Starlette's routes.

    `after` is where a form leads that was sent twice: where it led the first time. One `with_file`
    takes its form with a file in it.
    """

    path: str
    handler: Handler
    access: Access
    methods: tuple[str, ...] = ("GET",)
    after: str = ""
    with_file: bool = False


def Public(  # noqa: N802  reads as the kind of place it makes
    path: str, handler: Handler, methods: tuple[str, ...] = ("GET",)
) -> Place:
    """A place for everyone."""
    return Place(path, handler, Access.PUBLIC, methods)


def Private(  # noqa: N802  likewise
    path: str, handler: Handler, methods: tuple[str, ...] = ("GET",), after: str = ""
) -> Place:
    """A place for participants who are signed in."""
    return Place(path, handler, Access.PRIVATE, methods, after)


def ForApplicants(  # noqa: N802  likewise
    path: str, handler: Handler, methods: tuple[str, ...] = ("GET",), after: str = ""
) -> Place:
    """A place of the application site for those who are signed in there."""
    return Place(path, handler, Access.APPLICANT, methods, after)


def WithFile(  # noqa: N802  likewise
    path: str, handler: Handler
) -> Place:
    """A place of the application site whose form has a file in it."""
    return Place(path, handler, Access.APPLICANT, ("GET", "POST"), with_file=True)
