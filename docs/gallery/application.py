"""Who applies in the pictures of the application site: one application to look over, one submitted,
one that has just begun."""

from docs.gallery.family import NOW
from engine.applications.cleaning_process import Clean
from engine.bootstrap import Application
from tests.applicants import add_applicant
from tests.applications.files import png
from tests.applications.filled import fill, submit


async def apply(application: Application) -> None:
    """Write them into the tables."""
    applicant = await add_applicant(application.engine, language="es", at=NOW)
    participant = applicant.participant_id
    async with application.engine.begin() as connection:
        draft = await fill(application, connection, participant)
        made = Clean("image/png", png())
        await application.uploads.add(connection, draft.id, "court_order", made)
        submitted = await fill(application, connection, participant)
    await submit(application, participant, submitted)
    async with application.engine.begin() as connection:
        await application.drafts.start(connection, participant, "open")
