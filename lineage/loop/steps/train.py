"""Train: a successor learns from a dataset, through `transformers.Trainer`.

Read it top to bottom: the rows, the model to start from, the training, what is saved,
the last whole checkpoint; the Trainer itself is in `training`. One record is one row;
nothing is joined across records, so shares of records are shares of training rows.
"""

from __future__ import annotations

import json
import math
import re
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.loop.shards import read_texts, shards_of
from lineage.loop.steps.model import check_ids, load_model, new_model
from lineage.loop.steps.protocol import Job, Result
from lineage.loop.steps.session import session
from lineage.loop.steps.tokenizer import copy_tokenizer, load_subwords, training_rows
from lineage.loop.steps.training import make_trainer

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.loop.steps.training import Rows

READS = (
    "model",
    "training",
    "dataset.block_size",
    "num_threads",
)  # sections of loop.yaml


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
        trainer = make_trainer(job, model, rows)
        checkpoint = last_whole_checkpoint(job.scratch)
        outcome = trainer.train(resume_from_checkpoint=checkpoint)
        if not outcome.global_step:
            message = "training took no step: its batches are larger than the data"
            raise LineageError(message, hint="lower per_device_train_batch_size")
        loss = float(trainer.totals.loss) / outcome.global_step
        if not math.isfinite(loss):
            message = f"training diverged: its mean loss is {loss}"
            raise LineageError(message, hint="lower training.learning_rate")
        model.config.use_cache = True  # the Trainer turns it off, for training only
        model.save_pretrained(job.output)
        copy_tokenizer(base, job.output)
    return Result(
        circumstances={
            **trainer.totals.counted(),
            "flops": outcome.metrics["total_flos"],
            "loss": loss,
            "steps": outcome.global_step,
        }
    )


# The rows: each record's tokens, at most `block_size` of them.


def _rows(job: Job, tokenizer: Path) -> Rows:
    texts = list(read_texts(shards_of(job.inputs["dataset"])))
    encoded = load_subwords(tokenizer).encode(texts)
    size = job.spec.dataset.block_size
    rows = [{"input_ids": ids} for ids in training_rows(encoded, size)]
    if not rows:
        raise LineageError("no training record has two tokens or more")
    return rows


# The model to start from.


def _starting_model(job: Job) -> Any:
    """A copy of the weights of generation 0 or of the parent, or new ones.

    Generation 0 is only trained where there are none to copy.
    """
    start = job.spec.model.successor_from
    if start != "scratch" and job.generation:
        return load_model(job.inputs[start])
    return new_model(job.inputs["base"])


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
