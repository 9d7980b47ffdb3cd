"""Alembic's environment: runs over the connection that ``platform.schema`` hands in."""

from __future__ import annotations

from alembic import context

from xinzu.platform.db import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
    compare_type=True,
    compare_server_default=False,
    include_name=lambda name, kind, _: kind != "table" or not str(name).startswith("pgqueuer"),
)

with context.begin_transaction():
    context.run_migrations()
