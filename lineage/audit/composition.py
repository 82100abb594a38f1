"""What models were trained on, by the origin of the records, and who wrote what.

Only exact counts that the edges record are added up; where one is missing, the sum
is missing as well.
"""

from collections.abc import Iterable, Mapping

from lineage.audit.artifacts import MADE_BY_MODEL
from lineage.audit.model import (
    NOT_PROVIDED,
    Artifact,
    Field,
    Generation,
    Source,
    Training,
    Written,
)


def training(
    model: Artifact, artifacts: Mapping[str, Artifact]
) -> Training | None:
    """What a model was trained on; None for one that is not known to be trained."""
    edges = tuple(e for e in model.sources if e.role == "trained_on")
    if not edges:
        return None
    dataset = edges[0].id if len(edges) == 1 else None
    made_from = _made_from(artifacts[dataset]) if dataset else ()
    sources = made_from or edges
    records, counts = _counted(sources)
    return Training(
        model=model.id,
        dataset=dataset,
        sources=sources,
        records=records,
        counts=counts,
        unaccounted=records - sum(counts.values()) if records and counts else None,
        only=sources[0].origin if len(sources) == 1 else None,
    )


def _made_from(dataset: Artifact) -> tuple[Source, ...]:
    """The sources of a mixed dataset; none for one whose origin is its own."""
    if dataset.origin.get("type", NOT_PROVIDED).value:
        return ()
    if any(edge.role in MADE_BY_MODEL for edge in dataset.sources):
        return ()
    return tuple(edge for edge in dataset.sources if edge.role == "derived_from")


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


def written(dataset: Artifact, turn: Generation | None) -> Written | None:
    """Who wrote a dataset, and how much was kept; None when no model did.

    The counts are metrics of the dataset, or of the generation that it came with.
    """
    by = tuple(edge for edge in dataset.sources if edge.role in MADE_BY_MODEL)
    if not by or dataset.kind != "dataset":
        return None
    return Written(
        dataset=dataset.id,
        generators=by,
        generated=_count("generated", dataset, turn),
        rejected=_count("rejected", dataset, turn),
        kept=_count("kept", dataset, turn),
    )


def _count(name: str, dataset: Artifact, turn: Generation | None) -> Field[float]:
    for metric in (*dataset.metrics, *(turn.metrics if turn else ())):
        if metric.name == name:
            return Field("recorded", metric.value, commit=metric.commit)
    return Field("not provided")
