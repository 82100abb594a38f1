"""Which text two tokenizers are tried on: a file, or what both were evaluated on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lineage.diff.comparison import Comparison
from lineage.diff.tokenizer.changes import TokenizerChanges
from lineage.diff.tokenizer.reading import Tokenizer
from lineage.diff.tokenizer.retokenised import LONGEST, Retokenised, retokenise
from lineage.errors import LineageError, UsageError
from lineage.records import rows, rows_of
from lineage.records.formats import READERS, suffix
from lineage.records.texts import texts
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
        return replace(
            found, text=retokenise(path.name, _of(path, what), a.text, b.text)
        )
    return replace(found, text=_held_out(what, a.text, b.text))


def _of(path: Path, what: Comparison) -> Iterator[str]:
    """The texts of a file of records, or the lines of any other.

    Raises:
        LineageError: when it cannot be read, or no column holds its text.
    """
    if suffix(path.name) in READERS and suffix(path.name) != ".txt":
        rows = rows_of(path, path.name, progress=what.options.progress)
        return (text for _, text in texts(rows, any_=True))
    return _lines(path, what)


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
    """What it does to the first dataset that both were evaluated on, if it is here."""
    before, after = (commit.ids("evaluated_on") for commit in what.pairs[0].commits)
    both = [id_ for id_ in before if id_ in after]
    if not both:
        return None
    name = f"{what.registry.load(both[0]).name} {both[0][:8]}"
    found = rows(what.registry, both[0], progress=what.options.progress)
    said = (text for _, text in texts(found, any_=True))
    try:
        return retokenise(name, said, old, new, most=_ENOUGH)
    except LineageError as error:
        what.notes.append(f"no text goes through the tokenizers: {error}")
        return None
