"""How each part of a generation is made: what goes in, and which edges say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lineage.errors import NotFound, UsageError
from lineage.loop.functions import load_function
from lineage.loop.gates import judges_models
from lineage.loop.records.shards import shards_of
from lineage.loop.running.stepping import run
from lineage.loop.running.turn import observed
from lineage.loop.spec.selection import CHECK
from lineage.loop.steps import JUDGE
from lineage.loop.steps.protocol import Result
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lineage.loop.running.turn import Made, Turn
    from lineage.loop.spec import LoopSpec
    from lineage.registry import Registry
    from lineage.store.objects import Commit

    Share = Mapping[str, list[int]]

_SCORER = "selection.by.model_name_or_path"
# How a model that selects stands to what it selects, by its role in the check step.
SCORERS = {
    "reward": "rewarded_by",
    "judge": "selected_by",
    "verifier": "selected_by",
}


def config(turn: Turn) -> str:
    """What the spec says, as a commit."""
    params = turn.spec.resolved()
    return turn.commit("config", turn.spec.name, part="config", params=params)


def generated(turn: Turn, writer: str, human: str, base: str) -> tuple[str, Result]:
    """What the model `writer` wrote, prompted by human records; the verdicts.

    `base` is generation 0's model, which an adapter is applied to.
    """
    made = run(turn, "generate", {**_loaded(turn.spec, writer, base), "human": human})
    sources = {"model": ("generated_by", writer), "human": ("derived_from", human)}
    shares, evidence = made.result.shares, turn.steps["generate"].evidence
    used = (shares or sources) if made.result.uses is None else made.result.uses
    edges = [Edge(*sources[name], evidence, shares.get(name)) for name in used]
    edges.append(observed("configured_by", turn.config))
    return turn.record(made, "dataset", "generated", edges), made.result


def synthetic(turn: Turn, inputs: Mapping[str, str]) -> tuple[str, Result]:
    """What the gates kept of `inputs["generated"]` ("" for nothing); the verdicts."""
    made = run(turn, "check", inputs)
    if not made.wrote:
        turn.note(made, "check", inputs["generated"])
        return "", made.result
    before = turn.registry.load(inputs["generated"])
    wrote = [edge for edge in before.edges if edge.role == "generated_by"]
    edges = [Edge(edge.role, edge.id, edge.evidence) for edge in wrote]
    edges.append(observed("configured_by", turn.config))
    evidence = turn.steps["check"].evidence
    share = _filtered(made, before)
    edges.append(Edge("derived_from", inputs["generated"], evidence, share))
    edges += [
        Edge(role, inputs[name], evidence)
        for name, role in SCORERS.items()
        if name in inputs
    ]
    id_ = turn.record(made, "dataset", "synthetic", edges, before.origin)
    return id_, made.result


def _filtered(made: Made, before: Commit) -> Share | None:
    """How much of a filter's output is of its input.

    All of it, unless the step says otherwise. That is written down where the edges
    alone would leave open what a stated origin, or a count, has told of the input.
    """
    told = made.result.shares.get("generated")
    counted = any(edge.share for edge in before.edges)
    if told or made.id or not (before.origin or counted):
        return told
    records = sum(shard.records for shard in shards_of(made.output))
    return {"records": [records, records]}


def scorer(turn: Turn) -> dict[str, str]:
    """The model that `selection` asks for, committed, by its role; {} for none."""
    section = turn.spec.selection and turn.spec.selection.model
    if not section:
        return {}
    folder = turn.spec.path(section.model_name_or_path)
    if folder.is_dir():
        name = plain_name(folder.name)
        folder = folder.resolve()
        id_ = turn.commit("model", name, folder, part=section.role, params={})
    else:
        id_ = model_of_revision(turn.registry, section.model_name_or_path, _SCORER)
    return {section.role: id_}


def scorer_folder(turn: Turn) -> Path | None:
    """Where that model is, before it is committed."""
    section = turn.spec.selection and turn.spec.selection.model
    if not section:
        return None
    name = section.model_name_or_path
    folder = turn.spec.path(name)
    if folder.is_dir():
        return folder.resolve()
    return turn.workshop.input(model_of_revision(turn.registry, name, _SCORER))


def check_scorer(registry: Registry, spec: LoopSpec) -> None:
    """Find what `selection` names, before anything runs.

    Raises:
        LineageError: it is not there, or cannot be used.
    """
    if spec.selection is None:
        return
    section = spec.selection.model
    if section is None:
        load_function(spec, spec.selection.by, CHECK)
    elif not (spec.path(section.model_name_or_path) / "config.json").exists():
        model_of_revision(registry, section.model_name_or_path, _SCORER)


def model_of_revision(registry: Registry, name: str, where: str) -> str:
    """The model that a revision names; `where` is the field that has it.

    Raises:
        NotFound: there is neither such a folder nor such a revision.
        UsageError: it is no model.
    """
    try:
        id_ = registry.resolve(name)
    except NotFound as error:
        message = f"{where}: {error}"
        hint = "give a save_pretrained folder beside loop.yaml, or a revision"
        raise NotFound(message, hint=hint) from None
    kind = registry.load(id_).kind
    if kind != "model":
        raise UsageError(f"{where}: {name} is a {kind}, not a model")
    return id_


def plain_name(text: str) -> str:
    """A file's name as a commit may have it."""
    return re.sub(r"[^\w.+-]+|\.\.+", "-", text).strip("-.") or "text"


