"""The append-only log: every change of the registry, and the view after it.

An event is a git commit on ``refs/lineage/events`` whose tree holds
``event.json`` and ``view/``: every head, tag and run as a gitlink to its git
commit. The event ref is the commit point. Mirror refs under ``refs/lineage/``
(heads, tags, runs) move just before it, so that git's own gc never meets an
event whose commits nothing else keeps; what a crash left between the two is
rolled to the tip's view by the next writer. Readers trust only the view.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from lineage.errors import Conflict, StoreError
from lineage.store import names
from lineage.store.disk import locked, write_atomically
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject, TreeEntry, parse_tree, tree
from lineage.store.objects import Event, RefChange

_ATTIC = "refs/lineage/attic/"
_RECENT = 32  # events
_TREE, _BLOB, _LINK = "40000", "100644", "160000"
_SPACES = {"heads": "branch", "runs": "part", "tags": "tag", "spent": "tag"}


class Target(NamedTuple):
    """A commit by both its names."""

    id: str
    git: str


class Move(NamedTuple):
    """One name's move in an event, e.g. ``heads/model/tutor`` from None to a target.

    `kept` is False when `before` may not be reachable from anything else
    afterwards; it then stays under ``refs/lineage/attic``.
    """

    ref: str
    before: Target | None
    after: Target | None
    kept: bool = False

    def change(self) -> RefChange:
        ids = (target and target.id for target in (self.before, self.after))
        return RefChange(self.ref, *ids)


class Logged(NamedTuple):
    """An event with the git commit that holds it."""

    git: str
    event: Event


class EventLog:
    """The log of one registry, and the names as of its newest event."""

    def __init__(self, git: GitRepository, home: Path) -> None:
        self._git = git
        self._marker = home / "rolled"
        self._lock = home / "lock"

    # reading

    def tip(self) -> str | None:
        """The git oid of the newest event, or None in an empty registry."""
        return self._git.ref(names.EVENTS)

    def event(self, oid: str) -> Event:
        """The event that the git commit `oid` holds."""
        data = self._git.blob(f"{oid}:event.json")
        if data is None:
            raise StoreError(f"the event {oid} is missing", hint="run `git fsck`")
        return Event.parse(data)

    def iterate(
        self, *, since: str | None = None, oldest_first: bool = False
    ) -> Iterator[Logged]:
        """All events, newest first; those that `since` does not know, if given."""
        tip = self.tip()
        if tip is None or tip == since:
            return
        oids = self._recent(tip, since) if since else None
        if oids is None:
            limits = [f"^{since}"] if since else []
            listed = self._git.run("rev-list", "--topo-order", tip, *limits)
            oids = listed.decode().split()
        if oldest_first:
            oids.reverse()
        blobs = self._git.read_many(f"{oid}:event.json" for oid in oids)
        for oid, found in zip(oids, blobs, strict=True):
            if found is None:
                raise StoreError(f"the event {oid} is missing", hint="run `git fsck`")
            yield Logged(oid, Event.parse(found[1].data))

    def follows(self, event: str) -> bool:
        """Whether the newest event is `event` or came after it."""
        tip = self.tip()
        if tip is None:
            return False
        if tip == event or self._recent(tip, event):
            return True
        try:
            self._git.run("merge-base", "--is-ancestor", event, tip)
        except StoreError:
            return False
        return True

    def _recent(self, tip: str, since: str) -> list[str] | None:
        """The few events between two of one chain, without starting a process."""
        oids = [tip]
        while len(oids) <= _RECENT:
            found = self._git.read(oids[-1])
            parents = parse_parents(found[1].data) if found else []
            if len(parents) != 1:
                return None
            if parents[0] == since:
                return oids
            oids.append(parents[0])
        return None

    def lookup(self, ref: str, *, at: str | None = None) -> str | None:
        """The git oid that a name such as ``heads/model/tutor`` has in the view."""
        space, bucket, encoded = names.view_path(ref)
        found = self._read_view(at or self.tip(), f"/{space}/{bucket}")
        entry = found.get(encoded)
        return entry.oid if entry else None

    def names(self, space: str, *, at: str | None = None) -> dict[str, str]:
        """All names of ``heads``, ``tags`` or ``runs`` with their git oids, sorted."""
        buckets = self._read_view(at or self.tip(), f"/{space}")
        found = self._git.read_many(entry.oid for entry in buckets.values())
        pairs: dict[str, str] = {}
        for item in found:
            if item is None:
                raise _lost("a tree of the names", "")
            leaves = parse_tree(item[1].data).items()
            pairs.update((names.decode(name), entry.oid) for name, entry in leaves)
        return dict(sorted(pairs.items()))

    def _read_view(self, event: str | None, path: str = "") -> dict[str, TreeEntry]:
        """The tree at `path` of an event's view; empty where the view has none.

        Raises:
            StoreError: when it is there and cannot be read: no name may vanish so.
        """
        if event is None:
            return {}
        data = self._git.blob(f"{event}:view{path}")
        return self._absent(event, f"view{path}") if data is None else parse_tree(data)

    def _absent(self, event: str, path: str) -> dict[str, TreeEntry]:
        """Nothing, once every tree above `path` has been read and lacks the next."""
        found = self._git.read(event)
        if found is None or found[1].kind != "commit":
            raise _lost("the event", event)
        oid = found[1].data[5:45].decode()
        for part in path.split("/"):
            entry = self._read_tree(oid).get(part)
            if entry is None:
                return {}
            oid = entry.oid
        return self._read_tree(oid)

    def _read_tree(self, oid: str) -> dict[str, TreeEntry]:
        data = self._git.blob(oid)
        if data is None:
            raise _lost("the tree", oid)
        return parse_tree(data)

    # writing

    def locked(self) -> AbstractContextManager[int]:
        """Hold the registry's write lock; yields the lock's descriptor."""
        return locked(self._lock)

    def append(
        self,
        event: Event,
        moves: Iterable[Move],
        objects: Iterable[GitObject],
        *,
        lock: int,
    ) -> Logged:
        """Write `objects`, move names and append `event`, as one step.

        `event.prev` and `event.refs` are filled in here. Call it under `lock`.

        Raises:
            Conflict: when a name is not at its move's `before`, or somebody wrote past
                the lock; the registry is unchanged.
        """
        moves = list(moves)
        self.roll_forward(lock)
        tip = self.tip()
        event = replace(
            event,
            prev=(self.event(tip).id,) if tip else (),
            refs=tuple(move.change() for move in moves),
        )
        made = self.objects(event, moves, tip)
        self._marker.unlink(missing_ok=True)
        self._git.write([*objects, *made])
        oid = made[-1].oid
        mirror = _mirror(moves)
        self._git.update_refs(mirror, {names.EVENTS: (tip or "", oid)}, lock=lock)
        with suppress(OSError):  # it is recorded: the next writer makes this good
            write_atomically(self._marker, oid.encode())
        return Logged(oid, event)

    def roll_forward(self, lock: int) -> None:
        """Make the mirror refs what the newest event says, after a crash."""
        tip = self.tip()
        if tip is not None and _text(self._marker) == tip:
            return
        self._git.sweep()
        if tip is None:
            return
        wanted = {
            names.ref(f"{space}/{name}"): oid
            for space in names.SPACES
            for name, oid in self.names(space).items()
        }
        actual = self._mirrored()
        stale = {ref: None for ref in actual if ref not in wanted}
        moved = {ref: oid for ref, oid in wanted.items() if actual.get(ref) != oid}
        step = {ref: (None, oid) for ref, oid in {**stale, **moved}.items()}
        self._git.update_refs(step, lock=lock)
        write_atomically(self._marker, tip.encode())

    def _mirrored(self) -> dict[str, str]:
        spaces = [f"{names.ROOT}{space}" for space in names.SPACES]
        listed = self._git.run(
            "for-each-ref", "--format=%(refname) %(objectname)", *spaces
        )
        pairs = (line.split(" ") for line in listed.decode().splitlines())
        return {pair[0]: pair[1] for pair in pairs}

    def objects(
        self, event: Event, moves: list[Move], tip: str | None
    ) -> list[GitObject]:
        """The blob, the changed trees and, last, the commit of one event after `tip`.

        Raises:
            Conflict: when a name is not at its move's `before`.
        """
        blob = GitObject("blob", event.encoded)
        view, changed = self._view(moves, tip)
        root = {"event.json": TreeEntry(_BLOB, blob.oid)}
        if view:
            changed.append(tree(view))
            root["view"] = TreeEntry(_TREE, changed[-1].oid)
        top = tree(root)
        return [blob, *changed, top, _commit(event, top.oid, tip)]

    def _view(
        self, moves: list[Move], tip: str | None
    ) -> tuple[dict[str, TreeEntry], list[GitObject]]:
        """The view after `moves`, and the tree objects that it needs anew."""
        view = self._read_view(tip)
        made: list[GitObject] = []
        spaces: dict[str, dict[str, list[Move]]] = {}
        for move in moves:
            space, bucket, _ = names.view_path(move.ref)
            spaces.setdefault(space, {}).setdefault(bucket, []).append(move)
        for space, buckets in spaces.items():
            entries = self._subtree(view, space)
            for bucket, bucket_moves in buckets.items():
                leaves = self._subtree(entries, bucket)
                for move in bucket_moves:
                    _apply(leaves, move)
                _replace(entries, bucket, leaves, made)
            _replace(view, space, entries, made)
        return view, made

    def _subtree(
        self, entries: Mapping[str, TreeEntry], name: str
    ) -> dict[str, TreeEntry]:
        entry = entries.get(name)
        return self._read_tree(entry.oid) if entry else {}


def _lost(what: str, oid: str) -> StoreError:
    hint = "run `git fsck`; another clone may have it"
    return StoreError(
        f"{what} {oid} is missing or damaged".replace("  ", " "), hint=hint
    )


def parse_parents(commit: bytes) -> list[str]:
    """The git oids of a commit object's parents."""
    headers = commit.partition(b"\n\n")[0].decode(errors="replace").splitlines()
    return [line[7:] for line in headers if line.startswith("parent ")]


