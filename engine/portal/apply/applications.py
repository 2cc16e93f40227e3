"""What the pages of an application share: whose draft it is, and where its pages are."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException

from engine.applications.drafts import Draft
from engine.portal.pages.messages import number
from engine.portal.visit import Visit

APPLICATIONS: Final = "/apply/applications"
APPLICATION: Final = f"{APPLICATIONS}/{{draft_id}}"
SAVES_RATE: Final = "300/hour"
_ID_MOST: Final = 2**63 - 1


def asked_id(visit: Visit, name: str = "draft_id") -> int:
    """An id in the address. Raises HTTPException 404 for what is none."""
    found = number(visit.request.path_params[name], _ID_MOST)
    if found is None:
        raise HTTPException(404)
    return found


async def draft_of(visit: Visit) -> Draft:
    """The draft in the address, of whose visit it is. Raises HTTPException 404 where there is none
    such: another's, one that ran out, and one that never was are answered alike."""
    async with visit.reading() as connection:
        return await draft_in(visit, connection)


async def draft_in(visit: Visit, connection: AsyncConnection) -> Draft:
    """The same in the transaction of an act, in which nothing else happens to it any more."""
    found = await visit.application.drafts.find(connection, visit.participant_id, asked_id(visit))
    if found is None:
        raise HTTPException(404)
    return found


def path_to(draft_id: int, *parts: str) -> str:
    """A page of a draft, without its language."""
    return "/".join((APPLICATIONS, str(draft_id), *parts))


def page_path(draft_id: int, slot: str | None) -> str:
    """The page that asks what is kept under `slot`; after the last one, the documents."""
    if slot is None:
        return path_to(draft_id, "documents")
    return path_to(draft_id, slot) if slot == "children" else path_to(draft_id, "page", slot)
