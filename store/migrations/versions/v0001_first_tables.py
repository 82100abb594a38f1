"""The first tables."""
# ruff: noqa: TID253 - Alembic imports this module, nothing else does

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _log()
    _commits()
    _facts()
    op.execute("INSERT INTO state VALUES ('tip', '')")


def _log() -> None:
    op.create_table("state", _key("key"), _text("value"))
    op.create_table(
        "events",
        _number("number"),
        _text("id", unique=True),
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
        _number("number"),
        _text("id", unique=True),
        _text("git", unique=True),
        _text("kind", index=True),
        _text("name", index=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        _points("event", "events.number"),
    )
    op.create_table(
        "edges",
        _commit("child", primary_key=True),
        _key("role"),
        _commit("parent", primary_key=True),
        _text("evidence"),
        sqlite_with_rowid=False,
    )
    op.create_index(None, "edges", ["parent", "child"])
    op.create_table("refs", _key("ref"), _commit("commit"))


def _facts() -> None:
    """What commits say: a row for each metric, parameter and file."""
    op.create_table(
        "metrics",
        _commit("commit", primary_key=True),
        _key("name"),
        sa.Column("value", sa.Float(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(None, "metrics", ["name", "value"])
    op.create_table(
        "params",
        _commit("commit", primary_key=True),
        _number("position"),
        _text("path"),
        _text("text"),
        sa.Column("number", sa.Float()),
        sqlite_with_rowid=False,
    )
    op.create_index(None, "params", ["path", "number"])
    op.create_table(
        "files",
        _commit("commit", primary_key=True),
        _key("path"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _text("mode"),
        _text("sha256", index=True),
        _text("md5"),
        sqlite_with_rowid=False,
    )


def _text(name: str, *, nullable: bool = False, **more: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable, **more)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=True)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), primary_key=True, autoincrement=False)


def _points(name: str, target: str, **more: Any) -> sa.Column[int]:
    key = sa.ForeignKey(target)
    return sa.Column(name, sa.Integer(), key, nullable=False, **more)


def _commit(name: str, **more: Any) -> sa.Column[int]:
    return _points(name, "commits.number", **more)
