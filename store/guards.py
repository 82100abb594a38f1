"""What no event may do to a name: one place for those who write and those who check.

A tag never moves, and its name is spent when it goes. A protected branch only moves
forward, to a commit that came from its tip along ``follows`` and ``revises``. A move
is judged by the view before it and by what else moves in the same event.
"""

from collections.abc import Iterable, Mapping, Sequence

from lineage.errors import NotAllowed, StoreError
from lineage.store.event_commit import parse_parents
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject, parse_tree
from lineage.store.objects import BACK, Commit, Event
from lineage.store.undone import undoes_meeting
from lineage.store.views import Move, Target, Views


class Guards:
    """Judges the moves of events, before they are written and when they are read."""

    def __init__(self, git: GitRepository, views: Views) -> None:
        self._git = git
        self._views = views

    def check(
        self,
        tip: str | None,
        event: Event,
        moves: Sequence[Move],
        objects: Iterable[GitObject] = (),
    ) -> None:
        """Let `moves` of `event` from the view of `tip` pass; `objects` come with them.

        What a meeting of two logs made of tags may be taken back.

        Raises:
            NotAllowed: when one of them is what its name must not do.
        """
        tags = any(move.ref.startswith(("tags/", "spent/")) for move in moves)
        tags = tags and not undoes_meeting(self._git, event, tip)
        together = {move.ref: move for move in moves}
        fresh = {item.oid: item for item in objects}
        for move in moves:
            space, _, name = move.ref.partition("/")
            if space == "tags" and tags:
                self._check_tag(tip, name, move, together)
            elif space == "spent" and tags and not move.after:
                self._check_unspent(name, move, together)
            elif space == "heads" and self._is_protected(tip, name, together):
                self._check_forward(name, move, fresh)

    def _check_tag(
        self, tip: str | None, name: str, move: Move, together: Mapping[str, Move]
    ) -> None:
        spent = together.get(f"spent/{name}")
        if move.before and move.after and move.before != move.after:
            message = f"the tag {name} names {move.before.id[:12]}"
            raise NotAllowed(message, hint="a tag never moves: choose another name")
        if move.before and not move.after:
            if not (spent and spent.after == move.before):
                message = f"the tag {name} cannot go without spending its name"
                raise NotAllowed(message, hint=f"use `lineage tag -d {name}`")
        elif self._views.lookup(tip, f"spent/{name}") and not spent:
            hint = "names of deleted tags are not used again: choose another"
            raise NotAllowed(f"{name} was a tag once", hint=hint)

    def _check_unspent(
        self, name: str, move: Move, together: Mapping[str, Move]
    ) -> None:
        tag = together.get(f"tags/{name}")
        if not (tag and tag.after == move.before):
            message = f"the spent name {name} can only be a tag of its commit again"
            raise NotAllowed(message, hint="undo the event that deleted the tag")

    def _is_protected(
        self, tip: str | None, name: str, together: Mapping[str, Move]
    ) -> bool:
        """Whether the branch is protected, and stays so through this event."""
        ref = f"protected/{name}"
        if self._views.lookup(tip, ref) is None:
            return False
        return ref not in together or together[ref].after is not None

    def _check_forward(
        self, name: str, move: Move, fresh: Mapping[str, GitObject]
    ) -> None:
        if move.before is None or move.before == move.after:
            return
        if move.after and self._came_from(move.after, move.before, fresh):
            return
        doing = "is not deleted or renamed" if not move.after else "only moves forward"
        hint = f"let it go with `lineage branch --unprotect {name}`"
        raise NotAllowed(f"the branch {name} is protected: it {doing}", hint=hint)

    def _came_from(
        self, new: Target, old: Target, fresh: Mapping[str, GitObject]
    ) -> bool:
        waiting, seen = [new.git], {new.git}
        while waiting:
            oid = waiting.pop()
            if oid == old.git:
                return True
            before = [p for p in self._before(oid, fresh) if p not in seen]
            seen.update(before)
            waiting += before
        return False

    def _before(self, oid: str, fresh: Mapping[str, GitObject]) -> list[str]:
        """The git commits along `BACK`: they are a commit's first parents."""
        commit = self._read(oid, fresh)
        files = parse_tree(self._read(commit[5:45].decode(), fresh))
        manifest = Commit.parse(self._read(files["lineage.json"].oid, fresh))
        return parse_parents(commit)[: len(set(manifest.ids(*BACK)))]

    def _read(self, oid: str, fresh: Mapping[str, GitObject]) -> bytes:
        data = fresh[oid].data if oid in fresh else self._git.blob(oid)
        if data is None:
            raise StoreError(f"the git object {oid} is missing", hint=self._git.mend())
        return data
