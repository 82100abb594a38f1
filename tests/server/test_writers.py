"""Many writers over several processes, one of which is killed now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.indexing import index_of
from lineage.store.index import Index
from lineage.store.index_check import same_rows
from tests.bench.writers import judged, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry


def test_killed_workers_lose_nothing_and_double_nothing(
    repo: Registry, sound: Callable[..., None]
) -> None:
    """What was answered is in the log, once, whoever was killed meanwhile."""
    tally = run(repo.root, writers=6, seconds=3, workers=2, kill=1.0)
    assert (tally.killed > 0, tally.refused) == (True, {})
    assert tally.answered
    assert judged(repo, tally) == (0, 0)
    sound(repo)


def test_a_shared_index_is_right_whoever_was_killed(
    repo: Registry, database: str, sound: Callable[..., None]
) -> None:
    """With its rows in PostgreSQL, too; they are brought up to date by who asks."""
    repo.settings.set("index.url", database)
    tally = run(repo.root, writers=3, seconds=3, workers=2, kill=1.0, readers=2)
    assert (tally.killed > 0, tally.refused) == (True, {})
    assert tally.answered
    assert tally.read
    assert judged(repo, tally) == (0, 0)
    of = (repo.git, repo.events_log, repo.home)
    with index_of(repo) as index, Index(*of, url="sqlite://") as fresh:
        assert index.stored_tip()
        assert same_rows(index, fresh)
    sound(repo)
