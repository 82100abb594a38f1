"""What a trainer says of itself: parameters, metrics, and what goes to the log."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.store.objects import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Recorded even where they are the default.
_ALWAYS = (
    "beta",
    "bf16",
    "fp16",
    "gradient_accumulation_steps",
    "learning_rate",
    "loss_type",
    "lr_scheduler_type",
    "max_length",
    "max_steps",
    "num_train_epochs",
    "optim",
    "per_device_train_batch_size",
    "warmup_steps",
    "weight_decay",
)
# Names that begin so are of the machine, of reports, or of what is saved when.
_NOT_PARAMS = (
    "accelerator_config",
    "data_seed",
    "dataloader_num_workers",
    "dataloader_p",
    "ddp_",
    "debug",
    "deepspeed",
    "disable_tqdm",
    "do_",
    "fsdp",
    "hub_",
    "local_rank",
    "log",
    "model_init_kwargs",
    "output_dir",
    "parallelism_config",
    "project",
    "push_to_hub",
    "report_to",
    "restore_",
    "resume_",
    "run_name",
    "save_",
    "seed",
    "skip_memory",
    "trackio",
)
_TIMES = ("_runtime", "_per_second", "total_flos", "epoch")
_KEPT = 100  # entries of a log


def params_of(args: Any) -> dict[str, Any]:
    """The arguments that shape the model: those that were set, and the usual ones.

    Nothing of the machine; a path stands by its last name.
    """
    given = args.to_dict()
    defaults = {field.name: _default(field) for field in dataclasses.fields(args)}
    chosen = {
        name: _plain(value)
        for name, value in given.items()
        if not name.startswith(_NOT_PARAMS)
        and (name in _ALWAYS or getattr(args, name, value) != defaults.get(name))
    }
    return {k: clean(v) for k, v in chosen.items() if v is not None and v is not False}


def metrics_of(history: Sequence[Mapping[str, Any]]) -> dict[str, Metric]:
    """The training loss, and the last evaluation: what comes out the same again."""
    found: dict[str, Metric] = {}
    for entry in history:
        for name, value in entry.items():
            wanted = name == "train_loss" or name.startswith("eval_")
            if wanted and not name.endswith(_TIMES) and _is_number(value):
                found[name] = _metric(name, float(value))
    return found


def notes_of(args: Any, state: Any) -> dict[str, Any]:
    """What only the log has: the course of training, its time and its size."""
    kind = type(args)
    facts: dict[str, Any] = {
        "arguments": f"{kind.__module__.partition('.')[0]}.{kind.__name__}",
        "global_step": state.global_step,
        "epochs": state.epoch,
        "flops": state.total_flos or None,
        "log_history": _thinned(state.log_history),
    }
    return {name: clean(value) for name, value in facts.items() if value is not None}


def clean(value: Any) -> Any:
    """A value as JSON has it: what is no finite number as text."""
    if isinstance(value, dict):
        return {str(key): clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [clean(each) for each in value]
    if hasattr(value, "item"):
        return clean(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    known = isinstance(value, str | int | float | None)
    return value if known else str(value)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    made = field.default_factory
    return made() if made is not dataclasses.MISSING else None


def _plain(value: Any) -> Any:
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name
    return value


def _is_number(value: Any) -> bool:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return numeric and math.isfinite(value)


def _metric(name: str, value: float) -> Metric:
    ways = {"loss": "lower", "perplexity": "lower", "accuracy": "higher"}
    way = next((way for word, way in ways.items() if word in name), None)
    return Metric(value, f"transformers {name}", direction=way)


def _thinned(history: Sequence[Any]) -> list[Any]:
    """At most a hundred entries, evenly, the last one among them."""
    step = max(1, math.ceil(len(history) / _KEPT))
    return [*history[::-1][::step]][::-1]
