"""Brings a ledger's schema to the newest version with Alembic; refuses one made by a newer program."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from flex_plugin_backend.errors import LedgerSchemaError


def alembic_config() -> Config:
    """Alembic's settings for the migrations that come with this package."""
    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def bring_up_to_date(engine: Engine) -> None:
    """Run every migration that this ledger has not seen.

    Raises:
        LedgerSchemaError: the ledger's version is not one this program knows.
    """
    config = alembic_config()
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        if found == newest:
            return
        known = {script.revision for script in scripts.walk_revisions()}
        if found is not None and found not in known:
            raise LedgerSchemaError(
                found=f"version {found}",
                needed=f"version {newest}",
                problem="it was made by a newer flex-wfm",
                repair="Install the newer flex-wfm, or start with another ledger file.",
            )
    # The lock comes before the look at the version: of several processes that start together one migrates, and the
    # others find it done.
    with engine.execution_options(flex_wfm_writing=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
