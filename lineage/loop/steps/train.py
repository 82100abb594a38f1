"""Train: a successor learns from a dataset, through `transformers.Trainer`.

Read it top to bottom: the rows, the model to start from, what is saved, the last
whole checkpoint. What of a record trains is in `rows`, the Trainer in `training`.
"""

from __future__ import annotations

import json
import math
import re
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.loop.records.shards import read_all, shards_of
from lineage.loop.steps.adapter import adapted, is_adapter, new_adapter, save_adapter
from lineage.loop.steps.model import (
    check_ids,
    load_model,
    new_model,
    opened,
    padded_as_before,
)
from lineage.loop.steps.protocol import Job, Result
from lineage.loop.steps.rows import Encoder
from lineage.loop.steps.session import session
from lineage.loop.steps.tokenizer import copy_tokenizer
from lineage.loop.steps.training import make_trainer

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.loop.steps.rows import Rows

READS = (
    "model",
    "training",
    "trainer",
    "dataset",
    "generation",
    "num_threads",
    "num_processes",
)  # sections of loop.yaml


def train(job: Job) -> Result:
    """Train on `inputs["dataset"]` and save the model with its tokenizer.

    `inputs["base"]` is generation 0's model, or its config and tokenizer alone
    while that is being made; `inputs["parent"]` the model of the generation before.
    """
    with session(job):
        base = job.inputs["base"]
        reference = _reference(job)
        rows = _rows(job, preferences=reference is not None)
        model = _starting_model(job)
        check_ids(model, map(_ids, rows))
        with padded_as_before(model):
            trainer = make_trainer(job, model, rows, reference)
            checkpoint = last_whole_checkpoint(job.scratch)
            outcome = trainer.train(resume_from_checkpoint=checkpoint)
        if not trainer.is_world_process_zero():
            return Result()  # one process speaks for all
        loss = _mean_loss(trainer.totals, outcome.global_step)
        _save(model, job.output)
        copy_tokenizer(base, job.output)
    return Result(
        circumstances={
            **trainer.totals.counted(),
            "flops": outcome.metrics["total_flos"],
            "loss": loss,
            "steps": outcome.global_step,
        }
    )


def _mean_loss(totals: Any, steps: int) -> float:
    if not steps:
        message = "training took no step: its batches are larger than the data"
        raise LineageError(message, hint="lower per_device_train_batch_size")
    loss = float(totals.loss) / steps
    if not math.isfinite(loss):
        message = f"training diverged: its mean loss is {loss}"
        raise LineageError(message, hint="lower training.learning_rate")
    return loss


# The rows.


def _rows(job: Job, *, preferences: bool) -> Rows:
    records = list(read_all(shards_of(job.inputs["dataset"])))
    encoder = Encoder(job.inputs["base"], job.spec)
    if not preferences:
        rows = encoder.texts(records)
        if not rows:
            raise LineageError("no training record has a token to predict")
        return rows
    if other := sum("chosen" not in record for record in records):
        message = f"{other} of {len(records)} training records are no preferences"
        hint = "dpo needs selection: {keep: pairs} and mixing: {strategy: replace}"
        raise LineageError(message, hint=hint)
    rows = encoder.preferences(records)
    if not rows:
        raise LineageError(
            "no preference has a prompt and two answers that fit a block"
        )
    return rows


def _ids(row: dict[str, Any]) -> list[int]:
    names = ("input_ids", "prompt_ids", "chosen_ids", "rejected_ids")
    return [id_ for name in names for id_ in row.get(name, ())]


# The model to start from, and the one that preferences are measured against.


def _starting_model(job: Job) -> Any:
    """A copy of the weights of generation 0 or of the parent, or new ones.

    Generation 0 is only trained where there are none to copy.
    """
    spec = job.spec.model
    start = spec.successor_from
    if start == "scratch" or not job.generation:
        return new_model(job.inputs["base"], spec.dtype)
    if spec.peft is None:
        return load_model(job.inputs[start], None, spec.dtype, spec.device_map)
    whole = load_model(job.inputs["base"], None, spec.dtype, spec.device_map)
    if is_adapter(job.inputs[start]):
        return adapted(whole, job.inputs[start])
    return new_adapter(whole, spec.peft)


def _reference(job: Job) -> Any:
    """The model that DPO holds its successor to; None for other trainers.

    Generation 0 learns from human text.
    """
    if job.spec.trainer.type != "dpo" or not job.generation:
        return None
    return opened(job, job.inputs[job.spec.trainer.reference])


def _save(model: Any, folder: Path) -> None:
    model.config.use_cache = True  # the Trainer turns it off, for training only
    if hasattr(model, "peft_config"):
        save_adapter(model, folder)
    else:
        model.save_pretrained(folder)


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
