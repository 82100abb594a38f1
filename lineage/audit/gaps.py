"""What is not recorded. Silence would look like an answer, so each gap is said.

Each check yields (what is missing, the commit that lacks it); what several commits
lack becomes one gap.
"""

from collections.abc import Container, Iterator, Sequence

from lineage.audit.model import Artifact, Gap, Generation, Report, Training, Written

Found = Iterator[tuple[str, str]]

_MAKES_A_MODEL = frozenset(
    {"trained_on", "distilled_from", "merged_from", "quantized_from"}
)
_NEEDS_A_CONFIG = frozenset({"trained_on", "generated_by", "distilled_from"})


def find(report: Report) -> tuple[Gap, ...]:
    """All gaps of a report, those of its loop first."""
    where: dict[str, list[str]] = {}
    for what, id_ in _all(report):
        where.setdefault(what, []).append(id_)
    return tuple(Gap(what, tuple(dict.fromkeys(ids))) for what, ids in where.items())


def _all(report: Report) -> Found:
    for loop in report.loops:
        yield from _numbers(loop.generations)
    measured = {
        artifact.id
        for artifact in report.artifacts
        if any(edge.role == "evaluated_on" for edge in artifact.sources)
    }
    for turn in report.turns:
        yield from _generation(turn, measured)
    for loop in report.loops:
        yield from _unreviewed(loop.generations)
        yield from _unmeasured(loop.generations)
    for model in report.training:
        yield from _training(model)
    for dataset in report.written:
        yield from _written(dataset)
    for artifact in report.artifacts:
        yield from _origin(artifact)
        yield from _making(artifact)
        yield from _bytes(artifact)


def _numbers(generations: Sequence[Generation]) -> Found:
    """Generations that the numbers jump over."""
    expected = 0
    for turn in generations:
        if turn.number == expected + 1:
            yield f"generation {expected}: not recorded", turn.id
        elif turn.number > expected:
            span = f"{expected} to {turn.number - 1}"
            yield f"generations {span}: not recorded", turn.id
        expected = turn.number + 1


def _generation(turn: Generation, measured: Container[str]) -> Found:
    """What a turn lacks; `measured` are the commits that name held-out data."""
    kinds = {part.kind for part in turn.parts}
    due = ("config", "dataset") + (("model",) if turn.status == "accepted" else ())
    for kind in due:
        if kind not in kinds:
            yield f"the generation includes no {kind}", turn.id
    held_out = turn.held_out or any(part.id in measured for part in turn.parts)
    if not held_out and turn.status == "accepted":
        yield "the held-out data that it was measured on: not provided", turn.id
    if not turn.gates:
        yield "gates: no verdict recorded", turn.id
    if not turn.metrics:
        yield "metrics: none recorded", turn.id
    if turn.reason and turn.reason.status == "not provided":
        yield "why it was rejected: not provided", turn.id
    for metric in turn.metrics:
        if metric.definition is None or metric.version is None:
            yield f"how {metric.name} is defined: not provided", metric.commit


def _unreviewed(generations: Sequence[Generation]) -> Found:
    """Requests that nobody answered, and turns that nobody looked at."""
    for turn in generations:
        types = [said.type for said in turn.statements]
        if types.count("review_requested") > types.count("review"):
            yield "review requested, no verdict recorded", turn.id
        elif "review" not in types:
            yield "human review: none recorded", turn.id


def _unmeasured(generations: Sequence[Generation]) -> Found:
    """Metrics that earlier generations have and later ones lack."""
    seen: set[str] = set()
    for turn in generations:
        names = {metric.name for metric in turn.metrics}
        for name in sorted(seen - names):
            yield f"{name}: not recorded", turn.id
        seen |= names


def _training(model: Training) -> Found:
    if model.counts is None:
        what = "how many training records came from each source: not provided"
        yield what, model.made
    if model.unaccounted:
        count = f"{model.unaccounted:,} of {model.records:,} training records"
        yield f"{count}: no source recorded", model.made


def _written(dataset: Written) -> Found:
    for name in ("generated", "rejected", "kept"):
        if getattr(dataset, name).status == "not provided":
            yield f"how many records were {name}: not provided", dataset.dataset


def _origin(artifact: Artifact) -> Found:
    for key, said in artifact.origin.items():
        if key == "type" and said.status == "not provided":
            yield "origin: unknown, nobody said", artifact.id
        elif key == "type" and said.value == "unknown":
            yield "origin: stated as unknown", artifact.id
        elif said.status == "not provided":
            yield f"{key}: not provided", artifact.id


def _making(artifact: Artifact) -> Found:
    roles = {edge.role for edge in artifact.sources}
    if artifact.kind == "model" and not roles & _MAKES_A_MODEL:
        yield "what the model was trained on: not provided", artifact.id
    if roles & _NEEDS_A_CONFIG and "configured_by" not in roles:
        yield "the config that it was made with: not provided", artifact.id


def _bytes(artifact: Artifact) -> Found:
    held = artifact.bytes.value or {}
    if held.get("state") == "hashed only":
        yield "only the hashes of its files are recorded, not the files", artifact.id
    if told := held.get("told"):
        part = (
            "some of its files were" if held["state"] != "erased" else "its files were"
        )
        yield f"{part} {told}", artifact.id
    if held.get("state") == "elsewhere":
        what = "its files are elsewhere, and were never here"
        known = held.get("digest")
        yield what if known else f"{what}; no digest of them is recorded", artifact.id
