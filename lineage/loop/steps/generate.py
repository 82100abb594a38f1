"""Generate: a model writes the next generation's data, after prompts (see `prompts`).

Shards are the unit of work: each is written whole or not at all, so a killed run
goes on with the first one that is missing. Every record has its own seed and is a
function of the model, its prompt and that seed (see `sampling`): neither
`batch_size` nor `shard_size` nor what else is generated changes its text.
"""

from __future__ import annotations

import math
import os
from copy import copy
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import UsageError
from lineage.loop.records.shards import (
    Record,
    encode,
    record_id,
    shard_name,
)
from lineage.loop.records.text_files import as_messages, readable
from lineage.loop.spec.generation import HUMAN
from lineage.loop.steps.chat import Chat, ends_of
from lineage.loop.steps.endings import Stops, fenced
from lineage.loop.steps.instructing import instruct
from lineage.loop.steps.model import (
    check_ids,
    context_length,
    opened,
    padding,
    valid_ids,
    vocabulary,
)
from lineage.loop.steps.prompts import OWN, Asked, Prompt, prompts, turns_of, wanted
from lineage.loop.steps.protocol import Job, Result, count_tokens
from lineage.loop.steps.session import session
from lineage.loop.steps.tokenizer import load_subwords

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lineage.loop.spec import LoopSpec

READS = (
    "generation",
    "dataset.block_size",
    "dataset.prompt_column",
    "dataset.messages_column",
    "model.dtype",
    "num_threads",
)  # sections of loop.yaml


def generate(job: Job) -> Result:
    """Write `generation.num_samples` records of JSONL, in shards."""
    if job.spec.generation.instructs and not (job.scratch / OWN).exists():
        with session(job):
            Writer(job)  # writes its prompts first
    records = wanted(job) * job.spec.generation.num_candidates
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
    told = {"records": records, **count_tokens(tokens, kept)}
    return Result(circumstances=told, uses=_uses(job))


def _uses(job: Job) -> list[str]:
    """Which inputs the records came from: prompts may be nobody's in the loop."""
    section = job.spec.generation
    theirs = section.prompts == HUMAN or section.instructs
    return ["model", "human"] if theirs else ["model"]


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


