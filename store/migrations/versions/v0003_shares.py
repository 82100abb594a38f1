"""What share of a commit came along each edge; the log is read again for it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_EMPTIED = (
    *("events", "commits", "edges", "heard", "known", "left_out", "refs"),
    *("metrics", "params", "files"),
)


def upgrade() -> None:
    for unit in ("records", "tokens"):
        for end in ("part", "whole"):
            op.add_column("edges", sa.Column(f"{unit}_{end}", sa.BigInteger()))
    for name in _EMPTIED:
        op.execute(f"DELETE FROM {name}")  # noqa: S608 - names of ours
    op.execute("DELETE FROM clones WHERE number > 0")
