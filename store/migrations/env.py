"""What Alembic runs to migrate the connection that `config` was made for."""

from alembic import context

from lineage.store.index_tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