def _apply(leaves: dict[str, TreeEntry], move: Move) -> None:
    encoded = names.view_path(move.ref)[2]
    present = leaves.pop(encoded, None)
    if (present and present.oid) != (move.before and move.before.git):
        raise moved_meanwhile(move.ref)
    if move.after is not None:
        leaves[encoded] = TreeEntry(_LINK, move.after.git)


def moved_meanwhile(ref: str) -> Conflict:
    """A name such as ``heads/x`` is not where it was when somebody looked."""
    space, _, name = ref.partition("/")
    message = f"somebody moved the {_SPACES[space]} {name} meanwhile"
    return Conflict(message, hint="run the command again")


def _replace(
    entries: dict[str, TreeEntry],
    name: str,
    content: dict[str, TreeEntry],
    made: list[GitObject],
) -> None:
    """Put `content` at `name` of `entries`; an empty tree is left out, as git does."""
    entries.pop(name, None)
    if content:
        made.append(tree(content))
        entries[name] = TreeEntry(_TREE, made[-1].oid)


def _mirror(moves: list[Move]) -> dict[str, tuple[str | None, str | None]]:
    """What `moves` mean for the mirror refs and the attic; old values unchecked."""
    step: dict[str, tuple[str | None, str | None]] = {}
    for move in moves:
        step[names.ref(move.ref)] = (None, move.after and move.after.git)
        if move.before and not move.kept:
            step[_ATTIC + move.before.git] = (None, move.before.git)
    return step


