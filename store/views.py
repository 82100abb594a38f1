"""The view after an event: every name with its git commit, as one tree of git.

``view/SPACE/BUCKET/COMPONENT`` is a gitlink (see FORMAT.md). Events share the trees
that they do not change, so a view costs what its moves cost, however many names
there are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from lineage.errors import Moved, StoreError
from lineage.store import names
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject, TreeEntry, parse_tree, tree
from lineage.store.objects import RefChange

TREE, BLOB, LINK = "40000", "100644", "160000"
WHAT = {
    "heads": "branch",
    "tags": "tag",
    "runs": "part",
    "spent": "deleted tag",
    "protected": "protection of",
}
_MANY = 48  # trees
_BUCKETS = 1024  # that are kept at hand: all of a view's branches and tags

Trees = dict[str, TreeEntry]


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


class Views:
    """Reads the views of one repository's events, and makes the next one."""

    def __init__(self, git: GitRepository) -> None:
        self._git = git
        self._kept: dict[str, tuple[str, dict[str, str]]] = {}  # by space, of one tree
        self._bucket = lru_cache(maxsize=_BUCKETS)(self._read)

    def lookup(self, event: str | None, ref: str) -> str | None:
        """The git oid that a name such as ``heads/model/tutor`` has after `event`."""
        space, bucket, encoded = names.view_path(ref)
        entry = self._bucket(event, f"/{space}/{bucket}").get(encoded)
        return entry.oid if entry else None

    def names(self, event: str | None, space: str) -> dict[str, str]:
        """All names of a space (``heads``…) with their git oids, sorted."""
        entry = self._read(event).get(space)
        if entry is None:
            return {}
        kept, pairs = self._kept.get(space, ("", {}))
        if kept != entry.oid:
            pairs = dict(sorted(self._leaves(entry.oid)))
            self._kept[space] = entry.oid, pairs
        return dict(pairs)

    def _leaves(self, oid: str) -> Iterator[tuple[str, str]]:
        """The names in the tree of a space; git lists many of them faster than we."""
        buckets = self._read_tree(oid)
        if len(buckets) > _MANY:
            try:
                listed = self._git.run("ls-tree", "-r", "-z", oid)
            except StoreError:
                raise self._lost("a tree of the names") from None
            for line in listed.decode().split("\0")[:-1]:
                head, _, path = line.partition("\t")
                yield names.decode(path.partition("/")[2]), head.split(" ")[2]
            return
        for item in self._git.read_many(entry.oid for entry in buckets.values()):
            if item is None:
                raise self._lost("a tree of the names")
            for name, entry in parse_tree(item[1].data).items():
                yield names.decode(name), entry.oid

    def differing(self, events: Sequence[str]) -> dict[str, list[str | None]]:
        """The names that `events` do not agree on, with what each of them has.

        Trees that they share are not read.
        """
        found: dict[str, list[str | None]] = {}
        for space in names.SPACES:
            views = [self._read(event, f"/{space}") for event in events]
            for bucket in _unequal(views):
                leaves = [self._subtree(view, bucket) for view in views]
                for leaf in _unequal(leaves):
                    entries = [trees.get(leaf) for trees in leaves]
                    ref = f"{space}/{names.decode(leaf)}"
                    found[ref] = [entry and entry.oid for entry in entries]
        return found

    def _read(self, event: str | None, path: str = "") -> Trees:
        """The tree at `path` of an event's view; empty where the view has none.

        Raises:
            StoreError: when it is there and cannot be read: no name may vanish so.
        """
        if event is None:
            return {}
        data = self._git.blob(f"{event}:view{path}")
        return self._absent(event, f"view{path}") if data is None else parse_tree(data)

    def _absent(self, event: str, path: str) -> Trees:
        """Nothing, once every tree above `path` has been read and lacks the next."""
        found = self._git.read(event)
        if found is None or found[1].kind != "commit":
            raise self._lost("the event", event)
        oid = found[1].data[5:45].decode()
        for part in path.split("/"):
            entry = self._read_tree(oid).get(part)
            if entry is None:
                return {}
            oid = entry.oid
        return self._read_tree(oid)

    def _read_tree(self, oid: str) -> Trees:
        data = self._git.blob(oid)
        if data is None:
            raise self._lost("the tree", oid)
        return parse_tree(data)

    def _lost(self, what: str, oid: str = "") -> StoreError:
        named = f"{what} {oid}".rstrip()
        return StoreError(f"{named} is missing or damaged", hint=self._git.mend())

    def moved(
        self, event: str | None, moves: Iterable[Move]
    ) -> tuple[Trees, list[GitObject]]:
        """The view of `event` after `moves`, and the trees that it needs anew.

        Raises:
            Conflict: when a name is not at its move's `before`.
        """
        view = self._read(event)
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

    def _subtree(self, entries: Mapping[str, TreeEntry], name: str) -> Trees:
        entry = entries.get(name)
        return self._read_tree(entry.oid) if entry else {}


def _unequal(trees: Sequence[Trees]) -> Iterator[str]:
    """The names whose entries are not the same in all `trees`."""
    for name in sorted(set().union(*trees)):
        if len({tree_.get(name) for tree_ in trees}) > 1:
            yield name


def _apply(leaves: Trees, move: Move) -> None:
    encoded = names.view_path(move.ref)[2]
    present = leaves.pop(encoded, None)
    if (present and present.oid) != (move.before and move.before.git):
        raise moved_meanwhile(move.ref)
    if move.after is not None:
        leaves[encoded] = TreeEntry(LINK, move.after.git)


def _replace(entries: Trees, name: str, content: Trees, made: list[GitObject]) -> None:
    """Put `content` at `name` of `entries`; an empty tree is left out, as git does."""
    entries.pop(name, None)
    if content:
        made.append(tree(content))
        entries[name] = TreeEntry(TREE, made[-1].oid)


def moved_meanwhile(ref: str, current: str | None = None) -> Moved:
    """A name such as ``heads/x`` is not where it was when somebody looked.

    `current` is what it has now: an id, or None.
    """
    space, _, name = ref.partition("/")
    message = f"somebody moved the {WHAT[space]} {name} meanwhile"
    return Moved(message, current, hint="run the command again")
