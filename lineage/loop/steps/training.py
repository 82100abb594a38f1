"""The Trainer as a loop uses it: silent, with arguments of its own, and whole sums.

What a training took is counted where the Trainer keeps its own state, in each
checkpoint, so that one which goes on counts all of it. Which loss it lowers is said
by `trainer` in the spec: see `losses`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, UsageError, first_line
from lineage.loop.steps import losses
from lineage.loop.steps.model import padding
from lineage.loop.steps.protocol import count_tokens
from lineage.loop.steps.rows import weigh

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.protocol import Job
    from lineage.loop.steps.rows import Rows


def make_trainer(job: Job, model: Any, rows: Rows, reference: Any = None) -> Any:
    """A Trainer for `rows`, with checkpoints in the job's scratch and `totals`.

    With a `reference` the rows are preferences, and the trainer DPO's.

    Raises:
        UsageError: says what transformers or trl say about `training`.
    """
    fields = job.spec.training_of(job.generation)
    try:
        arguments = _arguments(job.spec, fields, job.scratch, job.seed, reference)
    except LineageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever they raise
        raise UsageError(f"training: {first_line(error)}") from None
    trainer = _trainer(job.spec, model, arguments, rows, reference)
    trainer.add_callback(_progress(job))
    return trainer


def try_training(spec: LoopSpec, model: Any, folder: Path) -> None:
    """Train a model for one step on next to nothing, to see that it can be.

    That is how successors are trained, and first how generation 0 is where it has
    settings of its own.

    Raises:
        UsageError: says what transformers, trl or torch say about `training`.
    """
    if spec.model.training is not None:
        _try_once(spec, model, folder, generation=0)
    _try_once(spec, model, folder, generation=1)


def _try_once(spec: LoopSpec, model: Any, folder: Path, *, generation: int) -> None:
    where = "training" if generation else "model.training"
    once = {"max_steps": 1, "gradient_accumulation_steps": 1, "save_strategy": "no"}
    one: dict[str, Any] = {"input_ids": [0, 0], "labels": [0, 0], "reward": None}
    reference = None
    if spec.trainer.type == "dpo" and generation:
        losses.require_trl()
        one = {"prompt_ids": [0], "chosen_ids": [0], "rejected_ids": [0]}
        reference = deepcopy(model)
    if spec.model.peft is not None and generation:
        model = _try_adapter(spec, model)
    fields = spec.training_of(generation)
    try:
        arguments = _arguments(spec, fields | once, folder, 0, reference)
        rows = [one | {} for _ in range(arguments.train_batch_size)]
        _trainer(spec, model, arguments, rows, reference).train()
    except Exception as error:  # noqa: BLE001 - whatever they raise
        raise UsageError(f"{where}: {first_line(error)}") from None


def _try_adapter(spec: LoopSpec, model: Any) -> Any:
    from lineage.loop.steps.adapter import new_adapter

    try:
        return new_adapter(model, spec.model.peft or {})
    except LineageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever peft raises
        raise UsageError(f"model.peft: {first_line(error)}") from None


def _trainer(
    spec: LoopSpec, model: Any, arguments: Any, rows: Rows, reference: Any
) -> Any:
    from transformers.trainer_callback import PrinterCallback

    totals = _totals()
    given = {"model": model, "args": arguments, "callbacks": [totals]}
    if reference is not None:
        kind = losses.preferring()
        given |= {"ref_model": reference, **losses.preferences(model, rows)}
    else:
        kind = losses.predicting()
        if spec.trainer.type == "reward_weighted":
            weigh(rows, spec.trainer.temperature)
            kind = losses.weighing()
        collator = losses.Padded(padding(model.config))
        given |= {"train_dataset": rows, "data_collator": collator}
    trainer = _counting(kind)(**given)
    trainer.totals = totals
    trainer.remove_callback(PrinterCallback)
    return trainer


def _counting(kind: Any) -> Any:
    class Counting(kind):  # type: ignore[misc]
        totals: Any

        def training_step(self, model: Any, inputs: Any, *more: Any) -> Any:
            tokens = inputs["attention_mask"].sum()
            loss = super().training_step(model, inputs, *more)
            add_up = self.accelerator.reduce  # over the processes that train together
            self.totals.add(add_up(tokens, "sum"), add_up(loss, "mean"))
            return loss

    return Counting


def _totals() -> Any:
    """Sums over all steps of a training, those before a kill too."""
    from transformers import TrainerCallback
    from transformers.trainer_callback import ExportableState

    class Totals(TrainerCallback, ExportableState):
        tokens: Any = 0  # tensors on the model's device, so that no step waits for it
        loss: Any = 0.0
        kept = 0

        def add(self, tokens: Any, loss: Any) -> None:
            self.tokens, self.loss = self.tokens + tokens, self.loss + loss

        def counted(self) -> dict[str, int]:
            return count_tokens(int(self.tokens), self.kept)

        def state(self) -> dict[str, Any]:
            sums = {"tokens": int(self.tokens), "loss": float(self.loss)}
            return {"args": {}, "attributes": sums}

        def on_train_begin(
            self,
            args: object,  # noqa: ARG002
            state: Any,
            control: object,  # noqa: ARG002
            **_: object,
        ) -> None:
            sums = state.stateful_callbacks["Totals"]["attributes"]
            self.tokens = self.kept = sums["tokens"]
            self.loss = sums["loss"]

    return Totals()


def _arguments(
    spec: LoopSpec, fields: dict[str, Any], folder: Path, seed: int, reference: Any
) -> Any:
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
        "remove_unused_columns": False,  # rows have what the loss reads
    }
    unless_said: dict[str, Any] = {
        "logging_strategy": "no",
        "save_total_limit": 2,
        "dataloader_pin_memory": cuda,
        "full_determinism": cuda,  # `session` does it for processors
    }
    if spec.num_processes > 1:
        unless_said["use_cpu"] = not cuda  # else accelerate sees no other process
    kind: Any = TrainingArguments
    if reference is not None:
        kind = losses.preference_arguments()
        ours |= {"beta": spec.trainer.beta, "max_length": None}
        unless_said |= _as_for_others()
    return kind(**(unless_said | fields | ours))


def _as_for_others() -> dict[str, Any]:
    """Defaults of TrainingArguments where DPOConfig has others."""
    from dataclasses import fields

    from transformers import TrainingArguments

    return {
        field.name: field.default
        for field in fields(TrainingArguments)
        if field.name in ("learning_rate", "gradient_checkpointing", "bf16")
    }


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
