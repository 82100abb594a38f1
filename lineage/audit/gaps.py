"""What is not recorded. Silence would look like an answer, so each gap is said.

Each check yields (what is missing, the commit that lacks it); what several commits
lack becomes one gap.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lineage.audit.artifacts import origin_is_due
from lineage.audit.facts import Facts
from lineage.audit.model import Artifact, Gap, Generation, Training, Written

Found = Iterator[tuple[str, str]]

_MAKES_A_MODEL = frozenset(
    {"trained_on", "distilled_from", "merged_from", "quantized_from"}
)


def find(
    facts: Facts,
    artifacts: Mapping[str, Artifact],
    generations: Sequence[Generation],
    rejected: Sequence[Generation],
    training: Sequence[Training],
    written: Sequence[Written],
) -> tuple[Gap, ...]:
    """All gaps, those of the loop first."""
    where: dict[str, list[str]] = {}
    for found in (
        _numbers(generations),
        *(_generation(turn, artifacts) for turn in (*generations, *rejected)),
        _reviews(generations),
        _measured(generations),
        *(_training(model) for model in training),
        *(_written(dataset) for dataset in written),
        *(_artifact(facts, artifact) for artifact in artifacts.values()),
    ):
        for what, id_ in found:
            where.setdefault(what, []).append(id_)
    return tuple(Gap(what, tuple(dict.fromkeys(ids))) for what, ids in where.items())


def _numbers(generations: Sequence[Generation]) -> Found:
    """Generations that the numbers jump over."""
    expected = 0
    for turn in generations:
        if turn.number > expected:
            last = turn.number - 1
            which = f"generations {expected}–{last}"
            which = which if last > expected else f"generation {expected}"
            yield f"{which}: not recorded", turn.id
        expected = turn.number + 1


def _generation(turn: Generation, artifacts: Mapping[str, Artifact]) -> Found:
    kinds = {part.kind for part in turn.parts}
    for kind in ("config", "dataset", "model"):
        if kind not in kinds:
            yield f"no {kind} included in the generation", turn.id
    if not turn.held_out:
        yield "held-out data that it was measured on: not provided", turn.id
    if not turn.gates:
        yield "gates: no verdict recorded", turn.id
    if not turn.metrics:
        yield "metrics: none recorded", turn.id
    if turn.reason and turn.reason.status == "not provided":
        yield "why it was rejected: not provided", turn.id
    for metric in turn.metrics:
        if metric.definition is None or metric.version is None:
            yield f"how {metric.name} is defined: not provided", metric.commit


def _reviews(generations: Sequence[Generation]) -> Found:
    """Requests that nobody answered, and turns that nobody looked at."""
    for turn in generations:
        types = [said.type for said in turn.statements]
        if types.count("review_requested") > types.count("review"):
            yield "review requested, no verdict recorded", turn.id
        elif "review" not in types:
            yield "human review: none recorded", turn.id


def _measured(generations: Sequence[Generation]) -> Found:
    """Metrics that some generations have and others lack."""
    names = {metric.name for turn in generations for metric in turn.metrics}
    for name in sorted(names):
        for turn in generations:
            if turn.metrics and name not in {metric.name for metric in turn.metrics}:
                yield f"{name}: not recorded", turn.id


def _training(model: Training) -> Found:
    if model.counts is None and model.only is None:
        yield "how many training records came from each source: not provided", (
            model.dataset or model.model
        )
    if model.unaccounted:
        what = f"{model.unaccounted:,} of {model.records:,} training records: "
        yield what + "no source recorded", model.dataset or model.model


def _written(dataset: Written) -> Found:
    counts = {
        "generated": dataset.generated,
        "rejected": dataset.rejected,
        "kept": dataset.kept,
    }
    for name, count in counts.items():
        if count.status == "not provided":
            yield f"how many records were {name}: not provided", dataset.dataset


def _artifact(facts: Facts, artifact: Artifact) -> Found:
    commit = facts.commits[artifact.id].commit
    roles = {edge.role for edge in commit.edges}
    for key, said in artifact.origin.items():
        if key == "type" and said.status == "not provided":
            yield "origin: unknown, nobody said", artifact.id
        elif key == "type" and said.value == "unknown":
            yield "origin: stated as unknown", artifact.id
        elif said.status == "not provided" and key != "by":
            yield f"{key}: not provided", artifact.id
    if commit.kind == "model" and not roles & _MAKES_A_MODEL:
        yield "what the model was trained on: not provided", artifact.id
    if commit.kind in ("dataset", "model") and not origin_is_due(commit):
        if "configured_by" not in roles and not roles <= {"derived_from", "revises"}:
            yield "the config that it was made with: not provided", artifact.id
    yield from _bytes(artifact)


def _bytes(artifact: Artifact) -> Found:
    held = artifact.bytes.value or {}
    if held.get("state") == "hashed only":
        yield "only the hashes of its files are recorded, not the files", artifact.id
    if held.get("state") == "elsewhere":
        what = "its files are elsewhere, and were never here"
        digest = held.get("digest")
        yield what if digest else f"{what}; no digest of them is recorded", artifact.id
