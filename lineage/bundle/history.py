"""The log and the commits of a registry, as they go into a bundle."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from lineage.errors import StoreError
from lineage.registry import Registry
from lineage.store import names
from lineage.store.canonical import digest
from lineage.store.event_commit import parse_parents
from lineage.store.objects import Event

COMMIT_FILES = ("files.jsonl", "lineage.json")
METRIC_FILES = ("metrics.json", "params.yaml")
_HEADER = b"# v2 git bundle\n"
_PACK = (  # the same objects make the same bytes, however they lie here
    *("pack-objects", "--stdout", "--revs", "--quiet", "--threads=1"),
    *("--no-reuse-delta", "--no-reuse-object", "--window=10", "--depth=50"),
    "--compression=6",
)


@dataclass(frozen=True)
class History:
    """All events up to the newest, oldest first, and every commit that they brought."""

    registry: Registry
    events: tuple[tuple[str, str], ...]
    commits: dict[str, str]
    stamps: tuple[tuple[str, Event], ...]
    newest: Event

    @classmethod
    def read(cls, registry: Registry) -> "History":
        """Go through the log once.

        Raises:
            StoreError: when an event is missing.
        """
        events: list[tuple[str, str]] = []
        commits: dict[str, str] = {}
        stamps: list[tuple[str, Event]] = []
        event: Event | None = None
        for git, event in registry.events_log.iterate(oldest_first=True):
            events.append((event.id, git))
            commits.update(event.commits)
            if event.type == "timestamp":
                stamps.append((event.id, event))
        assert event is not None  # a registry begins with an event
        return cls(registry, tuple(events), commits, tuple(stamps), event)

    @property
    def lines(self) -> bytes:
        """The list of events: an id and a git oid each, oldest first."""
        return "".join(f"{id_} {git}\n" for id_, git in self.events).encode()

    def event_files(self) -> Iterator[tuple[str, bytes]]:
        """Each event's bytes by its id, sorted."""
        ordered = sorted(self.events)
        blobs = self._blobs(f"{git}:event.json" for _, git in ordered)
        for (id_, _), data in zip(ordered, blobs, strict=True):
            yield id_, _needed(data, f"the event {id_}")

    def commit_files(self, wanted: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The files of these names that the commits have, by ``ID/NAME``, sorted."""
        wanted = sorted(wanted)
        for id_, git in sorted(self.commits.items()):
            blobs = self._blobs(f"{git}:{name}" for name in wanted)
            for name, data in zip(wanted, blobs, strict=True):
                if data is not None:
                    yield f"{id_}/{name}", data
                elif name == "lineage.json":
                    raise _lost(f"the commit {id_}")

    def _blobs(self, paths: Iterable[str]) -> Iterator[bytes | None]:
        for found in self.registry.git.read_many(paths):
            yield found[1].data if found else None

    def bundle(self) -> bytes:
        """A bundle of git that holds the whole log, all names and every commit."""
        refs = sorted(self.refs.items())
        head = "".join(f"{oid} {ref}\n" for ref, oid in refs)
        revisions = "".join(f"{oid}\n" for _, oid in refs).encode()
        pack = self.registry.git.run(*_PACK, data=revisions)
        return _HEADER + head.encode() + b"\n" + pack

    @cached_property
    def refs(self) -> dict[str, str]:
        """Every name after the newest event, and what no name leads to any more."""
        log = self.registry.events_log
        named = {
            names.ref(f"{space}/{name}"): git
            for space in names.SPACES
            for name, git in log.names(space).items()
        }
        loose = self._tips() - set(named.values())
        attic = {names.ATTIC + git: git for git in loose}
        return {names.EVENTS: self.events[-1][1], **named, **attic}

    def _tips(self) -> set[str]:
        """The commits that no other commit came from."""
        gits = set(self.commits.values())
        found = self.registry.git.read_many(sorted(gits))
        for git, item in zip(sorted(gits), list(found), strict=True):
            gits -= set(
                parse_parents(_needed(item and item[1].data, f"the commit {git}"))
            )
        return gits


def _needed(data: bytes | None, what: str) -> bytes:
    if data is None:
        raise _lost(what)
    return data


def _lost(what: str) -> StoreError:
    message = f"{what} is missing, and no bundle is whole without it"
    return StoreError(message, hint="run `lineage verify --repair`")


def stamp_name(stamped: str, event: str) -> str:
    """What the time stamp of an event is called, by the event that recorded it."""
    return f"{stamped}.{event[:12]}.tsr"


def check_digest(id_: str, data: bytes) -> None:
    """Refuse to hand out bytes that are not what they are called after.

    Raises:
        StoreError: when they are not.
    """
    if digest(data) != id_:
        message = f"{id_} does not have its recorded SHA-256"
        raise StoreError(message, hint="run `lineage verify`")
