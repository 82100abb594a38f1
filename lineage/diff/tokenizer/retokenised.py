"""How much of a text two tokenizers cut differently.

A token is the same when both have it, under the same name, at the same place of the
text; ids do not matter here. Special tokens that a post-processor puts around a text
are left out, and nothing is truncated or padded. A text goes through in pieces of
about a million characters, so that memory does not grow with it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BATCH = 1 << 20  # characters that are tokenised at once
LONGEST = 1 << 18  # characters of a record that are tokenised as one text


@dataclass(frozen=True)
class Retokenised:
    """A text through both tokenizers.

    Of so many `records`, `different` are cut differently; `a` and `b` count the old
    and new tokens, `fresh` the new ones that the old tokenizer does not make there.
    `whole` is False where only the beginning of the text was taken.
    """

    source: str
    records: int
    different: int
    characters: int
    a: int
    b: int
    fresh: int
    whole: bool = True


def retokenise(
    source: str, texts: Iterable[str], old: str, new: str, most: int | None = None
) -> Retokenised:
    """Put `texts`, at most so many characters, through two tokenizers.

    Args:
        source: what the texts are called.
        texts: one per record.
        old: a tokenizer.json, as text.
        new: the other one.
        most: characters; None is all.
    """
    before, after = _loaded(old), _loaded(new)
    counts: Counter[str] = Counter()
    whole = True
    for batch in _batches(texts):
        if most is not None and counts["characters"] >= most:
            whole = False
            break
        sides = (
            t.encode_batch(batch, add_special_tokens=False) for t in (before, after)
        )
        for a, b in zip(*sides, strict=True):
            counts.update(_compared(_tokens(a), _tokens(b)))
        counts.update(records=len(batch), characters=sum(map(len, batch)))
    names = ("records", "different", "characters", "a", "b", "fresh")
    return Retokenised(source, whole=whole, **{name: counts[name] for name in names})


def _loaded(text: str) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in chain.from_iterable(map(_pieces, texts)):
        if batch and size + len(text) > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, max(len(text), 1), LONGEST):
        yield text[start : start + LONGEST]


def _tokens(encoding: Any) -> list[tuple[tuple[int, int], str]]:
    return list(zip(encoding.offsets, encoding.tokens, strict=True))


def _compared(a: list[Any], b: list[Any]) -> dict[str, int]:
    fresh = 0 if a == b else (Counter(b) - Counter(a)).total()
    return {"different": a != b, "a": len(a), "b": len(b), "fresh": fresh}
