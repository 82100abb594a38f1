"""One open registry in several threads, in a forked process, and in asyncio."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

COUNT = 8


@pytest.fixture
def made(repo: Registry) -> dict[str, int]:
    """Make a few commits; the seed that each of them holds."""
    commits = (
        repo.commit("config", f"c{n}", params={"seed": n, "filler": "x" * n * 50})
        for n in range(COUNT)
    )
    return {commit.id: n for n, commit in enumerate(commits)}


def in_child(work: Callable[[], None]) -> int:
    """Do `work` in a forked process; 0 when it went well."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def fresh(repo: Registry) -> None:
    """Forget what is at hand, so that git is asked."""
    repo._load.cache_clear()


def test_threads_read_what_they_asked_for(repo: Registry, made: dict[str, int]) -> None:
    """Answers never go to the wrong thread."""

    def look(id_: str) -> bool:
        fresh(repo)
        return bool(repo.load(id_).params["seed"] == made[id_])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(look, [*made] * 40))


def test_threads_write_one_after_the_other(
    repo: Registry, sound: Callable[..., None]
) -> None:
    """Commits of several threads through one registry are all there, once."""

    def commit(n: int) -> str:
        return repo.commit("config", f"c{n}", params={"seed": n}).id

    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(commit, range(9)))
    assert sorted(ids) == sorted(repo.branches().values())
    sound(repo)


def test_a_fork_reads_and_writes_beside_its_parent(
    repo: Registry, made: dict[str, int], sound: Callable[..., None]
) -> None:
    """A child that inherited an open registry disturbs nobody."""

    def work() -> None:
        fresh(repo)
        assert all(repo.load(id_).params["seed"] == n for id_, n in made.items())
        repo.commit("config", "child", params={"of": "a fork"})

    assert in_child(work) == 0
    fresh(repo)
    assert all(repo.load(id_).params["seed"] == n for id_, n in made.items())
    assert "config/child" in repo.branches()
    sound(repo)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_while_threads_read_is_not_stuck(
    repo: Registry, made: dict[str, int]
) -> None:
    """What a thread holds when the process forks is free in the child."""
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            fresh(repo)
            for id_ in made:
                repo.load(id_)

    def work() -> None:
        fresh(repo)
        assert all(repo.load(id_).params["seed"] == n for id_, n in made.items())

    with ThreadPoolExecutor(3) as pool:
        reading = [pool.submit(read) for _ in range(3)]
        try:
            assert [in_child(work) for _ in range(8)] == [0] * 8
        finally:
            over.set()
        for one in reading:
            one.result()


def test_asyncio_takes_a_thread_for_each_call(
    repo: Registry, made: dict[str, int]
) -> None:
    """`asyncio.to_thread` is all that a coroutine needs."""

    async def gather() -> list[str]:
        names = (f"config/c{n}" for n in range(COUNT))
        return await asyncio.gather(
            *(asyncio.to_thread(repo.resolve, n) for n in names)
        )

    assert asyncio.run(gather()) == list(made)
