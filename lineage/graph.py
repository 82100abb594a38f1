"""The drawing of a history: which commits are rows, which are chips under a row.

A seed dataset is everybody's parent; with a rail to it from every row a drawing is
fog. So only generations and models that stand alone are rows (and what was asked
for and nothing else in view uses). Their parts and inputs are chips: named under
the row, without rails. A rail leads to the commit before on the same branch or,
where there is none, to the models that the row's weights and data came from.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from lineage.descent.roles import NEITHER, WEIGHTS, WRITING
from lineage.history import Entry
from lineage.measured import metrics
from lineage.registry import Registry
from lineage.store.objects import BACK, Commit, Metric
from lineage.walks import back

_MADE = "derived_from"
_DEPTH = 4  # datasets between two models: mixed, filtered, generated, and one more
KIND_ORDER = ("generation", "model", "dataset", "config")  # as people are told
_HEADLINES = ("perplexity", "loss", "accuracy", "bits_per_byte", "distinct_2")
_TREND = 8  # values

Load = Callable[[str], Commit]


class Chip(NamedTuple):
    """A part or an input of a row, with others of its kind and name behind it.

    `share` is the fraction of the row's training records that came from all of
    them together; None where nobody counted.
    """

    id: str
    kind: str
    name: str
    share: float | None = None
    more: int = 0


class Row(NamedTuple):
    """A commit that stands on a line of its own.

    `parents` are the rows that rails lead to; a `tip` is where a branch ends.
    """

    entry: Entry
    parents: tuple[str, ...]
    chips: tuple[Chip, ...]
    tip: bool


def unfolded(entries: Iterable[Entry]) -> Iterator[Row]:
    """Every commit as a row, with a rail along every edge."""
    continued: set[str] = set()
    for entry in entries:
        parents = tuple(dict.fromkeys(entry.commit.ids()))
        tip = bool(entry.branches) or entry.id not in continued
        yield Row(entry, parents, (), tip)
        continued.update(entry.commit.ids(*BACK))


def folded(entries: Iterable[Entry], registry: Registry) -> Iterator[Row]:
    """The rows among `entries`, which come newest first with all their ancestors."""
    fold = _Fold(registry)
    for entry in entries:
        if fold.is_row(entry):
            yield fold.row(entry)
        else:
            fold.hidden.update(entry.commit.ids())


class _Fold:
    """What is known of the commits below while going down a history."""

    def __init__(self, registry: Registry) -> None:
        self._load = registry.load
        self._ids = registry.ids
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
        tip = bool(entry.branches) or entry.id not in self._continued
        row = Row(entry, parents, self._chips(commit, parents), tip)
        self._railed.update(parents)
        self._continued.update(commit.ids(*BACK))
        self._parts.update(commit.ids("includes"))
        self.hidden.update(commit.ids())
        return row

    def _chips(self, commit: Commit, rails: Iterable[str]) -> tuple[Chip, ...]:
        """By kind and name, the newest first; the order of recording tells."""
        inputs = _inputs(commit, rails, self._load)
        inputs.sort(key=lambda id_: -self._ids.get(id_).number)
        inputs.sort(key=lambda id_: KIND_ORDER.index(self._load(id_).kind))
        groups: dict[tuple[str, str], list[str]] = {}
        for id_ in inputs:
            found = self._load(id_)
            groups.setdefault((found.kind, found.name), []).append(id_)
        shares = _shares(commit, self._load)
        return tuple(_chip(*name, ids, shares) for name, ids in groups.items())


def _rails(commit: Commit, load: Load) -> tuple[str, ...]:
    """The commits that `commit` is drawn above."""
    if before := commit.ids(*BACK):
        return tuple(dict.fromkeys((*before, *commit.ids("merged_from"))))
    sources = _sources(commit, load)
    if not sources and commit.kind in ("dataset", "config"):
        return commit.ids(_MADE)
    known = {above for id_ in sources for above in _sources(load(id_), load)}
    return tuple(id_ for id_ in sources if id_ not in known)


def _sources(commit: Commit, load: Load) -> list[str]:
    """The models next to `commit`: of its weights, and through its data or parts."""
    if commit.kind == "generation":
        own = commit.ids("includes")
        through = [id_ for part in own for id_ in _sources(load(part), load)]
        return list(dict.fromkeys(id_ for id_ in through if id_ not in own))
    data = [commit] if commit.kind == "dataset" else _loaded(commit, "trained_on", load)
    found = list(commit.ids(*WEIGHTS))
    for _ in range(_DEPTH):
        found += [id_ for dataset in data for id_ in dataset.ids(*WRITING)]
        data = [each for dataset in data for each in _loaded(dataset, _MADE, load)]
    return list(dict.fromkeys(found))


def _loaded(commit: Commit, role: str, load: Load) -> list[Commit]:
    return [load(id_) for id_ in commit.ids(role)]


def _inputs(commit: Commit, rails: Iterable[str], load: Load) -> list[str]:
    """The parts and inputs of a row, and what its parts and data were made from."""
    hidden = {*rails, *_models_before(commit, load)}
    found = {edge.id: edge.role for edge in commit.edges if edge.role not in NEITHER}
    for id_, role in list(found.items()):
        below = load(id_)
        if role == "includes" or below.kind == "dataset":
            shown = (edge.id for edge in below.edges if edge.role not in NEITHER)
            found.update(dict.fromkeys(shown, ""))
    return [id_ for id_ in found if id_ not in hidden]


def _models_before(commit: Commit, load: Load) -> Iterator[str]:
    """The models of the generations that `commit` follows: its rails say it."""
    for id_ in commit.ids("follows"):
        yield from (p for p in load(id_).ids("includes") if load(p).kind == "model")


def _shares(commit: Commit, load: Load) -> dict[str, float]:
    """How much of a row's training records each source gave, where it was counted."""
    parts = [commit, *_loaded(commit, "includes", load)]
    edges = [edge for part in parts for edge in part.edges if edge.role == "trained_on"]
    if len(edges) == 1:
        edges = list(load(edges[0].id).edges)
    elif commit.kind == "dataset":
        edges = list(commit.edges)
    return {edge.id: _fraction(edge.share) for edge in edges if edge.share}


def _fraction(share: Mapping[str, list[int]]) -> float:
    part, whole = share.get("records") or next(iter(share.values()))
    return part / whole


def _chip(kind: str, name: str, ids: list[str], shares: Mapping[str, float]) -> Chip:
    known = [shares[id_] for id_ in ids if id_ in shares]
    total = sum(known) if len(known) == len(ids) else None
    return Chip(ids[0], kind, name, total, len(ids) - 1)


def headlines(found: Mapping[str, Metric]) -> list[str]:
    """Names of metrics, the telling ones first: usual ones, then those to improve.

    What somebody measures on purpose comes before what every loop measures, which is
    defined by its own name.
    """
    usual = [name for name in _HEADLINES if name in found]

    def order(name: str) -> tuple[bool, bool, str]:
        metric = found[name]
        return not metric.direction, metric.definition == name, name

    return usual + sorted(found.keys() - usual, key=order)


def trend(registry: Registry, id_: str, name: str) -> list[float]:
    """A metric's values along the branch up to a commit, oldest first, at most 8.

    It ends where the metric is missing, or means something else.
    """
    values = (metric.value for metric in _same(registry, id_, name))
    return list(islice(values, _TREND))[::-1]


def _same(registry: Registry, id_: str, name: str) -> Iterator[Metric]:
    first = metrics(registry, id_)[name]
    for each in back(registry, id_):
        metric = metrics(registry, each).get(name)
        if metric is None or not metric.comparable(first):
            return
        yield metric
