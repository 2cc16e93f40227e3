"""What is on file, as its owner is shown it."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.caseload.profile import phone_as_written, profile_of
from engine.database import driver_connection
from tests import people


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("+19165550142", "(916) 555-0142"),
        ("+525555550142", "+525555550142"),
        ("+441632960142", "+441632960142"),
        ("(916) 555-0142", "(916) 555-0142"),
        ("+1916555014", "+1916555014"),
    ],
)
def test_a_number_is_written_as_people_here_write_it(number: str, written: str) -> None:
    """One of North America in groups; one abroad, and whatever else there is, as it is kept."""
    assert phone_as_written(number) == written


async def test_a_number_is_shown_as_written_and_kept_as_it_was(database: AsyncEngine) -> None:
    """The page shows groups; what a form would compare is what is on file."""
    [parent] = await people.add(database, people.Person())
    async with database.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute(
            "INSERT INTO contact_point (participant_id, kind, phone)"
            " VALUES ($1, 'phone', '+19165550142')",
            parent,
        )
        profile = await profile_of(connection, parent)
    assert profile.phone is not None
    assert profile.phone.lines == ("(916) 555-0142",)
    assert profile.phone.fields["phone"] == "+19165550142"
