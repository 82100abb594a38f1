"""What a registry is asked: each question in one call, answered by its own module."""

from pathlib import Path
from typing import TYPE_CHECKING

from lineage.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.audit.model import Report
    from lineage.blame.result import Blame
    from lineage.descent.impact import Impact
    from lineage.descent.trace import Trace
    from lineage.diff import Diff
    from lineage.history import Entry
    from lineage.store.objects import Event
    from lineage.store.reading import Progress
    from lineage.taints import Taint
    from lineage.verify import Verified


class Asking(Registry):
    """A registry that answers; revisions are what docs/revisions.md says."""

    def entry(self, revision: str = "HEAD") -> "Entry":
        """A commit with its first event and its names."""
        from lineage.history import Names, entry

        return entry(self, self.resolve(revision), Names.of(self))

    def log(self, *revsets: str, kind: str | None = None) -> "Iterator[Entry]":
        """What came from what, newest first: histories of commits, or sets.

        A revset that means one commit (by default HEAD) is all that it came from; one
        with operators, ranges or functions is exactly the set. `kind` lets only
        commits of that kind through. They are read as they are asked for.

        Raises:
            NotFound, UsageError: for a revset that means nothing.
        """
        from lineage.scope import filtered, scope
        from lineage.search import Filters

        return filtered(self, scope(self, revsets), Filters(kind=kind))

    def events(self) -> "Iterator[tuple[str, Event]]":
        """All events with their ids, newest first."""
        log = self.events_log.iterate()
        return ((logged.event.id, logged.event) for logged in log)

    def children(self, revision: str = "HEAD") -> list[str]:
        """The ids of the commits that have an edge to one, the oldest first."""
        from lineage.search import children

        found = children(self, [self.resolve(revision)])
        return sorted(found, key=lambda id_: self.ids.get(id_).number)

    def diff(self, a: str, b: str | None = None, *only: str) -> "Diff":
        """What changed from `a` to `b`; without `b`, from the one before `a` to `a`.

        `only` are sections of `lineage.diff.SECTIONS`, by default all.
        """
        from lineage.diff import SECTIONS, before, diff

        pair = (before(self, a), a) if b is None else (a, b)
        return diff(self, *pair, only or SECTIONS)

    def trace(self, revision: str = "HEAD") -> "Trace":
        """What a commit is made of: sources and shares, through every generation."""
        from lineage.descent.trace import trace

        return trace(self, revision)

    def impact(
        self, revision: str = "HEAD", *, unit: str = "records", limit: int | None = None
    ) -> "Impact":
        """What a commit reached, with its dose; `limit` commits are described."""
        from lineage.descent.impact import impact

        return impact(self, self.resolve(revision), unit=unit, limit=limit)

    def blame(self, revision: str, record: str) -> "Blame":
        """Where a record of a dataset comes from (see `lineage.blame`)."""
        from lineage.blame import blame

        return blame(self, revision, record)

    def taints(self) -> "list[Taint]":
        """Every taint, lifted ones too, the newest last."""
        from lineage.taints import taints

        return taints(self)

    def report(self, revision: str = "HEAD") -> "Report":
        """All that is recorded of a commit, and what is not (see `lineage.audit`)."""
        from lineage.audit.report import report

        return report(self, revision)

    def verify(self, *revsets: str) -> "Verified":
        """Check commits, or all of them and the log, down to the bytes."""
        from lineage.verify import verify

        return verify(self, revsets)

    def get(
        self,
        revision: str,
        dest: str | Path,
        *,
        force: bool = False,
        without_erased: bool = False,
        progress: "Progress | None" = None,
    ) -> Path:
        """Write the files of `revision` to `dest` (see `lineage.checkout`)."""
        from lineage.checkout import get

        chosen = {"force": force, "without_erased": without_erased}
        return get(self, revision, dest, progress=progress, **chosen)
