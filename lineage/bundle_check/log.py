"""The log of a bundle, read on its own: event by event, out of git's objects."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from lineage.bundle_check.archive import Bundle
from lineage.bundle_check.looked import Looked
from lineage.errors import LineageError
from lineage.store.event_commit import parse_parents
from lineage.store.events import EventLog
from lineage.store.git import GitRepository
from lineage.store.names import EVENTS
from lineage.store.objects import Event
from lineage.store.replay import Replay

LIST, FILES = "data/log/events.txt", "data/log/events/"


class Entry(NamedTuple):
    """One event: the git commit that holds it, its bytes, what they say."""

    git: str
    commit: bytes
    parents: tuple[str, ...]
    event: Event


@dataclass(frozen=True, slots=True)
class Log:
    """All events, oldest first, and the git oids of the commits that they brought."""

    entries: tuple[Entry, ...]
    commits: Mapping[str, str]

    @property
    def newest(self) -> Event:
        return self.entries[-1].event

    @property
    def ids(self) -> Mapping[str, Event]:
        return {entry.event.id: entry.event for entry in self.entries}


def check_log(
    bundle: Bundle, git: GitRepository, info: Mapping[str, str], looked: Looked
) -> Log | None:
    """Read the log out of git and hold the list of events, and each file, to it."""
    try:
        entries = tuple(_read(git))
    except LineageError as error:
        looked.found("event", EVENTS, str(error))
        return None
    looked.at("log", "event", "chain", count=len(entries))
    _check_list(bundle, entries, looked)
    _check_chain(entries, looked)
    newest = entries[-1].event.id
    if info.get("Lineage-Event") != newest:
        looked.found("log", "bag-info.txt", f"the newest event in git is {newest}")
    if info.get("Bagging-Date") != entries[-1].event.time[:10]:
        looked.found("log", "bag-info.txt", "Bagging-Date is not the newest event's")
    _check_names(git, looked)
    brought = {id_: oid for entry in entries for id_, oid in entry.event.commits}
    return Log(entries, brought)


def _read(git: GitRepository) -> Iterator[Entry]:
    """Parents before children, as git orders them.

    Raises:
        LineageError: when an event cannot be read.
    """
    listed = git.run("rev-list", "--topo-order", "--reverse", EVENTS)
    oids = listed.decode().split()
    blobs = git.read_many(f"{oid}:event.json" for oid in oids)
    for oid, found in zip(oids, list(blobs), strict=True):
        commit = git.read(oid)
        if found is None or commit is None:
            raise LineageError(f"{oid} of the log holds no event")
        data = commit[1].data
        yield Entry(oid, data, tuple(parse_parents(data)), Event.parse(found[1].data))


def _check_list(bundle: Bundle, entries: tuple[Entry, ...], looked: Looked) -> None:
    """events.txt is the log, oldest first; each file is the event of its name."""
    listed = [tuple(line.split(" ")) for line in bundle.text(LIST).splitlines()]
    known = [(entry.event.id, entry.git) for entry in entries]
    if sorted(listed) != sorted(known):
        for id_, oid in sorted({*listed} ^ {*known})[:9]:
            here = "git" if (id_, oid) in known else LIST
            looked.found("log", str(id_)[:64], f"is only in {here}")
    elif listed != known and not _is_ordered(listed, entries):
        looked.found("log", LIST, "has an event before one that it comes after")
    if len(listed) != len(known):
        looked.found("log", LIST, f"has {len(listed)} events, git has {len(known)}")
    files = {name for name in bundle.sizes if name.startswith(FILES)}
    for entry in entries:
        name = f"{FILES}{entry.event.id}.json"
        if name not in files:
            looked.found("log", name, "is missing")
        elif bundle.digests.get(name) != entry.event.id:
            looked.found("event", name, "does not have the SHA-256 of its name")
        files.discard(name)
    for name in sorted(files):
        looked.found("log", name, "is none of the log's events")


def _is_ordered(listed: list[tuple[str, ...]], entries: tuple[Entry, ...]) -> bool:
    place = {line[1]: number for number, line in enumerate(listed)}
    return all(place[p] < place[entry.git] for entry in entries for p in entry.parents)


def _check_chain(entries: tuple[Entry, ...], looked: Looked) -> None:
    """What each event says of those before it, by SHA-256."""
    ids: dict[str, str] = {}
    for number, entry in enumerate(entries):
        before = tuple(ids.get(oid, "") for oid in entry.parents)
        if entry.event.prev != before:
            what = "does not name the event that it comes after"
            looked.found("chain", entry.event.id, what)
        if bool(number) != bool(before):
            looked.found("chain", entry.event.id, "is a second beginning of the log")
        ids[entry.git] = entry.event.id


def _check_names(git: GitRepository, looked: Looked) -> None:
    """The names after each event are those that follow from the events."""
    try:
        for fault in Replay(git, EventLog(git, git.root / "none")).faults():
            looked.found("log", fault.event, fault.what)
    except LineageError as error:
        looked.found("log", EVENTS, str(error))


def check_since(log: Log, since: str | None, looked: Looked) -> None:
    """The event that the auditor saw is one of these; all come before the newest."""
    if since is None:
        why = "a history that was written anew looks like any other"
        looked.skip("since", why, "--since EVENT")
        return
    looked.at("since")
    if since not in log.ids:
        looked.found("since", since[:64], "is not in this log: history was rewritten, "
                     "cut, or this bundle is older than what you saw")  # fmt: skip
