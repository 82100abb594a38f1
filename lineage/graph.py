"""The drawing of a history: which commits are rows, which are chips under a row.

A seed dataset is everybody's parent; with a rail to it from every row a drawing is
fog. So only generations and models that stand alone are rows (and what was asked
for and nothing else in view uses). Their parts and inputs are chips: named under
the row, without rails. A rail leads to the commit before on the same branch or,
where there is none, to the models that the row's weights and data came from.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from lineage.diff.metrics import comparable
from lineage.history import Entry
from lineage.store.objects import Commit, Edge, Metric

BACK = ("follows", "revises")
_WEIGHTS = ("fine_tuned_from", "merged_from", "distilled_from", "quantized_from")
_WRITTEN = ("generated_by", "distilled_from")
_UNSHOWN = (*BACK, "evaluated_on")  # roles that do not say what a thing is made of
_KIND_ORDER = ("generation", "model", "dataset", "config")
_HEADLINES = ("perplexity", "loss", "accuracy", "bits_per_byte", "distinct_2")
_TREND = 8  # values
_REMEMBERED = 4096  # commits

Load = Callable[[str], Commit]


@dataclass(frozen=True)
class Chip:
    """A part or an input of a row; `share` as its edge has it."""

    id: str
    kind: str
    name: str
    share: Mapping[str, list[int]] | None = None


@dataclass(frozen=True)
class Row:
    """A commit that stands on a line of its own.

    `parents` are the rows that rails lead to; `tip` says that no row above it
    continues its branch.
    """

    entry: Entry
    parents: tuple[str, ...]
    chips: tuple[Chip, ...]
    tip: bool


def remembering(load: Load) -> Load:
    """`load` that reads a commit once, however often it is asked for."""
    return lru_cache(_REMEMBERED)(load)


def unfolded(entries: Iterable[Entry]) -> Iterator[Row]:
    """Every commit as a row, with a rail along every edge."""
    continued: set[str] = set()
    for entry in entries:
        parents = tuple(dict.fromkeys(entry.commit.ids()))
        yield Row(entry, parents, (), entry.id not in continued)
        continued.update(entry.commit.ids(*BACK))


def folded(entries: Iterable[Entry], load: Load) -> Iterator[Row]:
    """The rows among `entries`, which come newest first with all their ancestors."""
    fold = _Fold(load)
    for entry in entries:
        if fold.is_row(entry):
            yield fold.row(entry)
        else:
            fold.hidden.update(entry.commit.ids())


class _Fold:
    """What is known of the commits below while going down a history."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._railed: set[str] = set()  # a rail leads there
        self._continued: set[str] = set()  # a row above comes next on its branch
        self._parts: set[str] = set()  # a generation above includes it
        self.hidden: set[str] = set()  # something above uses it

    def is_row(self, entry: Entry) -> bool:
        if entry.id in self._railed or entry.commit.kind == "generation":
            return True
        if entry.commit.kind == "model":
            return entry.id not in self._parts
        return entry.id not in self.hidden

    def row(self, entry: Entry) -> Row:
        commit = entry.commit
        parents = _rails(commit, self._load)
        row = Row(
            entry,
            parents,
            _chips(commit, parents, self._load),
            entry.id not in self._continued,
        )
        self._railed.update(parents)
        self._continued.update(commit.ids(*BACK))
        self._parts.update(commit.ids("includes"))
        self.hidden.update(commit.ids())
        return row


def _rails(commit: Commit, load: Load) -> tuple[str, ...]:
    """The commits that `commit` is drawn above."""
    back = commit.ids(*BACK)
    if back:
        return tuple(dict.fromkeys((*back, *commit.ids("merged_from"))))
    sources = _sources(commit, load)
    if not sources and commit.kind in ("dataset", "config"):
        return commit.ids("derived_from")
    known = {above for id_ in sources for above in _sources(load(id_), load)}
    return tuple(id_ for id_ in sources if id_ not in known)


def _sources(commit: Commit, load: Load) -> list[str]:
    """The models next to `commit`: of its weights, and through its data or parts."""
    if commit.kind == "generation":
        own = commit.ids("includes")
        through = [id_ for part in own for id_ in _sources(load(part), load)]
        return list(dict.fromkeys(id_ for id_ in through if id_ not in own))
    if commit.kind == "dataset":
        return list(commit.ids(*_WRITTEN))
    data = [load(id_) for id_ in commit.ids("trained_on")]
    writers = [id_ for dataset in data for id_ in dataset.ids(*_WRITTEN)]
    return list(dict.fromkeys((*commit.ids(*_WEIGHTS), *writers)))


def _chips(commit: Commit, rails: Iterable[str], load: Load) -> tuple[Chip, ...]:
    """The parts and direct inputs of a row, and what those were made from."""
    hidden = {*rails, *_models_before(commit, load)}
    direct = [edge for edge in commit.edges if edge.role not in _UNSHOWN]
    deeper = (
        further
        for edge in direct
        if edge.id not in hidden
        for further in load(edge.id).edges
        if further.role not in _UNSHOWN and further.id not in hidden
    )
    found: dict[str, Edge] = {}
    for edge in (*direct, *deeper):
        if edge.id not in hidden and not (edge.id in found and found[edge.id].share):
            found[edge.id] = edge
    chips = [_chip(edge, load(edge.id)) for edge in found.values()]
    return tuple(sorted(chips, key=lambda chip: _KIND_ORDER.index(chip.kind)))


def _models_before(commit: Commit, load: Load) -> Iterator[str]:
    """The models of the generations that `commit` follows: its rails say it."""
    for id_ in commit.ids("follows"):
        yield from (p for p in load(id_).ids("includes") if load(p).kind == "model")


def _chip(edge: Edge, commit: Commit) -> Chip:
    return Chip(edge.id, commit.kind, commit.name, edge.share)


def headlines(metrics: Mapping[str, Metric]) -> list[str]:
    """Names of metrics, the telling ones first: usual ones, then those to improve."""
    usual = [name for name in _HEADLINES if name in metrics]
    rest = sorted(metrics.keys() - usual, key=lambda n: (not metrics[n].direction, n))
    return usual + rest


def trend(commit: Commit, name: str, load: Load) -> list[float]:
    """A metric's values along the branch up to `commit`, oldest first, at most 8.

    It ends where the metric is missing, or means something else.
    """
    values = (metric.value for metric in _same(commit, name, load))
    return list(islice(values, _TREND))[::-1]


def _same(commit: Commit, name: str, load: Load) -> Iterator[Metric]:
    first = commit.metrics[name]
    while True:
        metric = commit.metrics.get(name)
        if metric is None or not comparable(metric, first):
            return
        yield metric
        before = commit.ids(*BACK)
        if not before:
            return
        commit = load(before[0])