def mixed(
    turn: Turn, sources: Mapping[str, str], base: str
) -> tuple[str, Share, Result]:
    """The training set; all of it as a share, where that is known; the verdicts."""
    made = run(turn, "mix", {**sources, "base": base})
    shares, evidence = made.result.shares, turn.steps["mix"].evidence
    edges = [
        Edge("derived_from", sources[role], evidence, shares.get(role))
        for role in made.result.uses or shares or sources
    ]
    edges.append(observed("configured_by", turn.config))
    pairs = [pair for share in shares.values() for pair in share.items()]
    whole = {unit: [total, total] for unit, (_, total) in pairs}
    return turn.record(made, "dataset", "mixed", edges), whole, made.result


def model(
    turn: Turn,
    dataset: str,
    whole: Share,
    starts: Mapping[str, str],
    blank: Path | None = None,
) -> tuple[str, Result]:
    """A model trained on `dataset`, of which `whole` is the size; the verdicts.

    `starts` are the models `base` and `parent`. Generation 0 has none of them, but
    `blank`, a folder with config and tokenizer, in place of `base`.
    """
    folders = {"base": blank} if blank else {}
    made = run(turn, "train", {"dataset": dataset, **starts}, folders)
    used = _started_from(turn.spec) if made.result.uses is None else made.result.uses
    tuned = dict.fromkeys(starts[name] for name in used if name in starts)
    held_to = [starts[name] for name in _held_to(turn.spec) if name in starts]
    evidence = turn.steps["train"].evidence
    edges = [
        Edge("trained_on", dataset, evidence, whole or None),
        *(Edge("fine_tuned_from", start, evidence) for start in tuned),
        *(Edge("rewarded_by", reference, evidence) for reference in held_to),
        observed("configured_by", turn.config),
    ]
    return turn.record(made, "model", "model", edges), made.result


def _started_from(spec: LoopSpec) -> tuple[str, ...]:
    """Whose weights are in a successor: an adapter needs those of its base."""
    start = spec.model.successor_from
    return (start,) if spec.model.peft is None else ("base", start)


def _held_to(spec: LoopSpec) -> tuple[str, ...]:
    """What DPO's reward is measured against: beta log(p / p_reference)."""
    return (spec.trainer.reference,) if spec.trainer.type == "dpo" else ()


def _loaded(spec: LoopSpec, model_id: str, base: str) -> dict[str, str]:
    """A model as an input, and beside an adapter the base whose weights it needs."""
    adapter = spec.model.peft is not None and base not in ("", model_id)
    return {"model": model_id} | ({"base": base} if adapter else {})


def evaluation(turn: Turn, model_id: str, held_out: str, base: str) -> Result:
    """What a model is worth on data that no model of the loop has seen."""
    made = run(
        turn, "evaluate", {**_loaded(turn.spec, model_id, base), "held_out": held_out}
    )
    turn.note(made, "evaluation", model_id)
    return made.result


def judgement(
    turn: Turn, inputs: Mapping[str, str], facts: Mapping[str, Any]
) -> Result:
    """What the gates on models say, where there are some."""
    if not judges_models(turn.spec):
        return Result()
    made = run(turn, JUDGE, inputs, facts=facts)
    turn.note(made, JUDGE, inputs["model"])
    return made.result
