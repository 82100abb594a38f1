"""Check: gates and measures of what a model wrote, before anything trains on it.

Keeps the records that no gate drops, shard by shard; a shard that loses none is
the same file. With a `selection` what is left is rewarded and chosen from. Every
gate's verdict is part of the result, whichever way it goes; what a failed one leads
to is the runner's business.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from lineage.loop.gates import Context, load_gates, run_gates
from lineage.loop.measuring.measures import Corpus, measure_counts, measure_data
from lineage.loop.measuring.own_measures import take
from lineage.loop.records.selection import Selected, select
from lineage.loop.records.shards import (
    Record,
    Shard,
    copy_lines,
    read_all,
    read_lines,
    read_texts,
    shards_of,
    write_shards,
)
from lineage.loop.reviews.drawing import flagged
from lineage.loop.steps.mix import source_name
from lineage.loop.steps.protocol import Job, Result
from lineage.loop.steps.scoring import scorer
from lineage.loop.steps.session import session
from lineage.loop.steps.tokenizer import Tokens, load_tokens
from lineage.loop.steps.users import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lineage.store.objects import Metric

READS = (
    "gates",
    "evaluation",
    "selection",
    "generation.shard_size",
    "num_threads",
    "seed",
)  # sections of loop.yaml


def check(job: Job) -> Result:
    """Write the kept records of `inputs["generated"]`; measure and judge them.

    `inputs["human"]` is what they are measured against, `inputs["reference"]` what
    was written first with the same sampling; that generation itself has none,
    because its own records are those. `inputs["base"]` has the loop's tokenizer;
    `inputs["held_out"]` and `inputs["previous"]` are there for gates.
    """
    spec, source = job.spec, job.inputs["generated"]
    tokens, shards = load_tokens(job.inputs["base"]), shards_of(source)
    human = _texts(job.inputs["human"])
    context = _context(job, list(read_all(shards)), human, tokens)
    with guarded(job.scratch / "log.txt"):
        checked = run_gates(load_gates(spec, "dataset"), context)
    job.advance(0.5)
    count, kept = len(context.records), [context.records[row] for row in checked.kept]
    metrics = measure_counts(count, count - len(kept))
    verdicts = [verdict.to_json() for verdict in checked.results]
    if spec.selection:
        selected = _select(job, kept)
        kept, metrics = selected.records, {**metrics, **selected.metrics}
        verdicts.append(dict(selected.verdict))
        stem, size = source_name(job.generation), spec.generation.shard_size
        write_shards(job.output, stem, kept, size)
    else:
        _write(shards, checked.kept, source, job.output)
    metrics |= _measured(job, kept, human, tokens) if kept else {}
    for verdict in checked.results:
        metrics |= verdict.metrics
    told = flagged((line for s in shards for line in read_lines(s.path)), checked.flags)
    return Result(metrics, verdicts, {"flagged": told} if told else {})


def _context(
    job: Job, records: list[Record], human: list[str], tokens: Tokens
) -> Context:
    """What the gates look at."""
    reference = job.inputs.get("reference")
    return Context(
        records=records,
        human=human,
        reference=None if reference is None else list(read_all(shards_of(reference))),
        tokenize=tokens.encode,
        sample_size=job.spec.evaluation.sample_size,
        seed=job.spec.seed,
        inputs=job.inputs,
    )


def _measured(
    job: Job, kept: list[Record], human: list[str], tokens: Tokens
) -> dict[str, Metric]:
    """Our measures of the kept records, and the user's own."""
    found = measure_data(
        _corpus(kept, tokens),
        Corpus(human, tokens.encode(human)),
        sample_size=job.spec.evaluation.sample_size,
        seed=job.spec.seed,
    )
    return found | _own(job, kept, human)


def _select(job: Job, records: Sequence[Record]) -> Selected:
    """Those of the kept records that are handed on, by their rewards."""
    assert job.spec.selection is not None
    log = job.scratch / "log.txt"
    with session(job) if job.spec.selection.model else nullcontext():
        rewards = scorer(job.spec, job.inputs, log)(records) if records else []
    return select(job.spec.selection, records, rewards, job.spec.seed)


def _own(job: Job, kept: list[Record], human: list[str]) -> dict[str, Metric]:
    """The user's own measures of the kept records."""
    texts = [record["text"] for record in kept]
    facts = {"records": kept, "texts": texts, "human": human, "seed": job.spec.seed}
    return take(job, "dataset", facts)


def _texts(folder: Path) -> list[str]:
    return list(read_texts(shards_of(folder)))


def _corpus(records: Sequence[Record], tokens: Tokens) -> Corpus:
    texts = [record["text"] for record in records]
    return Corpus(texts, tokens.encode(texts))


def _write(
    shards: Sequence[Shard], kept: Sequence[int], source: Path, folder: Path
) -> None:
    """Each shard with the rows of it that are kept; none for a shard without."""
    chosen, start = set(kept), 0
    for shard in shards:
        rows = [row for row in range(shard.records) if start + row in chosen]
        start += shard.records
        if rows:
            copy_lines([shard], rows, folder / shard.path.relative_to(source))
