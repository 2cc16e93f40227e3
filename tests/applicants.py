"""Applicants for tests: accounts that were confirmed, and browsers signed in with them."""

from datetime import datetime
from typing import Final

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.applications.accounts import NUMBER_PREFIX, Applicant
from engine.applications.personal import username
from engine.database import driver_connection
from engine.i18n import Language
from engine.portal.doors import APPLICATION_SITE
from engine.security.sealed_columns import box_of, key_of
from engine.security.sessions import Stage
from tests import people
from tests.portal.portal_server import MONDAY_NOON, Portal

USERNAME: Final = "river.stone"
PASSWORD: Final = "seven lamps beside the harbor"
_ADD: Final = f"""
INSERT INTO applicant (participant_id, username_tag, sealed_username, username_key_id, email_tag,
                       password_hash, registered_at, confirmed_at, seen_at)
VALUES ($1, $2, {box_of("$3::json")}, {key_of("$3::json")}, $4, 'none', $5, $5, $5) RETURNING id
"""


async def add_applicant(
    engine: AsyncEngine,
    name: str = USERNAME,
    language: Language = "es",
    at: datetime = MONDAY_NOON,
) -> Applicant:
    """Somebody whose account was confirmed `at`, with an email address; no password lets them in:
    they are signed in by `signed_in_applicant`."""
    person = people.Person(
        external_id=f"{NUMBER_PREFIX}-{name}",
        language=language,
        email=f"{name}@example.com",
        street=None,
    )
    [participant] = await people.add(engine, person)
    async with engine.begin() as connection:
        driver = await driver_connection(connection)
        given = (name, username(participant, name), f"{name}@example.com", at)
        id_ = await driver.fetchval(_ADD, participant, *given)
    return Applicant(id_, participant, language)


async def signed_in_applicant(
    portal: Portal, applicant: Applicant, address: str = "192.0.2.7"
) -> httpx.AsyncClient:
    """A new browser in which this applicant is signed in to the application site."""
    application = portal.application
    async with application.engine.begin() as connection:
        session = await application.applicant_sessions.open(
            connection, applicant.participant_id, Stage.APPLICANT
        )
    browser = portal.browser(address)
    browser.cookies.set(APPLICATION_SITE.cookie, session.token, domain="portal.example")
    return browser
