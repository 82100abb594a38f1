"""An evaluation set in a model's training ancestry: what is there, and how it came.

`contamination` reads every dataset that a commit came from and looks for the records
of an evaluation set, exactly or nearly (see `index` for what that means). The set is
held in memory, the training data stream past it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lineage.contamination.ancestry import Ancestry, Step
from lineage.contamination.differing import differing
from lineage.contamination.index import COMMON, KINDS, NEAR, RUN, WHOLE, Index
from lineage.contamination.reading import Found, Look, Looking
from lineage.contamination.words import words
from lineage.errors import UsageError
from lineage.records import rows
from lineage.records.texts import texts
from lineage.registry import Registry
from lineage.store.reading import Progress, unwatched

__all__ = [
    "COMMON",
    "KINDS",
    "NEAR",
    "RUN",
    "WHOLE",
    "Contamination",
    "Hit",
    "Looked",
    "Step",
    "contamination",
]

_SHOWN = 300  # characters of an evaluation record


@dataclass(frozen=True)
class Hit:
    """An evaluation record that training data have, and where it came in.

    `number` and `where` are its place in the evaluation set, `text` its beginning.
    `kind` is one of `KINDS`, `share` the share of its words that are there (for near
    duplicates the Jaccard index). `source` is the dataset in which it appears first,
    `way` leads there from the commit that was asked about. `place` is the training
    record there that is most like it, `records` how many are like it at all,
    `change` in what that one differs, as words. `trained` is false where every dataset
    that a model was trained on, or that was asked about, has been read and has it not:
    it was filtered out before.
    """

    number: int
    where: str
    text: str
    kind: str
    share: float
    source: str
    way: tuple[Step, ...]
    place: str
    records: int
    change: str
    trained: bool


@dataclass(frozen=True)
class Looked:
    """A dataset that was read: so many records, so many evaluation records found.

    `wrong` says what of it could not be read, and why.
    """

    id: str
    name: str
    records: int
    found: int
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Contamination:
    """What of the evaluation set `against` is in the training ancestry of `id`.

    Of its `records`, `wordless` have no words to look for. `untold` are models of which
    nothing says what they were trained on, `absent` commits that are not here.
    """

    id: str
    against: str
    records: int
    wordless: int
    hits: tuple[Hit, ...]
    looked: tuple[Looked, ...]
    untold: tuple[str, ...]
    absent: tuple[str, ...]

    @cached_property
    def strongest(self) -> Mapping[int, str]:
        """By number of the evaluation record the strongest kind that was found."""
        found: dict[int, str] = {}
        for hit in self.hits:
            kinds = hit.kind, found.get(hit.number, hit.kind)
            found[hit.number] = min(kinds, key=KINDS.index)
        return found


def contamination(
    registry: Registry,
    revision: str,
    against: str,
    *,
    column: str | None = None,
    progress: Progress = unwatched,
) -> Contamination:
    """Look for the evaluation set `against` in all that `revision` was trained on.

    Args:
        registry: where both are.
        revision: a model, a generation or a dataset.
        against: the dataset of evaluation records.
        column: the column that holds their text (see `lineage.records.texts`).
        progress: gets numbers of bytes.

    Raises:
        UsageError: `against` is no dataset, or no column can be chosen.
        LineageError: the evaluation set cannot be read, or numpy is missing.
    """
    id_, set_ = registry.resolve(revision), registry.resolve(against)
    if registry.load(set_).kind != "dataset":
        message = f"{set_[:12]} is a {registry.load(set_).kind}, not a dataset"
        raise UsageError(message, hint="--against takes what models are evaluated on")
    records = [
        _Record(row.number, row.where, text[:_SHOWN], tuple(words(text)))
        for row, text in texts(rows(registry, set_, progress=progress), column)
    ]
    ancestry = Ancestry.of(registry, id_)
    looking = Looking(registry, Index([r.words for r in records]), column, progress)
    looks = {dataset: looking.dataset(dataset) for dataset in ancestry.datasets}
    return Contamination(
        id_,
        set_,
        len(records),
        sum(not record.words for record in records),
        tuple(_hits(ancestry, looks, records)),
        tuple(
            Looked(dataset, ancestry.commits[dataset].name, look.records,
                   len(look.found), tuple(look.wrong))
            for dataset, look in looks.items()
        ),
        tuple(ancestry.untold),
        tuple(sorted(ancestry.absent)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Record:
    """An evaluation record: its place, the beginning of its text, its words."""

    number: int
    where: str
    text: str
    words: tuple[str, ...]


def _hits(
    ancestry: Ancestry, looks: Mapping[str, Look], records: Sequence[_Record]
) -> Iterator[Hit]:
    """Each evaluation record with each dataset in which it appears first."""
    above = {d: ancestry.above(d) for d, look in looks.items() if look.found}
    read = {d: {d, *ancestry.above(d)} for d in ancestry.read}
    blind = {d for d, look in looks.items() if look.wrong}
    ways: dict[tuple[str, frozenset[str]], tuple[Step, ...]] = {}
    for number, record in enumerate(records):
        there = {d: looks[d].found[number] for d in above if number in looks[d].found}
        having = frozenset(there)
        for source in _first(there, above):
            key = source, having
            if key not in ways:
                ways[key] = ancestry.way(source, having)
            ends = {d for d, came_from in read.items() if source in came_from}
            trained = not ends.isdisjoint(having | blind)
            yield _hit(record, source, ways[key], there[source], trained=trained)


def _first(there: Mapping[str, Found], above: Mapping[str, set[str]]) -> list[str]:
    """The datasets that have a record and came from none that has as much of it."""
    ranks = {d: KINDS.index(found.match.kind) for d, found in there.items()}
    return [
        d
        for d in there
        if not any(o in above[d] and ranks[o] <= ranks[d] for o in there)
    ]


def _hit(
    record: _Record, source: str, way: tuple[Step, ...], found: Found, *, trained: bool
) -> Hit:
    match = found.match
    return Hit(
        record.number,
        record.where,
        record.text,
        match.kind,
        match.share,
        source,
        way,
        found.passage.where,
        found.records,
        differing(record.words, found.passage.text.split()),
        trained,
    )
