"""Importing a DVC repository: its git history of outs becomes commits.

`history` reads what there was when, `files` the forms of DVC's files, `cache` bytes.
Here versions become commits: with the bytes where the cache has them, else as something
elsewhere. DVC's digests stand in them as claims (`params.dvc`) and are never ids. The
same history gives the same commits, so importing again records only what is new.
"""

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lineage.bulk import Draft, import_commits
from lineage.draft import default_branch
from lineage.errors import Conflict, NotFound
from lineage.integrations.dvc.cache import Cache, cache_of
from lineage.integrations.dvc.history import History, Version, read
from lineage.observing.inputs import Input
from lineage.registry import Registry
from lineage.store.files import FileEntry
from lineage.store.git import GitRepository
from lineage.store.objects import Commit, Edge, Metric

_BESIDE = "@dvc"  # of a branch that goes on by itself here
_MODELS = (
    *(".bin", ".ckpt", ".gguf", ".h5", ".joblib", ".keras", ".mlmodel", ".onnx", ".pb"),
    *(".pickle", ".pkl", ".pt", ".pth", ".safetensors", ".tflite"),
)
_WORDS = ("model", "checkpoint")  # how a folder's name begins that holds one


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one out: its branch and, as of now, the commit on it.

    Of its `versions`, `created` are new here, and of those `absent` have no bytes.
    """

    path: str
    kind: str
    branch: str
    tip: str
    versions: int
    created: int
    absent: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    `unread` are files of DVC that say nothing, `apart` the folders below that are DVC
    repositories of their own, and were left out.
    """

    source: str
    head: str
    lines: Sequence[Line]
    unread: Sequence[str]
    apart: Sequence[str]


def import_dvc(
    registry: Registry,
    source: str | Path,
    *,
    rev: str = "HEAD",
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    prefix: str = "",
) -> Imported:
    """Record every version of what DVC keeps at `source`, up to git's `rev`.

    Paths that match one of the globs `models` or `datasets` are what these say. Others
    are what they are here already, or else DVC's annotations and their names tell what
    is a model. With `prefix` the name of each begins so.

    Raises:
        Conflict: when the branch of an out is another repository's.
        NotFound: when there is no DVC repository, or no such revision.
        VerificationError: when an object in the cache is damaged.
        StoreError: when git or the disk fails.
    """
    registry.events_log.check_writable()
    root = _root(Path(source).resolve())
    git = GitRepository.discover(root)
    try:
        found = read(git, root, rev)
    finally:
        git.close()
    names = _Names(registry, prefix)
    kinds = _Kinds(found, {"model": models, "dataset": datasets}, names)
    drafts = _Drafts(registry, found, cache_of(root), kinds, names)
    message = f"import of the DVC repository {root.name} at {found.head[:12]}"
    with registry.payloads.writing():  # nothing is tidied away before it is recorded
        for _ in import_commits(registry, drafts.all(), message=message):
            pass
    return Imported(str(root), found.head, drafts.lines(), found.unread, found.apart)


def _root(start: Path) -> Path:
    if not start.is_dir():
        raise NotFound(f"{start} is no folder", hint="name one of a DVC repository")
    for folder in (start, *start.parents):
        if (folder / ".dvc").is_dir():
            return folder
    hint = "name the folder that `dvc init` was run in"
    raise NotFound(f"{start} is in no DVC repository", hint=hint)


