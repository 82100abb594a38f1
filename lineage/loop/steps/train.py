"""Train: a successor learns from a dataset, through `transformers.Trainer`.

Read it top to bottom: the rows, the model to start from, the arguments, the last
whole checkpoint, the training, what is saved. One record is one row; nothing is
joined across records, so shares of records are shares of training rows.
"""

from __future__ import annotations

import json
import math
import re
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, UsageError
from lineage.loop.shards import read_texts, shards_of
from lineage.loop.steps.model import (
    check_ids,
    first_line,
    load_model,
    new_model,
    padding,
)
from lineage.loop.steps.protocol import Job, Result
from lineage.loop.steps.session import session
from lineage.loop.steps.tokenizer import copy_tokenizer, load_subwords, training_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lineage.loop.spec import LoopSpec

_IGNORED = -100  # the label that a loss leaves out


def train(job: Job) -> Result:
    """Train on `inputs["dataset"]` and save the model with its tokenizer.

    `inputs["base"]` is generation 0's model, or its config and tokenizer alone
    while that is being made; `inputs["parent"]` the model of the generation before.
    """
    with session(job):
        base = job.inputs["base"]
        rows = _rows(job, base)
        model = _starting_model(job)
        check_ids(model, (row["input_ids"] for row in rows))
        trainer = _trainer(job, model, rows)
        checkpoint = last_whole_checkpoint(job.scratch)
        outcome = trainer.train(resume_from_checkpoint=checkpoint)
        if not math.isfinite(outcome.training_loss):
            message = f"training diverged: its mean loss is {outcome.training_loss}"
            raise LineageError(message, hint="lower training.learning_rate")
        model.config.use_cache = True  # the Trainer turns it off, for training only
        model.save_pretrained(job.output)
        copy_tokenizer(base, job.output)
    return Result(
        circumstances={
            "tokens": trainer.data_collator.tokens,
            "flops": outcome.metrics["total_flos"],
            "loss": outcome.training_loss,
            "steps": outcome.global_step,
        }
    )


# The rows: each record's tokens, at most `block_size` of them, padded in a batch.


def _rows(job: Job, tokenizer: Path) -> list[dict[str, list[int]]]:
    texts = list(read_texts(shards_of(job.inputs["dataset"])))
    encoded = load_subwords(tokenizer).encode(texts)
    size = job.spec.dataset.block_size
    rows = [{"input_ids": ids} for ids in training_rows(encoded, size)]
    if not rows:
        raise LineageError("no training record has two tokens or more")
    return rows


class _Padded:
    """Makes a batch of rows: input_ids, attention_mask, labels, (rows, longest)."""

    def __init__(self, pad: int) -> None:
        self.pad, self.tokens = pad, 0

    def __call__(self, rows: Sequence[dict[str, list[int]]]) -> dict[str, Any]:
        import torch

        ids = [row["input_ids"] for row in rows]
        longest = max(map(len, ids))
        mask = [[1] * len(row) + [0] * (longest - len(row)) for row in ids]
        self.tokens += sum(map(len, ids))
        return {
            "input_ids": torch.tensor(_filled(ids, longest, self.pad)),
            "attention_mask": torch.tensor(mask),
            "labels": torch.tensor(_filled(ids, longest, _IGNORED)),
        }


def _filled(rows: Sequence[list[int]], length: int, value: int) -> list[list[int]]:
    return [row + [value] * (length - len(row)) for row in rows]


# The model to start from.


def _starting_model(job: Job) -> Any:
    """A copy of the weights of generation 0 or of the parent, or new ones.

    Generation 0 is only trained where there are none to copy.
    """
    start = job.spec.model.successor_from
    if start != "scratch" and job.generation:
        return load_model(job.inputs[start])
    return new_model(job.inputs["base"])


# The Trainer, with the arguments of `loop.yaml` and those that the loop sets.


def _trainer(job: Job, model: Any, rows: list[dict[str, list[int]]]) -> Any:
    arguments = _arguments(job.spec, job.scratch, job.seed)
    trainer = _silent(model, arguments, rows)
    trainer.add_callback(_progress(job))
    return trainer


def _silent(model: Any, arguments: Any, rows: list[dict[str, list[int]]]) -> Any:
    """A Trainer that prints nothing."""
    from transformers import Trainer
    from transformers.trainer_callback import PrinterCallback

    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=_Padded(padding(model.config)),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(spec: LoopSpec, folder: Path, seed: int, **more: Any) -> Any:
    import torch
    from transformers import TrainingArguments

    cuda = torch.cuda.is_available()
    ours: dict[str, Any] = {
        "output_dir": str(folder),
        "seed": seed,
        "data_seed": seed,
        "report_to": "none",
        "disable_tqdm": True,
        "logging_nan_inf_filter": False,  # a loss that is no number must be seen
    }
    unless_said: dict[str, Any] = {
        "logging_strategy": "no",
        "save_total_limit": 2,
        "dataloader_pin_memory": cuda,
        "full_determinism": cuda,  # `session` does it for processors
    }
    try:
        return TrainingArguments(**(unless_said | spec.training | ours | more))
    except (ValueError, ImportError) as error:
        raise UsageError(f"training: {first_line(error)}") from None


def try_training(spec: LoopSpec, model: Any, folder: Path) -> None:
    """Train a model for one step on next to nothing, to see that it can be.

    Raises:
        UsageError: says what transformers or torch say about `training`.
    """
    once = {"max_steps": 1, "gradient_accumulation_steps": 1, "save_strategy": "no"}
    arguments = _arguments(spec, folder, 0, **once)
    rows = [{"input_ids": [0, 0]}] * arguments.train_batch_size
    try:
        _silent(model, arguments, rows).train()
    except Exception as error:  # noqa: BLE001 - whatever they raise
        raise UsageError(f"training: {first_line(error)}") from None


def _progress(job: Job) -> Any:
    from transformers import TrainerCallback

    class Progress(TrainerCallback):
        def on_step_end(
            self,
            args: object,  # noqa: ARG002
            state: Any,
            control: object,  # noqa: ARG002
            **_: object,
        ) -> None:
            job.advance(state.global_step / max(state.max_steps, 1))

    return Progress()


# Where a killed run goes on.


def last_whole_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that was written to its end; the others are removed.

    The Trainer writes `trainer_state.json` last, so a checkpoint is whole when that
    can be read.
    """
    whole: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        match = re.fullmatch(r"checkpoint-(\d+)", path.name)
        if match and _is_whole(path):
            whole.append((int(match[1]), path))
        else:
            rmtree(path, ignore_errors=True)
    return str(max(whole)[1]) if whole else None


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / "trainer_state.json").read_bytes())
    except (OSError, ValueError):
        return False
    return True
