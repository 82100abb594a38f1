"""The history of a DVC repository: every version of every out, with what it came from.

A version begins with the git commit in which an out differs from the first parent's,
unless another parent of a merge has it already. So what is found depends on that commit
alone, and is found again the same however much history has come after it.
"""

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from lineage.errors import LineageError, NotFound
from lineage.integrations.dvc.files import (
    Making,
    Out,
    Pipeline,
    locked_outs,
    outs_of,
    pipeline_of,
)
from lineage.loop.spec.yaml_file import parse_yaml
from lineage.store.git import GitRepository

_ABSENT = "0" * 40
_CONFIG = ".dvc/config"  # where it is, is a repository of DVC's
_FILES = ("**/*.dvc", "**/dvc.lock", "**/dvc.yaml", f"**/{_CONFIG}")


@dataclass(slots=True, eq=False)
class Version:
    """One state of an out, first seen in the git commit `rev`.

    `before` is the state that it took the place of, `made_from` are the outs that its
    stage read. `measured` are the metrics that the pipeline left beside it.
    """

    out: Out
    rev: str
    before: "Version | None"
    made_from: list["Version"] = field(default_factory=list)
    tested_on: list["Version"] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def names(self) -> "list[Version]":
        """All that its commit has edges to."""
        before = [self.before] if self.before else []
        return [*before, *self.made_from, *self.tested_on]


@dataclass(slots=True)
class History:
    """All versions, each after those that it names; `tips` are those of now.

    What was deleted on the way has its last version among them, too. `apart` are the
    folders below that are DVC repositories of their own: what they keep is not here.
    """

    head: str
    versions: list[Version]
    tips: dict[str, Version]
    unread: list[str]
    apart: list[str]


class _Turn(NamedTuple):
    """What one git commit has of DVC's files, and of outs."""

    files: dict[str, str]
    outs: dict[str, Version]


def read(git: GitRepository, root: Path, rev: str) -> History:
    """The history up to `rev` of the DVC repository at `root`, which `git` tracks.

    Raises:
        NotFound: when there is no such revision.
    """
    return _Reading(git, root.relative_to(git.root).as_posix()).history(rev)


class _Reading:
    def __init__(self, git: GitRepository, prefix: str) -> None:
        self._git = git
        self._prefix = "" if prefix == "." else f"{prefix}/"
        self._versions: list[Version] = []
        self._known: dict[tuple[str, str], Version] = {}
        self._read: dict[tuple[str, str], Any] = {}
        self._unread: dict[str, None] = {}

    def history(self, rev: str) -> History:
        try:
            asked = ("rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}")
            head = self._git.run(*asked).decode().strip()
        except LineageError:
            message = f"{self._git.root} has no revision {rev}"
            raise NotFound(message, hint="--rev takes what git does") from None
        turns: dict[str, _Turn] = {}
        last = _Turn({}, {})
        tips: dict[str, Version] = {}
        for commit, parents, changed in self._changes(head):
            befores = [turns[p] for p in parents if p in turns]
            last = turns[commit] = self._turn(commit, befores, changed)
            tips |= last.outs
        before = {version: version.names for version in self._versions}
        ordered = [*TopologicalSorter(before).static_order()]
        apart = [
            folder.removeprefix(self._prefix) for folder in self._apart(last.files)
        ]
        return History(head, ordered, tips | last.outs, [*self._unread], apart)

    def _changes(self, head: str) -> Iterator[tuple[str, list[str], dict[str, str]]]:
        """Commits that touch DVC's files, oldest first, with what they changed."""
        where = [f":(top,glob){self._prefix}{name}" for name in _FILES]
        asked = ("rev-list", "--reverse", "--topo-order", "--parents", head, "--")
        lines = self._git.run(*asked, *where).decode().splitlines()
        firsts = "".join(f"{' '.join(line.split()[:2])}\n" for line in lines)
        diff = ("diff-tree", "--stdin", "--root", "-r", "-z", "--no-renames", "--")
        said = self._git.run(*diff, *where, data=firsts.encode()) if lines else b""
        changed = _parsed(said)
        for line in lines:
            commit, *parents = line.split()
            yield commit, parents, changed.get(commit, {})

    def _turn(
        self, commit: str, befores: list[_Turn], changed: dict[str, str]
    ) -> _Turn:
        files = dict(befores[0].files if befores else {})
        for path, oid in changed.items():
            files.pop(path, None)
            if oid != _ABSENT:
                files[path] = oid
        apart = tuple(f"{folder}/" for folder in self._apart(files))
        own = {path: o for path, o in files.items() if not path.startswith(apart)}
        outs = list(self._outs(own))
        made = _Making(self, commit, outs, [before.outs for before in befores])
        paths = sorted({out.path for out in outs if out.cached})
        return _Turn(files, {path: made.version(path) for path in paths})

    def _apart(self, files: Iterable[str]) -> list[str]:
        """The folders that are DVC repositories of their own, below this one."""
        own = f"{self._prefix}{_CONFIG}"
        found = (p for p in files if p.endswith(f"/{_CONFIG}") and p != own)
        return sorted(posixpath.dirname(posixpath.dirname(path)) for path in found)

    def _outs(self, files: dict[str, str]) -> Iterator[Out]:
        for path, oid in files.items():
            inside = path.removeprefix(self._prefix)
            if path.endswith(".dvc"):
                yield from outs_of(inside, self._document(path, oid))
            elif posixpath.basename(path) == "dvc.lock":
                beside = posixpath.join(posixpath.dirname(path), "dvc.yaml")
                pipeline = Pipeline()
                if beside in files:
                    data = self._document(beside, files[beside])
                    pipeline = pipeline_of(inside, data)
                yield from locked_outs(inside, self._document(path, oid), pipeline)

    def _document(self, path: str, oid: str) -> Any:
        """A YAML file of git; None, and noted, where it is none."""
        if (path, oid) not in self._read:
            try:
                found = parse_yaml(self._git.blob(oid) or b"", Path(path))
            except LineageError:
                self._unread[path] = None
                found = None
            self._read[path, oid] = found
        return self._read[path, oid]

    def add(self, version: Version) -> None:
        self._versions.append(version)
        self._known[version.out.path, version.out.digest] = version

    def digested(self, path: str, digest: str) -> Version | None:
        """The newest version of an out that has a digest."""
        return self._known.get((path, digest))

    def numbers(self, commit: str, path: str) -> dict[str, float]:
        """The numbers in a metrics file that git tracks, by their dotted names."""
        data = self._git.blob(f"{commit}:{self._prefix}{path}")
        if data is None:
            return {}
        try:
            return dict(_numbers(parse_yaml(data, Path(path))))
        except LineageError:
            self._unread[path] = None
            return {}