class _Names:
    """What outs are called here, and where they may be."""

    def __init__(self, registry: Registry, prefix: str) -> None:
        self._registry = registry
        self._prefix = prefix

    def name(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def kinds(self, path: str) -> list[str]:
        """The kinds under which there is a branch for an out already."""
        return [
            kind
            for kind in ("model", "dataset")
            if any(
                self._registry.target(f"heads/{branch}")
                for branch in _places(kind, self.name(path))
            )
        ]


class _Kinds:
    """Tells which outs are models."""

    def __init__(
        self, history: History, globs: Mapping[str, Sequence[str]], names: _Names
    ) -> None:
        self._globs = globs
        self._marked = {v.out.path for v in history.versions if v.out.model}
        self._names = names
        self._told: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        if path not in self._told:
            self._told[path] = self._tell(path)
        return self._told[path]

    def _tell(self, path: str) -> str:
        for kind, globs in self._globs.items():
            if any(fnmatchcase(path, glob) for glob in globs):
                return kind
        if len(known := self._names.kinds(path)) == 1:
            return known[0]
        name = posixpath.basename(path).lower()
        told = path in self._marked or name.endswith(_MODELS) or name.startswith(_WORDS)
        return "model" if told else "dataset"


class _Drafts:
    """Commits for the versions of a history."""

    def __init__(
        self,
        registry: Registry,
        history: History,
        cache: Cache,
        kinds: _Kinds,
        names: _Names,
    ) -> None:
        self._registry = registry
        self._history = history
        self._cache = cache
        self._kind = kinds
        self._name = names.name
        self._ids: dict[Version, str] = {}
        self._known: dict[str, str] = {}
        self._looked_at: set[str] = set()
        self._branches: dict[str, str] = {}
        self._created: Counter[str] = Counter()
        self._absent: Counter[str] = Counter()

    def all(self) -> Iterator[Draft]:
        """A draft for each version that is new here, and for each branch that moves."""
        for version in self._history.versions:
            bare = self._bare(version)
            known = self._recorded(bare)
            if known:
                self._ids[version] = known
                if self._moves(version, known):
                    commit = self._registry.load(known)
                    yield self._draft(version, commit, self._registry.files(known))
            else:
                commit, entries = self._whole(bare, version)
                self._ids[version] = self._known[bare.id] = commit.id
                self._created[version.out.path] += 1
                yield self._draft(version, commit, entries)

    def _draft(
        self, version: Version, commit: Commit, entries: list[FileEntry]
    ) -> Draft:
        path = version.out.path
        branch = self._branch(path) if self._history.tips[path] is version else ""
        return Draft(commit, tuple(entries), branch, revise=False)

    def _bare(self, version: Version) -> Commit:
        """The commit of a version without its bytes: what the history determines."""
        out, kind = version.out, self._kind(version.out.path)
        edges = [Edge("revises", self._ids[version.before])] if version.before else []
        for each, role in (
            *((each, "") for each in version.made_from),
            *((each, "evaluated_on") for each in version.tested_on),
        ):
            given = Input(self._ids[each], self._kind(each.out.path), role)
            edge = given.edge(kind)
            if edge not in edges:
                edges.append(edge)
        making = out.making
        said = {
            "rev": version.rev,
            "path": out.path,
            "md5": out.digest,
            "stage": making.stage,
            "cmd": making.cmd,
            "deps": dict(making.deps),
            "source": making.source,
        }
        claims = {key: value for key, value in said.items() if value}
        return Commit(
            kind,
            self._name(out.path),
            tuple(edges),
            params={**_plain(making.params), "dvc": claims},
            metrics={n: Metric(v, f"dvc {n}") for n, v in version.measured.items()},
        )

    def _whole(self, bare: Commit, version: Version) -> tuple[Commit, list[FileEntry]]:
        taken = self._cache.take(self._registry, version.out)
        if taken:
            return replace(bare, payload=taken[0]), taken[1]
        self._absent[version.out.path] += 1
        uri = f"dvc:{version.out.path}@{version.rev}"
        claim = {"uri": uri, "digest": f"md5:{version.out.digest}"}
        return replace(bare, external=claim), []

    def _recorded(self, bare: Commit) -> str | None:
        """The commit that is here of a version, with its bytes or without."""
        for branch in _places(bare.kind, bare.name):
            target = self._registry.target(f"heads/{branch}")
            self._look_back(target.id if target else None)
        return self._known.get(bare.id)

    def _look_back(self, id_: str | None) -> None:
        """Note what is on a branch by the id that it would have without bytes."""
        while id_ and id_ not in self._looked_at:
            self._looked_at.add(id_)
            commit = self._registry.load(id_)
            bare = replace(commit, payload=None, external=None)
            self._known.setdefault(bare.id, id_)
            id_ = next(iter(commit.ids("revises")), None)

    def _moves(self, version: Version, id_: str) -> bool:
        """Whether a commit that is here is newer than the branch of its out."""
        if self._history.tips[version.out.path] is not version:
            return False
        return id_ not in self._looked_at

    def _branch(self, path: str) -> str:
        """The branch of an out; one beside it, if that has gone on by itself here."""
        ours = set(self._ids.values())
        for branch in _places(self._kind(path), self._name(path)):
            target = self._registry.target(f"heads/{branch}")
            if target is None or target.id in ours:
                self._branches[path] = branch
                return branch
        message = f"the branch {branch} is not that of {path}"
        hint = "give what is imported names of its own: --prefix project"
        raise Conflict(message, hint=hint)

    def lines(self) -> list[Line]:
        """What came of each out, by its path."""
        count = Counter(version.out.path for version in self._history.versions)
        return [
            Line(
                path,
                self._kind(path),
                self._branches.get(path) or self._standing(path, self._ids[tip]),
                self._ids[tip],
                count[path],
                self._created[path],
                self._absent[path],
            )
            for path, tip in sorted(self._history.tips.items())
        ]

    def _standing(self, path: str, id_: str) -> str:
        """The branch that has a commit of an earlier import."""
        own, beside = _places(self._kind(path), self._name(path))
        target = self._registry.target(f"heads/{beside}")
        return beside if target and target.id == id_ else own


def _places(kind: str, name: str) -> tuple[str, str]:
    """The branch of an out, and the one beside it."""
    own = default_branch(kind, name)
    return own, own + _BESIDE


def _plain(params: Any) -> dict[str, Any]:
    """Parameters as a manifest can hold them; what is no finite number as text."""
    from lineage.integrations.training_facts import clean

    found: dict[str, Any] = clean(dict(params))
    return found
