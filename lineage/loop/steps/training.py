"""The Trainer as a loop uses it: silent, with arguments of its own, and whole sums.

What a training took is counted where the Trainer keeps its own state, in each
checkpoint, so that one which goes on counts all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError
from lineage.loop.steps.model import first_line, padding
from lineage.loop.steps.protocol import count_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.protocol import Job

Rows = list[dict[str, list[int]]]

_IGNORED = -100  # the label that a loss leaves out


def make_trainer(job: Job, model: Any, rows: Rows) -> Any:
    """A Trainer for `rows`, with checkpoints in the job's scratch and `totals`."""
    trainer = _trainer(model, _arguments(job.spec, job.scratch, job.seed), rows)
    trainer.add_callback(_progress(job))
    return trainer


def try_training(spec: LoopSpec, model: Any, folder: Path) -> None:
    """Train a model for one step on next to nothing, to see that it can be.

    Raises:
        UsageError: says what transformers or torch say about `training`.
    """
    once = {"max_steps": 1, "gradient_accumulation_steps": 1, "save_strategy": "no"}
    arguments = _arguments(spec, folder, 0, **once)
    rows = [{"input_ids": [0, 0]}] * arguments.train_batch_size
    try:
        _trainer(model, arguments, rows).train()
    except Exception as error:  # noqa: BLE001 - whatever they raise
        raise UsageError(f"training: {first_line(error)}") from None


def _trainer(model: Any, arguments: Any, rows: Rows) -> Any:
    from transformers import Trainer
    from transformers.trainer_callback import PrinterCallback

    class Counting(Trainer):
        totals: Any

        def training_step(self, model: Any, inputs: Any, *more: Any) -> Any:
            loss = super().training_step(model, inputs, *more)
            self.totals.add(inputs["attention_mask"].sum(), loss)
            return loss

    totals = _totals()
    trainer = Counting(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=_Padded(padding(model.config)),
        callbacks=[totals],
    )
    trainer.totals = totals
    trainer.remove_callback(PrinterCallback)
    return trainer


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


class _Padded:
    """Makes a batch of rows: input_ids, attention_mask, labels, (rows, longest)."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, rows: Sequence[dict[str, list[int]]]) -> dict[str, Any]:
        import torch

        ids = [row["input_ids"] for row in rows]
        longest = max(map(len, ids))
        mask = [[1] * len(row) + [0] * (longest - len(row)) for row in ids]
        return {
            "input_ids": torch.tensor(_filled(ids, longest, self.pad)),
            "attention_mask": torch.tensor(mask),
            "labels": torch.tensor(_filled(ids, longest, _IGNORED)),
        }


def _filled(rows: Sequence[list[int]], length: int, value: int) -> list[list[int]]:
    return [row + [value] * (length - len(row)) for row in rows]


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
