"""Alembic's environment: the whole metadata, over whatever connection the caller handed in."""

from alembic import context
from sqlalchemy import Connection

from engine.models import METADATA

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
