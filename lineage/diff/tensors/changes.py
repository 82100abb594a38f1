"""What became of the tensors of a model, as data."""

from dataclasses import dataclass

from lineage.diff.settings import Change
from lineage.diff.tensors.modules import Place, place
from lineage.diff.tensors.ranks import Rank
from lineage.diff.tensors.sums import Sums


@dataclass(frozen=True)
class Form:
    """How a tensor is stored."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class TensorChange:
    """One tensor that differs; `a` or `b` is None where it is missing.

    `was` is its old name where that is another one, `twin` a tensor of its own side
    with the same bytes (tied weights). `sums` compare the values; None where every
    byte is the same, or nothing could be subtracted. `rows` are how many leading ones
    were compared, of shapes that differ.
    """

    name: str
    a: Form | None
    b: Form | None
    was: str | None = None
    twin: str | None = None
    sums: Sums | None = None
    rows: int | None = None
    rank: Rank | None = None
    same: bool = False

    @property
    def change(self) -> str:
        """What happened: the first that applies; what was renamed may have changed.

        ``added``, ``removed``, ``reshaped``, ``retyped``, ``changed``, ``renamed``,
        ``same``.
        """
        if self.a is None or self.b is None:
            return "removed" if self.a else "added"
        if self.a.shape != self.b.shape:
            return "reshaped"
        if self.a.dtype != self.b.dtype:
            return "retyped"
        if not self.same:
            return "changed"
        return "renamed" if self.was else "same"

    @property
    def moved(self) -> bool:
        """Whether it is on both sides, with other values."""
        if not (self.a and self.b) or self.same:
            return False
        return self.sums is None or self.sums.differ > 0

    @property
    def cast(self) -> bool:
        """Whether it only got another dtype: each value is kept, or rounded to it."""
        numbers = self.sums
        if self.change != "retyped" or numbers is None:
            return False
        return numbers.count == numbers.kept

    @property
    def changed(self) -> bool:
        """Whether it has other values, beside a cast."""
        return self.moved and not self.cast

    @property
    def place(self) -> Place:
        """Where in the model it belongs."""
        return place(self.name)


@dataclass(frozen=True)
class Group:
    """Tensors of one kind in layers that follow on each other.

    `layers` are the first and the last (None: in no layer), `stack` is what comes
    before their numbers. Of `total` tensors `changed` have other values, beside a
    cast, and `sums` are of all those together.
    """

    stack: str
    layers: tuple[int, int] | None
    kind: str
    total: int
    changed: int
    sums: Sums


@dataclass(frozen=True)
class Verdict:
    """What sort of change it is, and of what.

    `what` is one of

    - ``same values``: whatever differs, no value of a tensor that both have does;
    - ``cast``: to another dtype of `dtypes`, with no other change;
    - ``low rank``: of a rank up to `rank`, in `modules`, as a merged LoRA has it;
    - ``last layers``: in the last ones, `layers` of how many, and after them;
    - ``all``: nearly every tensor; ``anew``: so, and nothing of the layers is alike;
    - ``part``: anything else;
    - ``nothing in common``: no tensor is on both sides.

    Of `total` tensors on both sides `changed` have other values, beside a cast.
    `beside` are kinds that changed otherwise, `frozen` those of which nothing did.
    """

    what: str
    changed: int
    total: int
    dtypes: tuple[str, str] | None = None
    layers: tuple[int, int] | None = None
    rank: int | None = None
    modules: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()


@dataclass(frozen=True)
class TensorChanges:
    """The tensors of one pair of commits that differ, those that moved most first.

    `facts` are what files say beside their tensors, where that differs.
    """

    label: str
    changes: tuple[TensorChange, ...]
    groups: tuple[Group, ...]
    verdict: Verdict
    facts: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.changes or self.facts)

    @property
    def wild(self) -> int:
        """How many of the new tensors hold what is no number, more than the old."""
        sums = (change.sums for change in self.changes if change.sums)
        return sum(s.nan[1] + s.inf[1] > s.nan[0] + s.inf[0] for s in sums)

    @property
    def sums(self) -> Sums:
        """The sums of all tensors that have changed, together."""
        total = Sums()
        for change in self.changes:
            if change.changed and change.sums:
                total.add(change.sums)
        return total

    @property
    def cast(self) -> bool:
        """Whether all tensors on both sides got one other dtype."""
        forms = [(c.a.dtype, c.b.dtype) for c in self.changes if c.a and c.b]
        one = len({*forms}) == 1 and len(forms) == self.verdict.total
        return one and forms[0][0] != forms[0][1]

    @property
    def beginning(self) -> tuple[str, str] | None:
        """What all renamed tensors began with, and do now; None if not the same."""
        found = {_beginnings(c.was, c.name) for c in self.changes if c.was}
        return found.pop() if len(found) == 1 else None


def _beginnings(old: str, new: str) -> tuple[str, str]:
    """What two names have before the end that they share."""
    parts = [name.split(".") for name in (old, new)]
    while all(len(each) > 0 for each in parts) and parts[0][-1] == parts[1][-1]:
        for each in parts:
            each.pop()
    before, after = (".".join([*each, ""]) for each in parts)
    return before.lstrip("."), after.lstrip(".")
