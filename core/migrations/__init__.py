"""Schema revisions, run by Alembic inside one transaction."""
