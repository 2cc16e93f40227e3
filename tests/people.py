"""Synthetic participants for tests, straight into the tables."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.database import driver_connection


@dataclass(frozen=True, slots=True)
class Person:
    """A participant of a test, and the contact points that are given."""

    external_id: str = "0000000001"
    first_name: str = "Inés"
    last_name: str = "Peña-Ibáñez"
    language: str = "es"
    confidential: bool = False
    paperless: bool = False
    email: str | None = "ines@example.com"
    email_safe: bool = True
    street: str | None = "1200 EXAMPLE ST APT 4"
    mail_safe: bool = True
    substitute: bool = False


async def add(engine: AsyncEngine, *people: Person) -> list[int]:
    """Insert `people`; their ids."""
    async with engine.begin() as connection:
        return [await _add(connection, person) for person in people]


async def _add(connection: AsyncConnection, person: Person) -> int:
    driver = await driver_connection(connection)
    participant: int = await driver.fetchval(
        "INSERT INTO participant (external_id, first_name, last_name, language, confidential,"
        " paperless) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        person.external_id,
        person.first_name,
        person.last_name,
        person.language,
        person.confidential,
        person.paperless,
    )
    if person.email:
        await driver.execute(
            "INSERT INTO contact_point (participant_id, kind, email, safe_to_use)"
            " VALUES ($1, 'email', $2, $3)",
            participant,
            person.email,
            person.email_safe,
        )
    if person.street:
        await driver.execute(
            "INSERT INTO contact_point (participant_id, kind, addr1, city, state, zip5,"
            " safe_to_use, substitute)"
            " VALUES ($1, 'mail', $2, 'SACRAMENTO', 'CA', '95814', $3, $4)",
            participant,
            person.street,
            person.mail_safe,
            person.substitute,
        )
    return participant


def crowd(number: int) -> list[Person]:
    """`number` different participants, half of them reading Spanish."""
    return [
        Person(
            external_id=f"{index:010d}",
            language="es" if index % 2 else "en",
            email=f"person{index}@example.com",
        )
        for index in range(1, number + 1)
    ]
