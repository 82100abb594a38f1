"""Questions to the index about files: which commits have them, where bytes are."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlmodel import col, func, select

from lineage.store.index_asking import Ask, commits
from lineage.store.index_tables import CommitRow, FileRow, KnownRow

_FEW = 16  # commits that are told of one file


def _having(ask: Ask, *columns: Any) -> Any:
    """A question for something of each file of the clone's commits."""
    query = commits(ask, *columns)
    return query.join(FileRow, col(FileRow.commit) == CommitRow.number)


def holding(ask: Ask, sha256: str, kind: str | None = None) -> list[str]:
    """The ids of the clone's commits that have a file of this SHA-256, newest first."""
    query = _having(ask, CommitRow.id).where(col(FileRow.sha256) == sha256)
    if kind:
        query = query.where(col(CommitRow.kind) == kind)
    query = query.order_by(col(KnownRow.number).desc())
    return list(dict.fromkeys(ask.connection.execute(query).scalars()))


def holding_all(ask: Ask, sha256s: Collection[str]) -> list[str]:
    """The ids of the clone's commits that have all of a few files, newest first."""
    query = (
        _having(ask, CommitRow.id)
        .where(col(FileRow.sha256).in_(sha256s))
        .group_by(col(CommitRow.id), col(KnownRow.number))
        .having(func.count(col(FileRow.sha256).distinct()) == len(sha256s))
        .order_by(col(KnownRow.number).desc())
    )
    return list(ask.connection.scalars(query))


def largest(ask: Ask, id_: str, limit: int) -> list[str]:
    """The SHA-256s of a commit's largest files; none of an empty one."""
    query = (
        select(FileRow.sha256, FileRow.size)
        .join(CommitRow, col(CommitRow.number) == FileRow.commit)
        .where(CommitRow.id == id_, col(FileRow.size) > 0)
        .distinct()
        .order_by(col(FileRow.size).desc(), col(FileRow.sha256))
        .limit(limit)
    )
    return [sha256 for sha256, _ in ask.connection.execute(query)]


def addresses(
    ask: Ask, sha256s: Collection[str]
) -> Iterator[tuple[str, str, int, str]]:
    """SHA-256, MD5 and size of files that the clone's commits have, with their ids.

    Of the commits that have a file the newest is given first, and at most `_FEW`.
    """
    rows = _having(ask, FileRow.sha256, FileRow.md5, FileRow.size, CommitRow.id)
    rows = rows.order_by(col(KnownRow.number).desc()).limit(_FEW)
    for sha256 in sha256s:
        found = ask.connection.execute(rows.where(col(FileRow.sha256) == sha256))
        yield from (tuple(row) for row in found)
