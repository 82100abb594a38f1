"""Mix: put together what the next model trains on, as `mixing` in the spec says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.loop.records.mixing import Source, plan, shares, write
from lineage.loop.records.shards import shards_of
from lineage.loop.steps.protocol import Job, Result
from lineage.loop.steps.rows import Encoder
from lineage.loop.steps.tokenizer import has_tokenizer, load_tokens, training_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lineage.loop.records.shards import Record

READS = ("mixing", "dataset", "generation", "trainer", "seed")  # sections of loop.yaml


HUMAN = "human"


def source_name(generation: int) -> str:
    """The role of what one generation wrote, and its folder in the mix: `g002`."""
    return f"g{generation:03d}"


def mix(job: Job) -> Result:
    """Write the training set from `inputs["human"]` and `inputs["g001"]`, … in order.

    `inputs["base"]` has the tokenizer that counts tokens for the shares: those that
    train.
    """
    human, *synthetic = (
        Source(role, folder, tuple(shards_of(folder)))
        for role, folder in job.inputs.items()
        if role != "base"
    )
    parts = plan(
        job.spec.mixing,
        human,
        synthetic,
        seed=job.spec.seed,
        generation=job.generation,
    )
    mixed = write(parts, job.output)
    job.advance(0.5)
    return Result(shares=shares(mixed, _counter(job)))


def _counter(job: Job) -> Callable[[Sequence[Record]], int]:
    """What counts the tokens of records that train; words without a tokenizer."""
    base = job.inputs["base"]
    if has_tokenizer(base):
        return Encoder(base, job.spec).size
    words, size = load_tokens(base), job.spec.dataset.block_size

    def count(records: Sequence[Record]) -> int:
        texts = [record["text"] for record in records]
        return sum(map(len, training_rows(words.encode(texts), size)))

    return count
