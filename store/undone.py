"""What an undo takes back: the event that it names, and how names move then."""

from collections.abc import Iterator

from lineage.store.canonical import digest
from lineage.store.git import GitRepository
from lineage.store.objects import Event, RefChange

UNDO = "undo"


def undone(git: GitRepository, event: Event, tip: str | None) -> Event | None:
    """The event that `event`, an undo, takes back, if `tip` is or knows it."""
    if tip is None:
        return None
    id_ = event.data["undoes"]
    told = ("--max-count=1", f"--grep=^Lineage-Event: {id_}$")
    oid = git.run("rev-list", *told, tip).decode().strip()
    data = git.blob(f"{oid}:event.json") if oid else None
    return Event.parse(data) if data and digest(data) == id_ else None


def taken_back(event: Event) -> Iterator[RefChange]:
    """How an undo of `event` moves names.

    A tag that goes spends its name, however it came: nothing else may be called so.
    """
    refs = {change.ref for change in event.refs}
    for ref, before, after in event.refs:
        yield RefChange(ref, after, before)
        space, _, name = ref.partition("/")
        if space == "tags" and after and not before and f"spent/{name}" not in refs:
            yield RefChange(f"spent/{name}", None, after)


def undoes_meeting(git: GitRepository, event: Event, tip: str | None) -> bool:
    """Whether an event takes back, or brings again, what a meeting of logs moved."""
    found: Event | None = event
    while found and found.type == UNDO:
        found = undone(git, found, tip)
    return found is not None and len(found.prev) > 1
