"""Mix: put together what the next model trains on, as `mixing` in the spec says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.loop.mixing import Source, plan, shares, write
from lineage.loop.shards import shards_of
from lineage.loop.steps.protocol import Job, Result
from lineage.loop.steps.tokenizer import load_tokens, training_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

READS = ("mixing", "dataset.block_size", "seed")  # sections of loop.yaml


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
    tokens, size = load_tokens(job.inputs["base"]), job.spec.dataset.block_size

    def count(texts: Iterable[str]) -> int:
        rows = training_rows(tokens.encode(list(texts)), size)
        return sum(map(len, rows))

    return Result(shares=shares(mixed, count))
