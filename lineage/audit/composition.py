"""What models were trained on, by the origin of the records, and who wrote what.

Only exact counts that the edges record are added up; where one is missing, the sum
is missing as well.
"""

from collections.abc import Iterable, Mapping

from lineage.audit.model import (
    Artifact,
    Field,
    Generation,
    Source,
    Training,
    Written,
)
from lineage.descent.roles import WRITING


def training(artifacts: Mapping[str, Artifact]) -> tuple[Training, ...]:
    """What each model was trained on, as far as edges say so."""
    found = (_training(made, artifacts) for made in artifacts.values())
    return tuple(model for model in found if model)


def _training(model: Artifact, artifacts: Mapping[str, Artifact]) -> Training | None:
    sources = [edge for edge in model.sources if edge.role == "trained_on"]
    if not sources:
        return None
    made, role = model.id, "trained_on"
    mixed = _made_from(artifacts[sources[0].id]) if len(sources) == 1 else []
    if mixed:
        made, role, sources = sources[0].id, "derived_from", mixed
    records, counts = _counted(sources)
    unaccounted = records - sum(counts.values()) if records and counts else None
    return Training(model.id, made, role, records, counts, unaccounted)


def _made_from(dataset: Artifact) -> list[Source]:
    """The sources of a mixed dataset; none for one whose origin is its own."""
    said = dataset.origin.get("type")
    by_model = any(edge.role in WRITING for edge in dataset.sources)
    if by_model or (said and said.value):
        return []
    return [edge for edge in dataset.sources if edge.role == "derived_from"]


def _counted(sources: Iterable[Source]) -> tuple[int | None, dict[str, int] | None]:
    """The total that all sources agree on, and its parts by origin."""
    totals: set[int] = set()
    counts: dict[str, int] = {}
    for source in sources:
        share = source.share and source.share.value
        pair = share.get("records") if share else None
        if pair is None:
            return None, None
        totals.add(pair[1])
        origin = source.origin or "unknown"
        counts[origin] = counts.get(origin, 0) + pair[0]
    if len(totals) != 1 or sum(counts.values()) > max(totals):
        return None, None
    return totals.pop(), counts


def written(
    artifacts: Mapping[str, Artifact], generations: Iterable[Generation]
) -> tuple[Written, ...]:
    """Who wrote each dataset that a model wrote, and how much of it was kept.

    The counts are metrics of the dataset, or of the generation that it came with.
    Where another one holds what was kept of a dataset, that one speaks for both.
    """
    by = {id_: _writers(made) for id_, made in artifacts.items()}
    filtered = {
        edge.id
        for id_, writers in by.items()
        for edge in artifacts[id_].sources
        if writers and edge.role == "derived_from" and by[edge.id] == writers
    }
    came_with: dict[str, Generation] = {}
    for turn in generations:
        for part in turn.parts:
            came_with.setdefault(part.id, turn)
    return tuple(
        _written(made, came_with.get(id_))
        for id_, made in artifacts.items()
        if by[id_] and id_ not in filtered
    )


def _writers(made: Artifact) -> set[str]:
    if made.kind != "dataset":
        return set()
    return {edge.id for edge in made.sources if edge.role in WRITING}


def _written(dataset: Artifact, turn: Generation | None) -> Written:
    return Written(
        dataset=dataset.id,
        generators=tuple(e for e in dataset.sources if e.role in WRITING),
        generated=_count("generated", dataset, turn),
        rejected=_count("rejected", dataset, turn),
        kept=_count("kept", dataset, turn),
    )


def _count(name: str, dataset: Artifact, turn: Generation | None) -> Field[float]:
    for metric in (*dataset.metrics, *(turn.metrics if turn else ())):
        if metric.name == name:
            return Field("recorded", metric.value, commit=metric.commit)
    return Field("not provided")
