"""Run the schema revisions on a connection that already holds the upgrade's lock."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

HERE = Path(__file__).parent


def scripts() -> ScriptDirectory:
    """The revisions in order."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def upgrade(link: Connection, to: str = "head") -> None:
    """Bring the schema to revision `to`, in the transaction that `link` is in."""
    directory = scripts()
    config = Config()
    with EnvironmentContext(config, directory, fn=lambda rev, _: directory._upgrade_revs(to, rev)) as context:
        context.configure(connection=link, target_metadata=None)
        context.run_migrations()
