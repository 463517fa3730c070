"""Alembic's environment: runs migrations on the connection that the program hands over."""

from __future__ import annotations

from alembic import context

from flex_plugin_backend.ledger.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
