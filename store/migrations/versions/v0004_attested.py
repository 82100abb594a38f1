"""Metrics that were attested later; the log is read again for them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_OF_CLONES = ("heard", "known", "left_out", "refs")


def upgrade() -> None:
    op.create_table(
        "attested",
        _key("clone", sa.Integer()),
        _key("commit", sa.Integer()),
        _key("name", sa.String()),
        sa.Column("value", sa.Float(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(None, "attested", ["clone", "name", "value"])
    for name in _OF_CLONES:
        op.execute(f"DELETE FROM {name}")  # noqa: S608 - names of ours
    op.execute("DELETE FROM clones WHERE number > 0")


def _key(name: str, type_: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, primary_key=True, autoincrement=False, nullable=False)
