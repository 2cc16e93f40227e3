"""Whether email or mail to a participant came back: what they are told when they next sign in."""

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection

# What came back from an address that was replaced since is nobody's concern any more.
_CAME_BACK: Final = """
SELECT kind, confidential, (
    SELECT cause FROM contact_suppression WHERE contact_point_id = contact_point.id
    ORDER BY id DESC LIMIT 1) AS cause
FROM contact_point JOIN participant ON participant.id = participant_id
WHERE participant_id = $1 AND superseded_at IS NULL AND safe_to_use
      AND (kind = 'email' AND bounced_at IS NOT NULL
           OR kind = 'mail' AND substitute = confidential AND returned_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class CameBack:
    """Why email is not used any more, whether a letter came back, and whether it was one to the
    substitute address, which its reader does not change in the portal."""

    email: Literal["undeliverable", "unwanted"] | None
    mail: bool
    protected_mail: bool


async def what_came_back(connection: AsyncConnection, participant_id: int) -> CameBack:
    """What stands against the contact points that are on file now."""
    driver = await driver_connection(connection)
    rows = {row["kind"]: row for row in await driver.fetch(_CAME_BACK, participant_id)}
    email, mail = rows.get("email"), rows.get("mail")
    why: Literal["undeliverable", "unwanted"] | None = None
    if email is not None:
        why = "unwanted" if email["cause"] == "complaint" else "undeliverable"
    return CameBack(
        email=why,
        mail=mail is not None and not mail["confidential"],
        protected_mail=mail is not None and mail["confidential"],
    )
