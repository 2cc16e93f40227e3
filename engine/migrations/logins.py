"""Whose database login a process that serves may have: none that may change the schema."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.errors import SettingsError
from engine.settings import Settings

# A superuser is a member of every role.
_OWNS: Final = """
SELECT current_user FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
  AND pg_has_role(current_user, relowner, 'MEMBER')
LIMIT 1
"""


async def require_own_login(settings: Settings, engine: AsyncEngine, role: str) -> None:
    """For a process that serves as one of `role`: raise SettingsError where the profile is
    production and the login behind `engine` owns tables, or may become who does. Nothing that the
    database refuses to a role would be refused to it."""
    if settings.profile != "production":
        return
    async with engine.connect() as connection:
        owner = await connection.scalar(text(_OWNS))
    if owner is not None:
        raise SettingsError(
            f"DATABASE_URL: PROFILE is production, and {owner!r} owns the tables or may become who "
            f"does: sign in as a member of {role} alone. If there is none yet: connect roles make, "
            f"then CREATE ROLE … LOGIN PASSWORD '…' IN ROLE {role} (docs/security.md, Roles)"
        )
