"""What alembic runs: the revisions over a connection that `migrate` has opened."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="tierline_version")
with context.begin_transaction():
    context.run_migrations()
