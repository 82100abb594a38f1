"""The losses that successors are trained by: a class of Trainer for each.

`predicting` is transformers' own: the mean negative log-likelihood of the labels.
`weighing` has a weight per row. `preferring` is TRL's DPO, on rows that are tokens
already.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.loop.steps.model import padding
from lineage.loop.steps.rows import IGNORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.loop.steps.rows import Rows


def predicting() -> Any:
    """The Trainer of transformers."""
    from transformers import Trainer

    return Trainer


def weighing() -> Any:
    """The loss of `predicting` with each row's weight before its own.

    Over the number of labels in all batches whose gradients are accumulated, as the
    Trainer counts them.
    """
    from torch.nn.functional import cross_entropy
    from transformers import Trainer

    class Weighing(Trainer):
        def compute_loss(
            self,
            model: Any,
            inputs: Any,
            return_outputs: bool = False,  # noqa: FBT001, FBT002 - transformers' own
            num_items_in_batch: Any = None,
        ) -> Any:
            known = ("labels", "weight")
            out = model(**{k: v for k, v in inputs.items() if k not in known})
            labels = inputs["labels"][:, 1:]
            logits = out.logits[:, :-1].float().transpose(1, 2)
            each = cross_entropy(
                logits,
                labels,
                ignore_index=IGNORED,
                reduction="none",
                label_smoothing=self.args.label_smoothing_factor,
            )
            count = num_items_in_batch
            count = (labels != IGNORED).sum() if count is None else count
            loss = (each.sum(dim=1) * inputs["weight"]).sum() / count
            return (loss, out) if return_outputs else loss

    return Weighing


def require_trl() -> None:
    """Refuse preferences where trl is not installed."""
    for name in ("trl", "datasets"):
        if find_spec(name) is None:
            message = f"trainer: {{type: dpo}} needs {name}"
            hint = "install it: pip install 'lineage-vcs[trl]'"
            raise LineageError(message, hint=hint)


def preference_arguments() -> Any:
    """The class of TRL's arguments, TrainingArguments and more."""
    require_trl()
    from trl.trainer.dpo_config import DPOConfig

    return DPOConfig


def preferring() -> Any:
    """TRL's DPOTrainer (Rafailov et al. 2023, arXiv:2305.18290), on rows of tokens."""
    require_trl()
    from trl.trainer.dpo_trainer import DPOTrainer

    base: Any = DPOTrainer

    class Preferring(base):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: Any, *_: object) -> Any:
            return dataset

        def create_model_card(self, **_: object) -> None:
            """None in checkpoints, which are nobody's to read."""

    return Preferring


def preferences(model: Any, rows: Rows) -> dict[str, Any]:
    """What TRL's trainer gets beside model and arguments: rows, and how to pad them."""
    from datasets import Dataset
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    pad = padding(model.config)
    return {
        "train_dataset": Dataset.from_list(rows),
        "data_collator": DataCollatorForPreference(pad),
        "processing_class": _only_padding(pad),
    }


def _only_padding(pad: int) -> Any:
    """A tokenizer that knows one token: all that TRL asks of it is what pads."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    word = "<pad>"
    backend = Tokenizer(WordLevel({word: pad}, unk_token=word))
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token=word)


class Padded:
    """Makes a batch of rows, (rows, longest): ids, mask, labels, and weights."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        import torch

        ids = [row["input_ids"] for row in rows]
        labels = [row["labels"] for row in rows]
        longest = max(map(len, ids))
        mask = [[1] * len(row) + [0] * (longest - len(row)) for row in ids]
        batch = {
            "input_ids": torch.tensor(_filled(ids, longest, self.pad)),
            "attention_mask": torch.tensor(mask),
            "labels": torch.tensor(_filled(labels, longest, IGNORED)),
        }
        if "weight" in rows[0]:
            batch["weight"] = torch.tensor([row["weight"] for row in rows])
        return batch


def _filled(rows: Sequence[list[int]], length: int, value: int) -> list[list[int]]:
    return [row + [value] * (length - len(row)) for row in rows]
