"""Facts: data, where they come from, who wrote them, how they were prepared."""

from collections import Counter

from lineage.audit.model import Field, MadeOf, Portion
from lineage.audit.obligations.scope import (
    Found,
    Scope,
    joined,
    named,
    of,
    recorded,
)
from lineage.audit.words import amount
from lineage.wording import percent, spaced

_SELECTS = ("derived_from", "selected_by", "rewarded_by")
_PREPARING = ("mixing", "selection", "dataset")


def training_data(scope: Scope) -> Found:
    """The data that the models were trained on, and what these were mixed from."""
    for made, edge in scope.learned_from:
        share = edge.share.value if edge.share and edge.share.value else {}
        parts = [f"{a:,} of {b:,} {unit}" for unit, (a, b) in share.items()]
        size = (scope.artifacts[edge.id].bytes.value or {}).get("size")
        size = f"{size:,} bytes" if isinstance(size, int) else ""
        told = joined([edge.origin and f"{edge.origin} origin", *parts, size])
        of_it = edge.evidence
        yield (
            f"{named(made)}, {spaced(edge.role)} {scope.name(edge.id)}",
            Field(of_it.status, told, of_it.commit, of_it.event, of_it.by, of_it.time),
        )


def data_origins(scope: Scope) -> Found:
    """What is stated of the origin of data that come from outside."""
    for made in scope.roots:
        if made.kind == "dataset":
            for key, field in made.origin.items():
                if key not in ("licence", "by"):
                    yield f"{named(made)}, {key}", field


def licences(scope: Scope) -> Found:
    """The licences of data and models that come from outside."""
    for made in scope.roots:
        if "licence" in made.origin:
            yield named(made), made.origin["licence"]


def record_counts(scope: Scope) -> Found:
    """How many records each model was trained on, by origin."""
    models = {made.id for made in scope.models}
    for training in scope.report.training:
        if training.model in models and training.records is not None:
            name = scope.name(training.model)
            yield f"{name}, all records", recorded(training.records, training.made)
            for origin, count in sorted((training.counts or {}).items()):
                yield f"{name}, {origin}", recorded(count, training.made)


def made_of(scope: Scope) -> Found:
    """The human, machine and unknown shares, through every generation."""
    for model in scope.models:
        if found := scope.made_of.get(model.id):
            for what, told in _shares(found):
                yield f"{named(model)}, {what}", recorded(told, model.id)


def _shares(found: MadeOf) -> list[tuple[str, str]]:
    told = [
        (f"{name} share of {found.unit}", _shown(getattr(found, name)))
        for name in ("human", "machine", "unknown")
    ]
    if found.hops:
        low, high = found.hops.shortest, found.hops.longest
        ways = str(low) if low == high else f"{low} to {high}"
        told.append(("models that wrote between human data and it", ways))
    return told


def _shown(portion: Portion) -> str:
    """A share in percent, and exactly where that is short."""
    share, exact = portion.share, portion.exact
    per_cent = percent(share)
    return f"{per_cent}, exactly {exact}" if exact and share not in (0, 1) else per_cent


def synthetic_data(scope: Scope) -> Found:
    """Every dataset that a model wrote: by which model, and what was kept of it."""
    for written in scope.report.written:
        by = joined(scope.name(edge.id) for edge in written.generators)
        counts = [
            f"{amount(getattr(written, name).value)} {name}"
            for name in ("generated", "rejected", "kept")
            if getattr(written, name).status == "recorded"
        ]
        told = joined([f"written by {by}", *counts])
        yield scope.name(written.dataset), recorded(told, written.dataset)


def generators(scope: Scope) -> Found:
    """Every model that wrote data, however far back, by its content."""
    for one in scope.report.generators:
        root = one.root and f"sha256:{one.root}"
        known = recorded(root, one.model) if root else Field("not provided")
        yield f"{scope.name(one.model)}, files", known
        made = scope.artifacts.get(one.model)
        if one.made_of:
            told = joined(f"{what} {share}" for what, share in _shares(one.made_of))
            yield f"{scope.name(one.model)}, trained on", recorded(told, one.model)
        elif made and made.origin:
            for key, field in made.origin.items():
                if key != "by":
                    yield f"{named(made)}, {key}", field
        else:
            yield f"{scope.name(one.model)}, trained on", Field("not provided")


def preparation(scope: Scope) -> Found:
    """What data were made from, by which settings and selectors."""
    for made, edge in scope.learned_from:
        if edge.role in _SELECTS:
            label = f"{named(made)}, {spaced(edge.role)}"
            yield f"{label} {scope.name(edge.id)}", edge.evidence
    for config in scope.configs:
        params = config.params.value if config.params else {}
        for section in _PREPARING:
            for name, value in flat(params, section):  # type: ignore[arg-type]
                yield f"{named(config)}, {name}", recorded(value, config.id)


def flat(params: dict[str, object], section: str) -> list[tuple[str, str]]:
    """The settings of a section that are set, by their dotted names."""
    from lineage.audit.words import flat as flattened

    inside = params.get(section)
    given = {section: inside} if isinstance(inside, dict) else {}
    return [(name, value) for name, value in flattened(given) if value != "null"]


def rejected_records(scope: Scope) -> Found:
    """How many records each filter rejected, over all turns."""
    for loop in scope.report.loops:
        counts: Counter[str] = Counter()
        turns: Counter[str] = Counter()
        for turn in loop.turns:
            for gate, count in (turn.compute.by_filter if turn.compute else {}).items():
                counts[gate] += count
                turns[gate] += 1
        for gate in sorted(counts):
            told = f"{counts[gate]:,} records in {turns[gate]:,} turns"
            yield f"loop {loop.name}, {gate}", scope.now(told)


def duplicates(scope: Scope) -> Found:
    """What was measured of duplicates in the data."""
    for turn in scope.newest:
        for metric in turn.metrics:
            if "duplicate" in (metric.definition or metric.name):
                label = f"generation {turn.number}, {metric.name}"
                yield label, recorded(metric.value, metric.commit)


def held_out_data(scope: Scope) -> Found:
    """The data that models were measured on and that none may learn from."""
    edges = {edge.id: edge for turn in scope.newest for edge in turn.held_out}
    for made in scope.about:
        edges |= {edge.id: edge for edge in of(made, "evaluated_on")}
    for edge in edges.values():
        yield scope.name(edge.id), edge.evidence


def first_use(scope: Scope) -> Found:
    """When data from outside were recorded, and first trained on or mixed."""
    first: dict[str, Field[object]] = {}
    for made in scope.report.artifacts:
        for edge in of(made, "trained_on", "derived_from"):
            first.setdefault(edge.id, Field("recorded", made.time, event=made.event))
    for made in scope.roots:
        if made.kind == "dataset":
            since = Field("recorded", made.time, event=made.event)
            yield f"{named(made)}, recorded", since
            if made.id in first:
                yield f"{named(made)}, first used", first[made.id]
