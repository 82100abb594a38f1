"""What is said of commits after they were made: each an event, none an edit."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from lineage.asking import Asking

if TYPE_CHECKING:
    from lineage.loop.reviews.standing import Decision


class Saying(Asking):
    """A registry that is told things, too; each call gives what it recorded."""

    def tag(self, name: str, revision: str = "HEAD", *, message: str = "") -> str:
        """Give a commit a name that never moves; the commit's id.

        Raises:
            NotAllowed: when the name is, or ever was, a tag of another commit.
        """
        from lineage.names_ops import set_tag

        return set_tag(self, name, revision, message=message)

    def branch(
        self,
        name: str,
        revision: str = "HEAD",
        *,
        force: bool = False,
        message: str = "",
    ) -> str:
        """Make a branch, or with `force` move it, to a commit; the commit's id."""
        from lineage.names_ops import set_branch

        return set_branch(self, name, revision, force=force, message=message)

    def undo(self, event: str | None = None, *, message: str = "") -> str:
        """Take back what an event (by default the last that moved names) moved.

        The id of the new event.

        Raises:
            NotAllowed: when a name has moved since.
        """
        from lineage.undo import undo

        return undo(self, event, message=message).event

    def taint(
        self, revision: str, reason: str, *, records: Collection[str] | None = None
    ) -> str:
        """Say that a commit, or some of its records, is bad; the event's id."""
        from lineage.taints import taint

        return taint(self, self.resolve(revision), reason, records)

    def lift(self, event: str, reason: str) -> str:
        """Say that the taint of an event does not hold any more; the new event's id."""
        from lineage.taints import lift, of_event

        return lift(self, of_event(self, event), reason)

    def measure(
        self, revision: str, metrics: Mapping[str, Any], *, message: str = ""
    ) -> str:
        """Attest what was measured of a commit after it was made; the event's id."""
        from lineage.measured import attest
        from lineage.store.objects import Metric

        given = {name: Metric.from_user(value) for name, value in metrics.items()}
        return attest(self, self.resolve(revision), given, message=message).event

    def state(
        self, revision: str, fields: Mapping[str, str | None], *, message: str = ""
    ) -> str:
        """State fields of a report in words (None: not any more); the event's id."""
        from lineage.stated import state

        id_ = self.resolve(revision)
        return state(self, id_, fields, message=message).event

    def release(self, revision: str, environment: str, *, message: str = "") -> str:
        """Say that a commit is live in an environment from now on; the event's id."""
        from lineage.releases import release

        id_ = self.resolve(revision)
        return release(self, id_, environment, message=message).event

    def approve(self, revision: str | None = None, note: str = "") -> "Decision":
        """Let what waits for review go on (without `revision`, the only one)."""
        from lineage.loop.reviews.deciding import decide

        return decide(self, revision, "approve", note)

    def reject(self, revision: str | None = None, note: str = "") -> "Decision":
        """Let what waits for review not go on."""
        from lineage.loop.reviews.deciding import decide

        return decide(self, revision, "reject", note)
