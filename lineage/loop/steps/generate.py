"""Generate: a model writes the next generation's data, prompted by human records.

Shards are the unit of work: each is written whole or not at all, so a killed run
goes on with the first one that is missing. Every record has its own seed and is a
function of the model, its prompt and that seed (see `sampling`): neither
`batch_size` nor `shard_size` nor what else is generated changes its text.
"""

from __future__ import annotations

import math
import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import UsageError
from lineage.loop.seeds import order
from lineage.loop.shards import (
    Record,
    encode,
    read_records,
    record_id,
    shard_name,
    shards_of,
)
from lineage.loop.steps.model import (
    check_ids,
    context_length,
    opened,
    padding,
    valid_ids,
    vocabulary,
)
from lineage.loop.steps.protocol import Job, Result, count_tokens
from lineage.loop.steps.session import session
from lineage.loop.steps.tokenizer import Subwords, load_subwords

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.loop.spec import LoopSpec

READS = ("generation", "model.dtype", "num_threads")  # sections of loop.yaml


def generate(job: Job) -> Result:
    """Write `generation.num_samples` records of JSONL, in shards."""
    records = _wanted(job)
    shards = range(math.ceil(records / job.spec.generation.shard_size))
    names = [shard_name(f"g{job.generation:03d}", shard) for shard in shards]
    here = [shard for shard in shards if (job.scratch / names[shard]).exists()]
    kept = sum(_tokens(job.scratch / names[shard]) for shard in here)
    with session(job):
        missing = sorted({*shards} - {*here})
        for done, (shard, written) in enumerate(
            job.launcher.pieces(job, Writer, missing), start=len(here) + 1
        ):
            _keep(job.scratch / names[shard], written)
            job.advance(done / len(shards))
    for name in names:
        os.link(job.scratch / name, job.output / name)
    tokens = sum(_tokens(job.scratch / name) for name in names)
    return Result(circumstances={"records": records, **count_tokens(tokens, kept)})


class Written(NamedTuple):
    """A shard's bytes, and how many tokens the model wrote for it."""

    data: bytes
    tokens: int


def _keep(path: Path, written: Written) -> None:
    """Write a shard, and first beside it how many tokens that were."""
    unfinished, count = path.with_suffix(".part"), path.with_name(f"{path.name}.tokens")
    unfinished.write_bytes(written.data)
    count.write_text(str(written.tokens))
    unfinished.replace(path)


def _tokens(shard: Path) -> int:
    return int(shard.with_name(f"{shard.name}.tokens").read_text())


def _wanted(job: Job) -> int:
    """How many records are to be written."""
    return _prompts_wanted(job) * job.spec.generation.num_candidates


def _prompts_wanted(job: Job) -> int:
    human = sum(shard.records for shard in shards_of(job.inputs["human"]))
    return job.spec.generation.num_samples or human


class Writer:
    """A model at work: its prompts, and the records that it makes of them."""

    def __init__(self, job: Job) -> None:
        self.job, self.stem, self.tokens = job, f"g{job.generation:03d}", 0
        folder = job.inputs["model"]
        self.tokenizer = load_subwords(folder)
        self.model = opened(job, folder)
        self.config = generation_config(job.spec, self.model)
        self.candidates = job.spec.generation.num_candidates
        self.prompts = _prompts(job, self.tokenizer)
        check_ids(self.model, (ids for _, ids in self.prompts))

    def piece(self, number: int) -> Written:
        """The n-th shard."""
        size, before = self.job.spec.generation.shard_size, self.tokens
        records = self._records(number, number * size, (number + 1) * size)
        data = b"".join(map(encode, records))
        return Written(data, self.tokens - before)

    def _records(self, shard: int, start: int, end: int) -> Iterator[Record]:
        """One shard's records, batch by batch."""
        end = min(end, len(self.prompts) * self.candidates)
        batch = self.job.spec.generation.batch_size
        for first in range(start, end, batch):
            numbers = range(first, min(first + batch, end))
            for number, record in zip(numbers, self._batch(numbers), strict=True):
                name = record_id(self.stem, shard, number - start)
                yield record | {"id": name, "shard": shard}
            self.job.advance(numbers[-1] / len(self.prompts) / self.candidates)

    def _batch(self, numbers: range) -> Iterator[Record]:
        import torch

        from lineage.loop.steps.sampling import sample

        places = [divmod(number, self.candidates) for number in numbers]
        chosen = [self.prompts[number] for number, _ in places]
        seeds = [_record_seed(self.job.seed, *place) for place in places]
        prompts = torch.tensor([ids for _, ids in chosen], device=self.model.device)
        drawn = sample(self.model, prompts, seeds, self.config)
        rows, length = drawn.tolist(), prompts.shape[1]
        self.tokens += int((drawn[:, length:] != self.config.pad_token_id).sum())
        texts = self.tokenizer.decode(rows)
        asked = self.tokenizer.decode([row[:length] for row in rows])
        for (source, _), seed, text, prompt, place in zip(
            chosen, seeds, texts, asked, places, strict=True
        ):
            yield {
                "completion": text.removeprefix(prompt),
                "generator": self.job.roots["model"],
                "prompt": prompt,
                "prompt_source": source,
                "seed": seed,
                "text": text,
                **self._candidate(*place),
            }

    def _candidate(self, number: int, candidate: int) -> Record:
        """Which prompt's answer it is, where a prompt has several."""
        if self.candidates == 1:
            return {}
        return {"candidate": candidate, "prompt_id": f"{self.stem}-p{number:05d}"}


