"""Many writers over several processes, one of which is killed now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.writers import judged, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry


def test_killed_workers_lose_nothing_and_double_nothing(
    repo: Registry, sound: Callable[..., None]
) -> None:
    """What was answered is in the log, once, whoever was killed meanwhile."""
    tally = run(repo.root, writers=6, seconds=4, workers=2, kill=1.2)
    assert (tally.killed > 0, tally.refused) == (True, {})
    assert tally.answered
    assert judged(repo, tally) == (0, 0)
    sound(repo)
