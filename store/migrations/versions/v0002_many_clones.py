"""The tables, for the rows of one clone or of many."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = None  # an index of the schema before it is made anew


def upgrade() -> None:
    _log()
    _commits()
    _clones()
    _facts()
    op.execute("INSERT INTO clones VALUES (0, '', '')")


def _log() -> None:
    op.create_table(
        "events",
        _key("number"),
        _text("id", index=True),
        _text("git", unique=True),
        _text("type", index=True),
        _text("time", index=True),
        _text("name"),
        _text("email"),
        _text("message"),
        _text("subject", index=True, nullable=True),
    )


def _commits() -> None:
    op.create_table(
        "commits",
        _key("number"),
        _text("id", unique=True),
        _text("git", unique=True),
        _text("kind", index=True),
        _text("name", index=True),
        _number("generation"),
    )
    op.create_table(
        "edges",
        _key("child"),
        _text("role", primary_key=True),
        _key("parent"),
        _text("evidence"),
        sqlite_with_rowid=False,
    )
    op.create_index(None, "edges", ["parent", "child"])


def _clones() -> None:
    """What each clone has, and where its names are."""
    op.create_table("clones", _key("number"), _text("uuid", unique=True), _text("tip"))
    op.create_table("heard", _key("clone"), _key("event"), sqlite_with_rowid=False)
    op.create_table(
        "known",
        _key("clone"),
        _key("commit"),
        _number("number"),
        _number("event"),
        sqlite_with_rowid=False,
    )
    op.create_index(None, "known", ["clone", "number"])
    op.create_table(
        "left_out",
        _key("clone"),
        _text("id", primary_key=True),
        _text("reason"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refs",
        _key("clone"),
        _text("ref", primary_key=True),
        _number("commit"),
        sqlite_with_rowid=False,
    )


def _facts() -> None:
    """What commits say: a row for each metric, parameter and file."""
    op.create_table(
        "metrics",
        _key("commit"),
        _text("name", primary_key=True),
        sa.Column("value", sa.Float(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(None, "metrics", ["name", "value"])
    op.create_table(
        "params",
        _key("commit"),
        _key("position"),
        _text("path"),
        _text("text"),
        sa.Column("number", sa.Float()),
        sqlite_with_rowid=False,
    )
    op.create_index(None, "params", ["path", "number"])
    op.create_table(
        "files",
        _key("commit"),
        _key("position"),
        _text("path"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _text("mode"),
        _text("sha256", index=True),
        _text("md5"),
        sqlite_with_rowid=False,
    )


def _text(name: str, *, nullable: bool = False, **more: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable, **more)


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), primary_key=True, autoincrement=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)
