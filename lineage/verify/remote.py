"""Checking the objects at a DVC remote: are they there, and what they should be?"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing

from lineage.needed import Wanted
from lineage.registry import Registry
from lineage.store import dvc
from lineage.store.parallel import Crew
from lineage.store.reading import Progress
from lineage.store.remote_payloads import RemotePayloads, reason
from lineage.verify.problem import Problem
from lineage.verify.remote_packs import PackedThere


def remote_problems(
    registry: Registry,
    dvc_remote: str | None,
    objects: Iterable[Wanted],
    *,
    deep: bool = False,
    progress: Progress | None = None,
) -> Iterator[Problem]:
    """What is wrong with `objects` at a DVC remote (by default DVC's default one).

    Whether each is there at full length, or in a pack; if `deep`, all bytes are read
    and compared.
    `progress` hears of bytes read. `lineage.transfer.send` puts objects right that
    are whole here.

    Raises:
        StoreError: when the remote cannot be asked.
        UsageError, NotFound: when there is no such remote that keeps objects.
    """
    wanted = list(objects)
    with dvc.remote(registry.git, dvc_remote) as remote:
        sizes = remote.sizes(one.entry.md5 for one in wanted)
        whole = [one for one in wanted if _size(sizes, one) in (None, one.entry.size)]
        if deep:
            yield from _read(registry, remote, whole, progress)
        there = set(whole)
        lacking = [one for one in wanted if one not in there]
        if not lacking:
            return
        with registry.payloads.workspace() as work:
            packed = PackedThere(remote, work)
            for one in packed.take(registry, lacking):
                what = _wrong(_size(sizes, one), one) + packed.doubt
                yield _problem(remote, one, what)
            for found, what in packed.problems(progress) if deep else ():
                yield _problem(remote, found, what)


def _size(sizes: Mapping[str, int | None], one: Wanted) -> int | None:
    """How long an object is there, None if that is not told, -1 where it is missing."""
    return sizes.get(one.entry.md5, -1)


def _wrong(size: int | None, one: Wanted) -> str:
    if size == -1:
        return "is missing"
    return f"is {size} bytes long instead of {one.entry.size}"


def _read(
    registry: Registry,
    remote: RemotePayloads,
    wanted: list[Wanted],
    progress: Progress | None,
) -> Iterator[Problem]:
    """Bring every object to a place of its own, compare it and let it go."""
    crew = Crew(remote.jobs, progress)
    with registry.payloads.workspace() as work:

        def compare(one: Wanted) -> str:
            copy = work / one.entry.md5
            try:
                return remote.receive(one.entry, copy, crew.tick)
            finally:
                copy.unlink(missing_ok=True)

        with closing(crew.each(compare, wanted)) as results:
            for one, outcome in results:
                if isinstance(outcome, Exception):
                    yield _problem(remote, one, f"cannot be read: {reason(outcome)}")
                elif outcome:
                    yield _problem(remote, one, outcome)


def _problem(remote: RemotePayloads, one: Wanted, what: str) -> Problem:
    what = f"{what} at {remote}"
    return Problem(one.id, one.entry.path, what, one.entry.md5)
