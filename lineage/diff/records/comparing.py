"""Two sets of files compared record by record."""

from functools import partial
from pathlib import Path
from typing import Any

from lineage.diff.comparison import Options
from lineage.diff.records.aligning import Runs, align
from lineage.diff.records.changes import RecordChanges
from lineage.diff.records.columns import columns
from lineage.diff.records.engine import Engine, engine
from lineage.diff.records.keyed import keyed
from lineage.diff.records.matching import NEW, OLD, CollidedError, Matching
from lineage.diff.records.places import moved, reordered
from lineage.diff.records.reading import DELIMITERS, LINES, Reader
from lineage.diff.records.samples import samples
from lineage.diff.records.schema import schema, types
from lineage.diff.records.sources import Sources
from lineage.errors import StoreError
from lineage.records.formats import suffix

_WORDS = {OLD: "old", NEW: "new"}


def compare_files(
    found: Sources, label: str, options: Options, home: Path, notes: list[str]
) -> RecordChanges:
    """The changes from the files of one side to those of the other.

    A file that cannot be read gets a note, and is left out on both sides.

    Raises:
        StoreError: when nothing of one side can be read, and something of the other.
    """
    before = len(notes)
    try:
        return _compare(found, label, options, home, notes, strong=False)
    except CollidedError:
        del notes[before:]
        return _compare(found, label, options, home, notes, strong=True)


def _compare(
    found: Sources,
    label: str,
    options: Options,
    home: Path,
    notes: list[str],
    *,
    strong: bool,
) -> RecordChanges:
    readable = {file.place for side in (found.a, found.b) for file in side}
    with engine(home, readable) as database:
        matching = Matching(database, options.key, strong=strong)
        paths = _read(matching, Reader(database, options.progress), found, notes)
        runs = {} if strong else _runs(found, paths)
        about = {"label": label, "same_files": found.same}
        return _changes(matching, runs, paths, options, notes, **about)


def _runs(found: Sources, paths: list[str]) -> dict[int, Runs]:
    """The lines that both sides of a file share, by its number."""
    new = {file.path: file.place for file in found.b}
    runs = {}
    for file in found.a:
        kind = suffix(file.path)
        if file.path in new and kind in (*LINES, *DELIMITERS):
            shared: Runs | None = align(file.place, new[file.path])
            if shared and kind in DELIMITERS:
                shared = shared.headed()
            if shared:
                runs[paths.index(file.path)] = shared
    return runs


def _read(
    matching: Matching, reader: Reader, found: Sources, notes: list[str]
) -> list[str]:
    """Take in all files; the paths that their numbers stand for."""
    paths = sorted({file.path for side in (found.a, found.b) for file in side})
    numbers = {path: number for number, path in enumerate(paths)}
    failed: set[tuple[int, int]] = set()
    for side, files in ((OLD, found.a), (NEW, found.b)):
        for file in files:
            number = numbers[file.path]
            try:
                reader.read(file, partial(matching.take, side, number))
            except StoreError as error:
                notes.append(f"{error} ({_WORDS[side]}); the file is not compared")
                failed.add((side, number))
    bad = {number for _, number in failed}
    for side, files, others in ((OLD, found.a, found.b), (NEW, found.b, found.a)):
        lost = files and all((side, numbers[file.path]) in failed for file in files)
        if lost and any(numbers[file.path] not in bad for file in others):
            raise StoreError(f"nothing of the {_WORDS[side]} side can be read")
    for number in bad:
        matching.drop(number)
    return paths


def _changes(
    matching: Matching,
    runs: dict[int, Runs],
    paths: list[str],
    options: Options,
    notes: list[str],
    **about: Any,
) -> RecordChanges:
    database = matching.engine
    differs = matching.count(runs)
    records = _records(database)
    if differs:
        matching.match()
    added, removed = _added_removed(database) if differs else (0, 0)
    by_key = keyed(matching, options.key, notes) if differs and options.key else None
    changed = by_key.changed if by_key else 0
    found = types(matching) if added or removed else {}
    return RecordChanges(
        **about,
        records=records,
        added=added - changed,
        removed=removed - changed,
        changed=changed if options.key and (by_key or not differs) else None,
        key=options.key,
        changed_columns=by_key.columns if by_key else {},
        moved=moved(database),
        reordered=reordered(database),
        duplicated=_duplicated(database, differs=differs),
        schema=schema(found),
        columns=columns(matching, found) if found else (),
        sampled=matching.sampled,
        samples=samples(matching, paths, options, paired=by_key is not None)
        if differs
        else (),
    )


def _records(database: Engine) -> tuple[int, int]:
    a, b = database.one(
        "SELECT count(*) FILTER (side = 0), count(*) FILTER (side = 1) FROM lines"
    )
    return a, b


def _added_removed(database: Engine) -> tuple[int, int]:
    added, removed = database.one(
        "SELECT coalesce(sum(greatest(b - a, 0)), 0)::BIGINT,"
        " coalesce(sum(greatest(a - b, 0)), 0)::BIGINT FROM ids"
    )
    return added, removed


def _duplicated(database: Engine, *, differs: bool) -> tuple[int, int]:
    """The copies beside the first on either side."""
    where = "WHERE a = b" if differs else ""
    rest = " UNION ALL SELECT a, b FROM ids" if differs else ""
    a, b = database.one(
        "SELECT coalesce(sum(greatest(a - 1, 0)), 0)::BIGINT,"
        " coalesce(sum(greatest(b - 1, 0)), 0)::BIGINT"
        f" FROM (SELECT a, b FROM counts {where}{rest})"
    )
    return a, b
