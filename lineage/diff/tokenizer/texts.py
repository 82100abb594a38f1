"""Which text two tokenizers are tried on: a file, or what both were evaluated on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lineage.diff.comparison import Comparison
from lineage.diff.payload import place
from lineage.diff.tokenizer.changes import TokenizerChanges
from lineage.diff.tokenizer.reading import Tokenizer
from lineage.diff.tokenizer.retokenised import LONGEST, Retokenised, retokenise
from lineage.errors import LineageError, UsageError
from lineage.loop.records.shards import read_records
from lineage.store.disk import disk_errors

_ENOUGH = 4_000_000  # characters of a dataset that nobody asked for


def through_both(
    what: Comparison, found: TokenizerChanges, a: Tokenizer, b: Tokenizer
) -> TokenizerChanges:
    """`found` with what the change does to a text, where there is one.

    Raises:
        LineageError: when the text of `options` cannot be read.
    """
    if not (a.text and b.text) or a.text == b.text:
        return found
    if path := what.options.text:
        lines = _lines(path, what)
        return replace(found, text=retokenise(path.name, lines, a.text, b.text))
    return replace(found, text=_held_out(what, a.text, b.text))


def _lines(path: Path, what: Comparison) -> Iterator[str]:
    """The lines of a file; a very long one in pieces."""
    try:
        with disk_errors(f"reading {path}"), path.open(encoding="utf-8") as file:
            while line := file.readline(LONGEST):
                what.options.progress(len(line))
                if text := line.rstrip("\n"):
                    yield text
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text") from None


def _held_out(what: Comparison, old: str, new: str) -> Retokenised | None:
    """The first dataset that both commits were evaluated on, if it is here."""
    before, after = (commit.ids("evaluated_on") for commit in what.pairs[0].commits)
    both = [id_ for id_ in before if id_ in after]
    if not both:
        return None
    name = f"{what.registry.load(both[0]).name} {both[0][:8]}"
    try:
        return retokenise(name, _texts(what, both[0]), old, new, most=_ENOUGH)
    except LineageError as error:
        what.notes.append(f"no text goes through the tokenizers: {error}")
        return None


def _texts(what: Comparison, id_: str) -> Iterator[str]:
    for entry in what.registry.files(id_):
        if entry.path.endswith(".jsonl"):
            what.options.progress(entry.size)
            for record in read_records(place(what.registry, entry)):
                yield record["text"]
