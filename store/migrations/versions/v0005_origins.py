"""What commits say of their own origin; the log is read again for it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_EMPTIED = (
    *("events", "commits", "edges", "heard", "known", "left_out", "refs"),
    *("metrics", "attested", "params", "files"),
)


def upgrade() -> None:
    op.add_column("commits", sa.Column("origin", sa.String()))
    for name in _EMPTIED:
        op.execute(f"DELETE FROM {name}")  # noqa: S608 - names of ours
    op.execute("DELETE FROM clones WHERE number > 0")
