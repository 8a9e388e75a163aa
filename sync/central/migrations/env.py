"""Alembic's entry: runs the steps on the connection that `database.migrate` passes in."""

from alembic import context

from sync.central.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