class _Making:
    """The versions of one git commit, each made when another needs it."""

    def __init__(
        self,
        reading: _Reading,
        commit: str,
        outs: list[Out],
        befores: list[dict[str, Version]],
    ) -> None:
        self._reading = reading
        self._commit = commit
        self._found = {out.path: out for out in outs if out.cached}
        self._stages = {id(out.making): out.making for out in outs}
        self._befores = befores
        self._made: dict[str, Version] = {}
        self._open: set[str] = set()  # those whose inputs are being found

    def version(self, path: str) -> Version:
        if path not in self._made:
            out = self._found[path]
            same = (b[path] for b in self._befores if path in b and b[path].out == out)
            inherited = next(same, None)
            self._made[path] = inherited or self._new(out)
        return self._made[path]

    def _new(self, out: Out) -> Version:
        before = self._befores[0].get(out.path) if self._befores else None
        version = self._made[out.path] = Version(out, self._commit, before)
        self._open.add(out.path)
        version.made_from = list(self._inputs(out.making))
        self._open.remove(out.path)
        self._reading.add(version)
        for making in self._measuring(out):
            for path in making.metrics:
                version.measured |= self._reading.numbers(self._commit, path)
            if making != out.making:
                tested = (v for v in self._inputs(making) if not _is_of(v, version))
                version.tested_on += tested
        return version

    def _measuring(self, out: Out) -> list[Making]:
        """The stages whose metrics speak of an out: its own, and those that read it."""
        return [
            making
            for making in self._stages.values()
            if making.metrics
            and (making == out.making or making.deps.get(out.path) == out.digest)
        ]

    def _inputs(self, making: Making) -> Iterator[Version]:
        """The versions of what a stage read, by the digests that it noted."""
        for path, digest in making.deps.items():
            for each in self._near(path):
                found = self.version(each)
                if each == path and digest and found.out.digest != digest:
                    if earlier := self._reading.digested(each, digest):
                        yield earlier
                else:
                    yield found

    def _near(self, path: str) -> list[str]:
        """The outs at a path, in a folder of that path, or around it."""
        return [
            each
            for each in sorted(self._found)
            if each not in self._open  # a stage cannot have read what it was to write
            and (
                each == path
                or each.startswith(f"{path}/")
                or path.startswith(f"{each}/")
            )
        ]


def _is_of(version: Version, other: Version) -> bool:
    """Whether a version is another one, or came from it."""
    seen, ahead = {version}, [version]
    while ahead:
        for each in ahead.pop().names:
            if each not in seen:
                seen.add(each)
                ahead.append(each)
    return other in seen


def _parsed(said: bytes) -> dict[str, dict[str, str]]:
    """What ``git diff-tree -z`` printed: by commit, the new oid of each path."""
    found: dict[str, dict[str, str]] = {}
    words = iter(said.split(b"\0"))
    commit = ""
    for word in words:
        if word.startswith(b":"):
            path = next(words).decode(errors="surrogateescape")
            found.setdefault(commit, {})[path] = word.split()[3].decode()
        elif word:
            commit = word.decode()
    return found


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, int | float) and name and isfinite(value):
        yield from () if isinstance(value, bool) else [(name, value)]
