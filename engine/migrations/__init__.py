"""Alembic's migrations, run by `connect migrate` and by every start of the embedded database."""
