"""Tokenizers side by side: tokens, merges, special tokens, settings, chat templates.

A tokenizer is the files of one folder of a commit. What is compared is what they
say, whichever version of a library wrote them (see `reading` and `beside`).
"""

from collections.abc import Iterator
from pathlib import Path

from lineage.diff.comparison import Comparison
from lineage.diff.parts import Pair
from lineage.diff.tokenizer.changes import TokenizerChanges, side_by_side
from lineage.diff.tokenizer.folders import Files, folders, has_pieces, same
from lineage.diff.tokenizer.reading import Tokenizer, read_tokenizer
from lineage.diff.tokenizer.texts import through_both
from lineage.errors import LineageError
from lineage.records import place

__all__ = ["TokenizerChanges", "compare"]


def compare(what: Comparison) -> tuple[TokenizerChanges, ...]:
    """The tokenizers that differ; a note says which could not be compared, and why.

    Raises:
        LineageError: when the text of `options` cannot be read.
    """
    return tuple(
        found
        for pair in what.pairs
        if pair.a and pair.b and (pair.part or not pair.label)
        for found in _of_pair(what, pair)
    )


def _of_pair(what: Comparison, pair: Pair) -> Iterator[TokenizerChanges]:
    before, after = (folders(what.registry, side) for side in (pair.a, pair.b))
    for folder in sorted(before.keys() & after.keys()):
        sides = before[folder], after[folder]
        if same(*sides):
            continue
        where = "/".join(filter(None, (pair.label, folder)))
        try:
            a, b = (_read(what, files) for files in sides)
        except LineageError as error:
            what.notes.append(
                f"{_named('the tokenizer', where)} is not compared: {error}"
            )
            continue
        for limit in _limits(a, b, *sides):
            what.notes.append(f"{_named('the tokenizer', where)}: {limit}")
        if found := side_by_side(pair.label, folder, a, b):
            yield through_both(what, found, a, b)


def _read(what: Comparison, files: Files) -> Tokenizer:
    def find(name: str) -> Path:
        path = place(what.registry, files[name])
        what.options.progress(files[name].size)
        return path

    return read_tokenizer([*files], find)


def _named(text: str, where: str) -> str:
    return f"{text} of {where}" if where else text


def _limits(a: Tokenizer, b: Tokenizer, old: Files, new: Files) -> Iterator[str]:
    """What of two tokenizers cannot be compared."""
    if bool(a.vocabulary) != bool(b.vocabulary) or (
        not a.vocabulary and has_pieces(old) != has_pieces(new)
    ):
        yield "nothing here reads a SentencePiece model, so no tokens are compared"
    elif bool(a.text) != bool(b.text):
        yield "only one side has tokenizer.json, so only tokens and merges are compared"
