"""How each part of a generation is made: what goes in, and which edges say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lineage.loop.steps.protocol import Result
    from lineage.loop.turn import Turn

    Share = Mapping[str, list[int]]


def config(turn: Turn) -> str:
    """What the spec says, as a commit."""
    params = turn.spec.resolved()
    return turn.commit("config", turn.spec.name, part="config", params=params)


def generated(turn: Turn, writer: str, human: str) -> str:
    """What the model `writer` wrote, prompted by human records."""
    made = turn.run("generate", {"model": writer, "human": human})
    edges = [*_written(turn, writer), observed("derived_from", human)]
    return turn.record(made, "dataset", "generated", edges)


def synthetic(turn: Turn, writer: str, inputs: Mapping[str, str]) -> tuple[str, Result]:
    """What the gates kept of `inputs["generated"]` ("" for nothing); the verdicts."""
    made = turn.run("check", inputs)
    if not made.wrote:
        turn.note(made, "check", inputs["generated"])
        return "", made.result
    origin = observed("derived_from", inputs["generated"])
    edges = [*_written(turn, writer), origin]
    return turn.record(made, "dataset", "synthetic", edges), made.result


def mixed(turn: Turn, sources: Mapping[str, str], base: str) -> tuple[str, Share]:
    """The training set; and all of it, as a share, where its size is known."""
    made = turn.run("mix", {**sources, "base": base})
    shares = made.result.shares
    edges = [
        observed("derived_from", sources[role], shares.get(role))
        for role in shares or sources
    ]
    edges.append(observed("configured_by", turn.config))
    pairs = [pair for share in shares.values() for pair in share.items()]
    whole = {unit: [total, total] for unit, (_, total) in pairs}
    return turn.record(made, "dataset", "mixed", edges), whole


def model(
    turn: Turn,
    dataset: str,
    whole: Share,
    starts: Mapping[str, str],
    blank: Path | None = None,
) -> str:
    """A model trained on `dataset`, of which `whole` is the size.

    `starts` are the models `base` and `parent`. Generation 0 has none of them, but
    `blank`, a folder with config and tokenizer, in place of `base`.
    """
    folders = {"base": blank} if blank else {}
    made = turn.run("train", {"dataset": dataset, **starts}, folders)
    edges = [
        observed("trained_on", dataset, whole),
        observed("configured_by", turn.config),
    ]
    start = starts.get(turn.spec.model.successor_from)
    if start:
        edges.append(observed("fine_tuned_from", start))
    return turn.record(made, "model", "model", edges)


def evaluation(turn: Turn, model_id: str, held_out: str) -> Result:
    """What a model is worth on data that no model of the loop has seen."""
    made = turn.run("evaluate", {"model": model_id, "held_out": held_out})
    turn.note(made, "evaluation", model_id)
    return made.result


def _written(turn: Turn, writer: str) -> list[Edge]:
    return [
        observed("generated_by", writer),
        observed("configured_by", turn.config),
    ]


def observed(role: str, id_: str, share: Share | None = None) -> Edge:
    """An edge that the runner saw come about."""
    return Edge(role, id_, "observed", dict(share) if share else None)
