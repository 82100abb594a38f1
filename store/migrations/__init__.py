"""How the index's schema changes, for Alembic.

After a change of `lineage.store.index_tables` this writes a first draft of the step
that belongs to it::

    from alembic import command
    from lineage.store.migrations import config
    from sqlmodel import create_engine

    with create_engine("sqlite://").connect() as connection:
        command.upgrade(config(connection), "head")
        command.revision(config(connection), "what changes", autogenerate=True)

The index is derived, so there is no way down: what does not know a schema makes its
own index anew, and leaves alone one that it may share. A step that adds what only the
event log knows empties the tables, and the next refresh reads the whole log.
"""

from pathlib import Path
from typing import Any

HEAD = "0005"


def config(connection: Any) -> Any:
    """Alembic's configuration for migrating one connection."""
    from alembic.config import Config

    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    return made
