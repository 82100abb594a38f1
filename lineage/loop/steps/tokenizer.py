"""The loop's tokenizer: one for all generations, that of generation 0's model.

It comes with a given model, or is a byte-level BPE (Sennrich et al. 2016,
arXiv:1508.07909; Radford et al. 2019) trained on the human training text alone.
Successors get a copy of its files, so the bytes are stored once.
"""

from __future__ import annotations

import re
from shutil import copyfile
from typing import TYPE_CHECKING, Any, Protocol

from lineage.errors import LineageError, UsageError
from lineage.loop.quiet import quiet
from lineage.loop.steps.model import check_context, context_length, reason, shown
from lineage.loop.steps.session import INSTALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lineage.loop.spec import LoopSpec

END_OF_TEXT = "<|endoftext|>"
# Every file that a tokenizer's save_pretrained may write.
_FILES = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "vocab.*",
    "merges.txt",
    "*.model",
)
_VOCABULARY = ("tokenizer*", "vocab.*", "*.model")


class Tokens(Protocol):
    """What the loop asks of a tokenizer; it never adds special tokens."""

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of each text."""

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        """Where each token of `text` starts and ends, in characters."""


class Subwords:
    """A tokenizer of the `tokenizers` library."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        backend.no_truncation()
        backend.no_padding()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        encoded = self._backend.encode_batch(list(texts), add_special_tokens=False)
        return [one.ids for one in encoded]

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        offsets: list[tuple[int, int]]
        offsets = self._backend.encode(text, add_special_tokens=False).offsets
        return offsets

    def decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """The text of each row, special tokens left out."""
        texts: list[str] = self._backend.decode_batch(rows, skip_special_tokens=True)
        return texts


class Words:
    """Words for tokens, where a model brings no tokenizer (a step of the user's)."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [
            [self._ids.setdefault(word, len(self._ids)) for word in text.split()]
            for text in texts
        ]

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\S+", text)]


def training_rows(rows: Iterable[list[int]], block_size: int) -> list[list[int]]:
    """What of records trains: a block of each that has a token to predict."""
    return [ids[:block_size] for ids in rows if len(ids) > 1]


def load_tokens(folder: Path) -> Tokens:
    """The tokenizer of a model folder; words where it has none."""
    return load_subwords(folder) if has_tokenizer(folder) else Words()


def has_tokenizer(folder: Path) -> bool:
    """Whether a model folder brings one."""
    return any(file for glob in _VOCABULARY for file in folder.glob(glob))


def load_subwords(folder: Path) -> Subwords:
    """The tokenizer of a model folder.

    Raises:
        LineageError: when there is none, or the library for it is not installed.
    """
    if not has_tokenizer(folder):
        message = f"the model {shown(folder)} has no tokenizer"
        raise LineageError(message, hint="save it there too, with save_pretrained")
    try:
        from tokenizers import Tokenizer

        if (folder / "tokenizer.json").is_file():
            return Subwords(Tokenizer.from_file(str(folder / "tokenizer.json")))
        with quiet():
            from transformers import AutoTokenizer

            slow = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        return Subwords(slow.backend_tokenizer)
    except ImportError as error:
        message = f"a model's tokenizer needs {error.name}"
        raise LineageError(message, hint=f"install it: {INSTALL}") from None
    except Exception as error:  # noqa: BLE001 - the library raises just that
        message = f"the model {shown(folder)} has no usable tokenizer"
        raise LineageError(f"{message}: {reason(folder, error)}") from None


def make_blank(spec: LoopSpec, texts: Iterable[str], folder: Path) -> None:
    """Write what a model trained from scratch starts as: tokenizer and config.

    Args:
        spec: its `model` section says how large both are.
        texts: human training text and nothing else.
        folder: gets the files that `save_pretrained` would write, but no weights.

    Raises:
        UsageError: when the model cannot see a whole block.
    """
    try:
        from transformers import AutoConfig, PreTrainedTokenizerFast
    except ImportError as error:
        message = f"training a tokenizer needs {error.name}"
        raise LineageError(message, hint=f"install it: {INSTALL}") from None
    assert spec.model.config is not None
    assert spec.model.tokenizer is not None
    backend = train_bpe(texts, spec.model.tokenizer.vocab_size)
    end = backend.token_to_id(END_OF_TEXT)
    special = {"bos_token_id": end, "eos_token_id": end}
    size = {"vocab_size": backend.get_vocab_size()}
    try:
        with quiet():
            config = AutoConfig.for_model(**(special | spec.model.config | size))
    except Exception as error:  # noqa: BLE001 - whatever a config class raises
        what = str(error).strip().splitlines()[-1].strip()
        raise UsageError(f"model.config: {what}") from None
    check_context(config, spec.dataset.block_size)
    config.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
        clean_up_tokenization_spaces=False,
        model_max_length=context_length(config) or spec.dataset.block_size,
    ).save_pretrained(folder)


def train_bpe(texts: Iterable[str], vocab_size: int) -> Any:
    """A byte-level BPE over `texts`: 256 bytes, the end of text, and merges."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return backend


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy a model folder's tokenizer files byte for byte."""
    for pattern in _FILES:
        for file in source.glob(pattern):
            if file.is_file() and not (target / file.name).exists():
                copyfile(file, target / file.name)
