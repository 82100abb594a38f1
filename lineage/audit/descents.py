"""What the models of a report are made of, through every generation.

The commits of a report are closed under "came from", so the answer is the same as
`lineage trace` gives for each, worked out for all at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from lineage.audit.known import Known
from lineage.audit.model import Artifact, Generator, Hops, MadeOf, Portion
from lineage.descent.ancestry import Ancestry
from lineage.descent.parcels import total
from lineage.descent.paths import Distance, distances
from lineage.descent.roles import RECORDS, WRITING
from lineage.descent.shares import Shares
from lineage.store.objects import Commit

_LONGEST = 128  # bits of a denominator


class Descents:
    """The composition of every model among `commits`, which are in order of recording.

    `proved` are how many records datasets have by the newest statement of their
    Merkle root.
    """

    def __init__(self, commits: Mapping[str, Known], proved: Mapping[str, int]) -> None:
        self._commits = {id_: known.commit for id_, known in commits.items()}
        self._proved = proved
        ancestry = Ancestry(self._commits)
        unit = _unit(self._commits)
        self._shares = Shares(ancestry, unit)
        self._distances = distances(ancestry, self._shares)

    def made_of(self, model: str) -> MadeOf | None:
        """What a model's training data are made of; None where it had none."""
        found = self._shares.compositions.get(model)
        if found is None:
            return None
        return MadeOf(
            model=model,
            unit=self._shares.unit,
            count=self._count(model),
            human=_portion(found.human),
            machine=_portion(found.machine),
            unknown=_portion(found.unknown),
            hops=_hops(self._distances.get(model)),
        )

    def of_parts(self, parts: Sequence[str]) -> MadeOf | None:
        """The same of a generation's model, by its parts; of several, the last."""
        models = [id_ for id_ in parts if self._commits[id_].kind == "model"]
        return self.made_of(models[-1]) if models else None

    def _count(self, id_: str) -> int | None:
        """As `lineage trace` counts: what shares say, or all of the one dataset."""
        commit = self._commits[id_]
        count = total(commit, self._shares.unit)
        if count is None and self._shares.unit == "records":
            count = self._proved.get(id_)
        read = commit.ids(*RECORDS) if commit.kind == "model" else ()
        if count is None and len(read) == 1:
            return self._count(read[0])
        return count


def _unit(commits: Mapping[str, Commit]) -> str:
    """Records, unless only tokens are counted."""
    units = {u for c in commits.values() for edge in c.edges for u in edge.share or ()}
    return "tokens" if units == {"tokens"} else "records"


def _portion(value: Fraction) -> Portion:
    short = value.denominator.bit_length() <= _LONGEST
    exact = f"{value.numerator}/{value.denominator}" if short else None
    return Portion(float(value), exact)


def _hops(found: Distance | None) -> Hops | None:
    return Hops(*found) if found else None


def generators(
    artifacts: Mapping[str, Artifact], descents: Descents
) -> tuple[Generator, ...]:
    """Every model that wrote data of the report, in the order of recording."""
    wrote: dict[str, list[str]] = {}
    for dataset, model in _written(artifacts):
        wrote.setdefault(model, []).append(dataset)
    return tuple(
        Generator(
            model=id_,
            name=made.name,
            root=_root(made),
            wrote=tuple(dict.fromkeys(wrote[id_])),
            made_of=descents.made_of(id_),
        )
        for id_, made in artifacts.items()
        if id_ in wrote
    )


def _written(artifacts: Mapping[str, Artifact]) -> Iterator[tuple[str, str]]:
    """Datasets with the models that wrote them, and models with their teachers."""
    for id_, made in artifacts.items():
        for edge in made.sources:
            if edge.role in WRITING:
                yield id_, edge.id


def _root(made: Artifact) -> str | None:
    held = made.bytes.value or {}
    root = held.get("root") or held.get("digest")
    return str(root) if root else None
