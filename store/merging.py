"""Two logs that went apart meet: one view from three, by rules that anybody can redo.

What only one side changed is what that side made of it. Where both did, the later
version stands; else a branch is kept twice, and the tag that was made here takes
another name. The outcome depends on nothing but the views of the events and the name
of the remote: `replay` makes it again and compares. FORMAT.md has the rules.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from lineage.errors import StoreError
from lineage.store.canonical import digest
from lineage.store.git import GitRepository
from lineage.store.git_graph import merge_bases
from lineage.store.names import encode
from lineage.store.succession import descends, later
from lineage.store.views import Move, Target, Views

PULL = "pull"  # the type of the event in which two logs meet
_TAGS = ("tags", "spent")
_DIGITS = 8
_LONGEST = 250  # bytes of an encoded name: git locks it as a file NAME.lock

Value = str | None
"""The git oid that a name has, or None where it is not."""


@dataclass
class Merged:
    """What a meeting makes of our view.

    `doubled` says which branches are kept twice, and how the other one is called;
    `renamed` which tags of ours have another name now; `left` are commits of the other
    side that no name has any more.
    """

    moves: list[Move] = field(default_factory=list)
    doubled: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


class _Tag(NamedTuple):
    """What became of a tag: ``tags`` or ``spent``, and its git oid."""

    space: str
    oid: str


def meet(git: GitRepository, ours: str, theirs: str, remote: str) -> Merged | None:
    """How the logs of two events meet, or None where they have no event in common."""
    found = merge_bases(git, ours, theirs)
    return _Meeting(git, found, ours, theirs, remote).merged() if found else None


class _Meeting:
    def __init__(
        self,
        git: GitRepository,
        bases: Sequence[str],
        ours: str,
        theirs: str,
        remote: str,
    ) -> None:
        self._git = git
        self._views = Views(git)
        self._ours = ours
        self._remote = remote
        self._differing = self._views.differing([*bases, ours, theirs])
        self._outcome: dict[str, Value] = {}
        self._result = Merged()

    def merged(self) -> Merged:
        refs = sorted(
            self._differing, key=lambda ref: (_space(ref) != "protected", ref)
        )
        clashes = [ref for ref in refs if self._settle(ref)]
        tags = {_name(ref) for ref in self._differing if _space(ref) in _TAGS}
        for name in sorted(tags):
            self._settle_tag(name)
        for ref in clashes:
            self._keep_both(ref)
        self._result.moves = list(self._moves())
        return self._result

    def _settle(self, ref: str) -> bool:
        """Decide on a name that is no tag's; whether it is to be kept twice."""
        space = _space(ref)
        if space in _TAGS:
            return False
        *bases, ours, theirs = self._differing[ref]
        one_sided = (ours in bases) != (theirs in bases)
        if ours == theirs or (one_sided and not self._protected(ref)):
            self._outcome[ref] = theirs if ours in bases else ours
        elif ours is None or theirs is None:
            self._outcome[ref] = ours or theirs
        else:
            return self._settle_two(ref, ours, theirs)
        return False

    def _settle_two(self, ref: str, ours: str, theirs: str) -> bool:
        newest = later(self._git, ours, theirs)
        self._outcome[ref] = newest or ours
        if newest is None and _space(ref) != "heads":
            self._result.left.append(theirs)
        return newest is None and _space(ref) == "heads"

    def _protected(self, ref: str) -> bool:
        """Whether a name is a branch that only moves forward, as of this meeting."""
        space, _, name = ref.partition("/")
        return space == "heads" and self._now(f"protected/{name}") is not None

    def _keep_both(self, ref: str) -> None:
        """Give what the other side has a name beside ours."""
        theirs = self._differing[ref][-1]
        assert theirs is not None
        for other in _beside(ref, self._remote):
            present = self._now(other)
            if present is None or descends(self._git, theirs, present):
                self._outcome[other] = theirs
            elif not descends(self._git, present, theirs):
                continue
            self._result.doubled[_name(ref)] = _name(other)
            return

    def _now(self, ref: str) -> Value:
        """What a name has as far as it is decided."""
        if ref in self._outcome:
            return self._outcome[ref]
        return self._views.lookup(self._ours, ref)

    def _settle_tag(self, name: str) -> None:
        *bases, ours, theirs = self._states(name)
        if ours == theirs or (ours in bases) != (theirs in bases):
            self._put(name, theirs if ours in bases else ours)
        elif ours is None or theirs is None:
            self._put(name, ours or theirs)
        elif ours.oid == theirs.oid:
            self._put(name, _Tag("spent", ours.oid))
        else:
            self._put(name, theirs)
            self._rename(name, ours)

    def _rename(self, name: str, ours: _Tag) -> None:
        """The tag of the other side keeps the name; ours adds its commit's id."""
        id_ = self._target(ours.oid).id
        for digits in range(_DIGITS, len(id_) + 1):
            other = f"{name}@{id_[:digits]}"
            taken = [self._now(f"{space}/{other}") for space in _TAGS]
            if not any(taken) or taken[_TAGS.index(ours.space)] == ours.oid:
                self._put(other, ours)
                self._result.renamed[name] = other
                return

    def _states(self, name: str) -> list[_Tag | None]:
        """A tag in all the views: named, deleted, or not there."""
        named, spent = (self._values(f"{space}/{name}") for space in _TAGS)
        return [
            _Tag("tags", one) if one else _Tag("spent", other) if other else None
            for one, other in zip(named, spent, strict=True)
        ]

    def _values(self, ref: str) -> list[Value]:
        if ref in self._differing:
            return self._differing[ref]
        width = len(next(iter(self._differing.values())))
        return [self._views.lookup(self._ours, ref)] * width

    def _put(self, name: str, state: _Tag | None) -> None:
        for space in _TAGS:
            here = state is not None and state.space == space
            self._outcome[f"{space}/{name}"] = state.oid if state and here else None

    def _moves(self) -> Iterator[Move]:
        """From our view to the outcome; what a later version replaces is kept by it."""
        after = set(filter(None, self._outcome.values()))
        for ref, oid in sorted(self._outcome.items()):
            before = self._values(ref)[-2]
            if oid == before:
                continue
            kept = before in after or bool(
                before and oid and descends(self._git, oid, before)
            )
            yield Move(ref, self._maybe(before), self._maybe(oid), kept=kept)

    def _maybe(self, oid: Value) -> Target | None:
        return self._target(oid) if oid else None

    def _target(self, oid: str) -> Target:
        manifest = self._git.blob(f"{oid}:lineage.json")
        if manifest is None:
            raise StoreError(f"the git commit {oid} is missing", hint=self._git.mend())
        return Target(digest(manifest), oid)


def _beside(ref: str, remote: str) -> Iterator[str]:
    """Names for the other side's branch: ``x@origin``, then ``x@origin.2``, ``.3``."""
    stem = re.sub(rf"@{re.escape(remote)}(\.\d+)?\Z", "", ref)
    yield _fitting(stem, f"@{remote}")
    for number in count(2):
        yield _fitting(stem, f"@{remote}.{number}")


def _fitting(ref: str, mark: str) -> str:
    """A name with a mark, cut before it as far as git needs."""
    space, _, name = ref.partition("/")
    while name and len(encode(name + mark)) > _LONGEST:
        name = name[:-1]
    return f"{space}/{name}{mark}"


def _space(ref: str) -> str:
    return ref.partition("/")[0]


def _name(ref: str) -> str:
    return ref.partition("/")[2]
