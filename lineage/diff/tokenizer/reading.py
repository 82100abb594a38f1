"""A tokenizer's files as one value, whichever version of a library wrote them.

tokenizer.json goes through the `tokenizers` library and comes out as that one writes
it, so that the order of keys, spaces, merges as text or pairs, and fields left at
their defaults make no difference. Without it vocab.json and merges.txt (byte-level
BPE) or vocab.txt (WordPiece) give the vocabulary. What transformers keeps beside it
has moved between files over time and is read wherever it stands: special tokens,
settings, chat templates.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lineage.diff.tokenizer.beside import Beside, read_beside, read_json, read_text
from lineage.errors import LineageError

_LARGEST = 1 << 28  # bytes; the largest vocabularies of today take a tenth of it
_OWN = ("model", "added_tokens", "version")
_LONG = 1000  # characters of a setting; longer ones are tables, not settings


@dataclass(frozen=True)
class Tokenizer:
    """What a tokenizer's files say.

    `vocabulary` has each token's id, those added to the model's included; `scores`
    are a Unigram's log probabilities; `merges` the rank of each pair, as "left right".
    `added` are the added tokens with their flags, `settings` all the rest of
    tokenizer.json. `text` is that file in canonical form, empty without one.
    """

    vocabulary: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    merges: Mapping[str, int] = field(default_factory=dict)
    added: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    beside: Beside = field(default_factory=Beside)
    text: str = ""


def read_tokenizer(names: list[str], find: Callable[[str], Path]) -> Tokenizer:
    """The tokenizer that a folder's files `names` are; `find` says where each lies.

    Raises:
        LineageError: names the file that is malformed or not here.
    """
    beside = read_beside(names, find)
    if "tokenizer.json" in names:
        return _whole(_canonical(find("tokenizer.json")), beside)
    if "vocab.json" in names and "merges.txt" in names:
        vocabulary = _vocabulary(find("vocab.json"), "vocab.json")
        return _joined(vocabulary, beside, merges=_merges(find("merges.txt")))
    if "vocab.txt" in names:
        text = read_text(find("vocab.txt"), "vocab.txt", _LARGEST).replace("\r\n", "\n")
        lines = text.removesuffix("\n").split("\n") if text else []
        return _joined({line: number for number, line in enumerate(lines)}, beside)
    return Tokenizer(beside=beside)


def _canonical(path: Path) -> str:
    """tokenizer.json as the installed library writes it.

    Raises:
        LineageError: when there is no library, or it cannot read the file.
    """
    try:
        import tokenizers
    except ImportError:
        then = "install it: pip install 'lineage-vcs[diff]'"
        message = f"that needs tokenizers; {then}"
        raise LineageError(message) from None
    data = read_text(path, "tokenizer.json", _LARGEST)
    try:
        return tokenizers.Tokenizer.from_str(data).to_str()
    except BaseException as error:  # a panic of the library is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        which = f"tokenizers {tokenizers.__version__}"
        message = f"tokenizer.json is nothing that {which} reads: {error}"
        raise LineageError(message) from None


def _whole(text: str, beside: Beside) -> Tokenizer:
    said = json.loads(text)
    model, added = said["model"], said.get("added_tokens") or []
    vocabulary, scores = model.pop("vocab"), {}
    if isinstance(vocabulary, list):
        scores = dict(vocabulary)
        vocabulary = {piece: number for number, (piece, _) in enumerate(vocabulary)}
    merges = model.pop("merges", None) or []
    pairs = (pair if isinstance(pair, str) else " ".join(pair) for pair in merges)
    rest = {key: value for key, value in said.items() if key not in _OWN}
    return Tokenizer(
        vocabulary | {token["content"]: token["id"] for token in added},
        scores,
        {pair: rank for rank, pair in enumerate(pairs)},
        {token.pop("content"): _flags(token) for token in added},
        _short({"model": model} | rest),
        beside,
        text,
    )


def _joined(
    vocabulary: dict[str, int], beside: Beside, merges: Mapping[str, int] | None = None
) -> Tokenizer:
    """A tokenizer without tokenizer.json, whose added tokens stand beside it."""
    ids = {token: flags["id"] for token, flags in beside.added.items()}
    added = {token: _flags(flags) for token, flags in beside.added.items()}
    return Tokenizer(vocabulary | ids, merges=merges or {}, added=added, beside=beside)


def _flags(token: Mapping[str, Any]) -> dict[str, Any]:
    """How an added token is found; its id is the vocabulary's."""
    return {key: value for key, value in token.items() if key != "id"}


def _merges(path: Path) -> dict[str, int]:
    lines = read_text(path, "merges.txt", _LARGEST).split("\n")
    lines = [line.removesuffix("\r") for line in lines if line.strip()]
    if lines and lines[0].startswith("#version"):
        del lines[0]
    return {line: rank for rank, line in enumerate(lines)}


def _vocabulary(path: Path, name: str) -> dict[str, int]:
    said = read_json(path, name, _LARGEST)
    whole = isinstance(said, dict) and all(type(v) is int for v in said.values())
    if not whole:
        raise LineageError(f"{name} is not an object of tokens and their ids")
    return dict(said)


def _short(value: Any) -> Any:
    """`value` without nulls, and with a digest in place of each very long text."""
    from lineage.store.canonical import digest

    if isinstance(value, dict):
        return {k: _short(item) for k, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_short(item) for item in value]
    if isinstance(value, str) and len(value) > _LONG:
        return f"{len(value):,} characters, SHA-256 {digest(value.encode())[:12]}"
    return value