def _commit(event: Event, tree_oid: str, tip: str | None) -> GitObject:
    when = datetime.fromisoformat(event.time)
    who = "{name} <{email}>".format(
        **{key: _plain(value) for key, value in event.actor.items()}
    )
    stamp = f"{who} {int(when.timestamp())} +0000"
    parent = f"parent {tip}\n" if tip else ""
    headers = f"tree {tree_oid}\n{parent}author {stamp}\ncommitter {stamp}\n"
    return GitObject("commit", f"{headers}\n{_message(event)}".encode())


def _message(event: Event) -> str:
    """What ``git log refs/lineage/events`` shows."""
    moved = ", ".join(change.ref.partition("/")[2] for change in event.refs[:3])
    title = _printable(" ".join(filter(None, (event.type, moved))))
    first = _printable(event.message.split("\n", 1)[0])
    lines = [f"{title}: {first}" if first else title, ""]
    if event.subject:
        lines.append(f"Lineage-Id: {event.subject}")
    return "\n".join([*lines, f"Lineage-Event: {event.id}", ""])


def _plain(text: str) -> str:
    """A name or address as git can hold it on one line."""
    cleaned = "".join(c for c in _printable(text) if c not in "<>")
    return cleaned.strip() or "unknown"


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return None


def now() -> str:
    """The time, as events hold it: RFC 3339, UTC, microseconds."""
    stamp = datetime.now(UTC).isoformat(timespec="microseconds")
    return stamp.replace("+00:00", "Z")
