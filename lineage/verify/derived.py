"""Checking what is derived: each file and ref is made anew from what it came from.

What differs is put right and told as a note: nothing was lost. A registry that
cannot be written to is only told about.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from lineage.errors import LineageError
from lineage.keeping import is_kept_rightly, refresh_keep
from lineage.keys.log import KeyLog
from lineage.needed import absent
from lineage.noted import Note, forget, noted, recounted, written_down
from lineage.registry import Registry
from lineage.statements import Statements
from lineage.store import keep, names
from lineage.store.files import dvc_list
from lineage.store.mirrors import kept, reached
from lineage.tombstones import Tombstones
from lineage.unfetched import arrived, unfetched


def derived_notes(registry: Registry) -> Iterator[str]:
    """What was wrong, and is made again."""
    checks: tuple[Callable[[Registry], Iterator[str]], ...] = (
        _mirrors, _unreached, _index, _tainted, _keep, _head, _unfetched
    )  # fmt: skip
    for check in checks:
        with suppress(OSError, LineageError):  # what cannot be read is a problem
            yield from check(registry)


def lookup_notes(registry: Registry) -> Iterator[str]:
    """What everything else reads, row by row: asked first."""
    right = True
    with suppress(OSError, LineageError):
        right = registry.ids.check()
    if not right:
        yield "the lookup file (.git/lineage/ids) was wrong: made again"
    for check in (_gone, _said, _keys):
        with suppress(OSError, LineageError):
            yield from check(registry)


def _mirrors(registry: Registry) -> Iterator[str]:
    """Refs that repeat the newest event's names."""
    log = registry.events_log
    if log.stale_mirrors():
        with log.locked() as lock:
            stale = log.stale_mirrors()
            log.roll_forward(lock, again=True)
        if stale:
            yield f"refs not as the newest event has them: {len(stale):,}, set right"
    elif not log.is_rolled():
        with log.locked() as lock:
            log.roll_forward(lock, again=True)
        yield "the note of the newest event (.git/lineage/rolled) was wrong: made again"


def _unreached(registry: Registry) -> Iterator[str]:
    """Commits that no ref keeps from git's own gc."""
    known = {record.git for record in registry.ids}
    lost = known - reached(registry.git)
    if lost:
        with registry.events_log.locked() as lock:
            registry.git.update_refs(kept(lost), lock=lock)
        yield f"commits that no ref kept from `git gc`: {len(lost):,}, kept again"


def _index(registry: Registry) -> Iterator[str]:
    """This clone's own file; a database that is shared has rows of others, too."""
    if not (registry.home / "index.sqlite").exists():
        return
    from lineage.store.index import Index
    from lineage.store.index_check import same_rows

    of = (registry.git, registry.events_log, registry.home)
    with Index(*of) as index, Index(*of, url="sqlite://") as fresh:
        tip = index.stored_tip()
        known = tip is not None and registry.events_log.follows(tip)
        if not known or index.is_damaged() or not same_rows(index, fresh):
            index.rebuild()
            yield "the index (.git/lineage/index.sqlite) was wrong: made again"


def _tainted(registry: Registry) -> Iterator[str]:
    """The list of what taints reached."""
    from lineage.taints import known, marks

    if (registry.home / known.FILE).exists() and not marks.check(registry):
        yield "the list of what is tainted (.git/lineage/tainted) was wrong: made again"


def _gone(registry: Registry) -> Iterator[str]:
    """The list of what was erased and freed."""
    if _renoted(registry, Tombstones):
        yield "the list of what is gone (.git/lineage/gone) was wrong: made again"


def _said(registry: Registry) -> Iterator[str]:
    """The list of what was said of commits later."""
    if _renoted(registry, Statements):
        yield "the list of statements (.git/lineage/said) was wrong: made again"


def _renoted(registry: Registry, kind: type[Note]) -> bool:
    """Whether a note was not what the log says; it is now."""
    if not (registry.home / kind.FILE).exists():
        return False
    whole = written_down(registry, kind).tip != ""
    if whole and noted(registry, kind) == recounted(registry, kind):
        return False
    forget(registry, kind)
    return True


def _keys(registry: Registry) -> Iterator[str]:
    """The list of key events, by which signatures are judged."""
    if not KeyLog(registry.git, registry.events_log, registry.home).check():
        yield "the list of key events (.git/lineage/keys) was wrong: made again"


def _keep(registry: Registry) -> Iterator[str]:
    """The commit that tells DVC what we need."""
    wrong = not is_kept_rightly(registry)
    if wrong:
        keep.forget_keep(registry.git)
        yield f"the commit for DVC ({names.KEEP}) was wrong: made again"
    refresh_keep(registry, again=wrong)


def _head(registry: Registry) -> Iterator[str]:
    if (head := registry.head) and registry.target(f"heads/{head}") is None:
        yield f"HEAD is {head!r}, which is no branch: `lineage branch` lists them"


def _unfetched(registry: Registry) -> Iterator[str]:
    """Files may have come by other means, as by `dvc fetch`: that is no news."""
    left = (id_ for id_ in unfetched(registry) if id_ in registry.ids)
    arrived(registry, [id_ for id_ in left if _is_whole(registry, id_)])
    yield from ()


def _is_whole(registry: Registry, id_: str) -> bool:
    """Whether all files of a commit are here, and DVC's list of them, too."""
    if absent(registry, [id_]):
        return False
    payload = registry.load(id_).stored
    if payload is None or payload.type != "directory":
        return True
    return registry.payloads.has(dvc_list(registry.files(id_)).md5)