def _record_seed(seed: int, number: int, candidate: int) -> int:
    """48 bits, so that JSON readers keep them and millions of records hardly share.

    A prompt's first answer is the same however many there are.
    """
    place = f"{seed}|{number}|{candidate}" if candidate else f"{seed}|{number}"
    return int.from_bytes(sha256(place.encode()).digest()[:6], "big")


def _prompts(job: Job, tokenizer: Subwords) -> list[tuple[str, list[int]]]:
    """(id of a human record, its first tokens) for each record to be written.

    Human records are taken in the seed's order, again from the first when more are
    asked for than there are.
    """
    length = job.spec.generation.prompt_length
    human = [
        record
        for shard in shards_of(job.inputs["human"])
        for record in read_records(shard.path)
    ]
    encoded = tokenizer.encode([record["text"] for record in human])
    long = [
        (str(record.get("id", "")), ids[:length])
        for record, ids in zip(human, encoded, strict=True)
        if len(ids) >= length
    ]
    if not long:
        raise no_prompt(length)
    turns = order(len(long), job.seed, "prompts")
    return [long[turns[number % len(long)]] for number in range(_prompts_wanted(job))]


def no_prompt(length: int) -> UsageError:
    """All human records are shorter than a prompt."""
    message = f"no human record has generation.prompt_length = {length} tokens"
    return UsageError(message, hint="make it smaller")


def generation_config(spec: LoopSpec, model: Any) -> Any:
    """The spec's GenerationConfig, checked against the model.

    `model.generate` fills what it leaves out from the model's own, which `loop.yaml`
    does not say: all of that is dropped but where a text ends.

    Raises:
        UsageError: when the built-in step, or this model, cannot do it.
    """
    from transformers import GenerationConfig

    own, size = model.generation_config, vocabulary(model.config)
    ends = valid_ids(own, "eos_token_id", size)
    ends = ends or valid_ids(model.config.get_text_config(), "eos_token_id", size)
    model.generation_config = GenerationConfig()
    tokens = {"pad_token_id": padding(model.config), "eos_token_id": ends or None}
    config = GenerationConfig(**(tokens | spec.generation_config))
    for key in ("pad_token_id", "eos_token_id"):
        given = getattr(config, key)
        ids = given if isinstance(given, list) else [given]
        if given is not None and ids != valid_ids(config, key, size):
            message = f"generation.generation_config.{key}: {given} is no token"
            raise UsageError(message, hint=f"the model has tokens 0 to {size - 1}")
    _check_length(spec, model, config)
    return config


def _check_length(spec: LoopSpec, model: Any, config: Any) -> None:
    prompt, context = spec.generation.prompt_length, context_length(model.config)
    new = config.max_new_tokens
    length = config.max_length if new is None else prompt + new
    if context is not None and length > context:
        message = f"records of {length} tokens do not fit a model that sees {context}"
        raise UsageError(message, hint="lower generation_config.max_new_tokens")
    if length <= prompt:
        message = f"records of {length} tokens have no room after a prompt of {prompt}"
        raise UsageError(message, hint="raise generation_config.max_length")