class Writer:
    """A model at work: its prompts, and the records that it makes of them."""

    def __init__(self, job: Job) -> None:
        self.job, self.stem, self.tokens = job, f"g{job.generation:03d}", 0
        section, folder = job.spec.generation, job.inputs["model"]
        self.tokenizer = load_subwords(folder)
        self.chat = Chat(folder) if section.chat else None
        self.model = opened(job, folder)
        self.config = generation_config(job.spec, self.model, self.chat)
        self.stops = Stops(section.stop, self.tokenizer)
        self.candidates = section.num_candidates
        if section.instructs:
            instruct(job, self._question, self._own, chat=section.chat)
        self.prompts = prompts(job, self.tokenizer, self.chat)
        check_ids(self.model, (ids for _, ids in self.prompts))
        check_room(self.config, self.model, self.prompts)

    def piece(self, number: int) -> Written:
        """The n-th shard."""
        size, before = self.job.spec.generation.shard_size, self.tokens
        end = min((number + 1) * size, len(self.prompts) * self.candidates)
        records = self._records(number, range(number * size, end))
        data = b"".join(map(encode, records))
        return Written(data, self.tokens - before)

    def _records(self, shard: int, numbers: range) -> list[Record]:
        """One shard's records; prompts of about a length are side by side."""
        batch, found = self.job.spec.generation.batch_size, dict[int, Record]()
        whole = len(self.prompts) * self.candidates
        by_length = sorted(numbers, key=lambda n: len(self._prompt(n).ids))
        for start in range(0, len(by_length), batch):
            some = by_length[start : start + batch]
            found.update(zip(some, self._batch(some), strict=True))
            self.job.advance((numbers.start + len(found)) / whole)
        return [
            found[number] | {"id": record_id(self.stem, shard, row), "shard": shard}
            for row, number in enumerate(numbers)
        ]

    def _prompt(self, number: int) -> Prompt:
        return self.prompts[number // self.candidates]

    def _batch(self, numbers: Sequence[int]) -> Iterator[Record]:
        places = [divmod(number, self.candidates) for number in numbers]
        seeds = [_record_seed(self.job.seed, *place) for place in places]
        rows = [self._prompt(number).ids for number in numbers]
        written = self._write(rows, seeds, self.config, self.stops)
        for number, place, seed, answer in zip(
            numbers, places, seeds, self._said(rows, written), strict=True
        ):
            asked = self._prompt(number).asked
            yield {
                "generator": self.job.roots["model"],
                "prompt": asked.text,
                "prompt_source": asked.source,
                "seed": seed,
                **self._answer(asked, self.stops.cut(answer)),
                **self._candidate(*place),
            }

    def _write(
        self, rows: Sequence[list[int]], seeds: Sequence[int], config: Any, stops: Stops
    ) -> list[list[int]]:
        """The new tokens after each row."""
        from lineage.loop.steps.sampling import continuations

        stopped = stops.reached if stops else None
        written = continuations(self.model, rows, seeds, config, stopped)
        self.tokens += sum(map(len, written))
        return written

    def _said(
        self, rows: Sequence[list[int]], written: Sequence[list[int]]
    ) -> Iterator[str]:
        """What was written, as text: by itself in a chat, else as it follows."""
        decode = self.tokenizer.decode
        alone = decode(written)
        if self.chat:
            yield from alone
            return
        whole = decode([[*a, *b] for a, b in zip(rows, written, strict=True)])
        for text, prompt, other in zip(whole, decode(rows), alone, strict=True):
            follows = text.startswith(prompt)
            yield text.removeprefix(prompt) if follows else other

    def _answer(self, asked: Asked, answer: str) -> Record:
        """What a record has of an answer."""
        record: Record = {"completion": answer, "text": asked.text + answer}
        if self.chat:
            turns = [*turns_of(self.job.spec, asked), ("assistant", answer)]
            record |= {"text": readable(turns), "messages": as_messages(turns)}
        if self.job.spec.generation.extract:
            record["code"] = fenced(answer)
        return record | ({"given": dict(asked.given)} if asked.given else {})

    def _candidate(self, number: int, candidate: int) -> Record:
        """Which prompt's answer it is, where a prompt has several."""
        if self.candidates == 1:
            return {}
        return {"candidate": candidate, "prompt_id": f"{self.stem}-p{number:05d}"}

    # What a model that writes its own prompts is asked.

    def _question(self, text: str) -> list[int]:
        if self.chat:
            return self.chat.encode(self.chat.opened([("user", text)]))
        return self.tokenizer.encode([text])[0]

    def _own(self, rows: Sequence[list[int]], seeds: Sequence[int]) -> list[str]:
        """What it writes then: a line, in the batches of the spec."""
        section, config = self.job.spec.generation, copy(self.config)
        assert section.instructs is not None
        config.max_length = None
        config.max_new_tokens = section.instructs.max_new_tokens
        _check_examples(rows, config.max_new_tokens, context_length(self.model.config))
        stops, found = Stops([] if self.chat else ["\n"], self.tokenizer), list[str]()
        for start in range(0, len(rows), section.batch_size):
            some = slice(start, start + section.batch_size)
            written = self._write(rows[some], seeds[some], config, stops)
            found += self._said(rows[some], written)
        return found


def _record_seed(seed: int, number: int, candidate: int) -> int:
    """48 bits, so that JSON readers keep them and millions of records hardly share.

    A prompt's first answer is the same however many there are.
    """
    place = f"{seed}|{number}|{candidate}" if candidate else f"{seed}|{number}"
    return int.from_bytes(sha256(place.encode()).digest()[:6], "big")


def generation_config(spec: LoopSpec, model: Any, chat: Chat | None = None) -> Any:
    """The spec's GenerationConfig, checked against the model.

    `model.generate` fills what it leaves out from the model's own, which `loop.yaml`
    does not say: all of that is dropped but where a text ends.

    Raises:
        UsageError: when the built-in step, or this model, cannot do it.
    """
    from transformers import GenerationConfig

    ends, size = ends_of(model, chat), vocabulary(model.config)
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
    """Refuse records that do not fit, where every prompt has one length."""
    if not spec.asks_whole_prompts:
        _check_fit(config, context_length(model.config), spec.generation.prompt_length)


def check_room(config: Any, model: Any, prompts: Sequence[Prompt]) -> None:
    """Refuse a prompt that leaves no room to answer it.

    Raises:
        UsageError: names the longest one.
    """
    longest = max(prompts, key=lambda prompt: len(prompt.ids))
    try:
        _check_fit(config, context_length(model.config), len(longest.ids))
    except UsageError as error:
        message = f"the prompt {longest.asked.source} is too long: {error}"
        raise UsageError(message, hint=error.hint) from None


def _check_examples(rows: Sequence[list[int]], new: int, context: int | None) -> None:
    """Refuse to ask for a prompt with more examples than a model sees at once."""
    length = max(map(len, rows)) + new
    if context is not None and length > context:
        message = f"example prompts and a new one make {length} tokens"
        hint = "lower examples or max_new_tokens of generation.prompts.self_instruct"
        raise UsageError(f"{message}, and the model sees {context}", hint=hint)


def _check_fit(config: Any, context: int | None, prompt: int) -> None:
    new = config.max_new_tokens
    length = config.max_length if new is None else prompt + new
    if context is not None and length > context:
        message = f"records of {length} tokens do not fit a model that sees {context}"
        raise UsageError(message, hint="lower generation_config.max_new_tokens")
    if length <= prompt:
        message = f"records of {length} tokens have no room after a prompt of {prompt}"
        raise UsageError(message, hint="raise generation_config.max_length")
