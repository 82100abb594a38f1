"""Where one record comes from: back through the datasets to whoever wrote it.

Git's blame asks which commit a line is from. A record went through filters and
mixes before it trained anything, and a model, a prompt and a seed may stand behind
it. Files are searched by their bytes; nothing reads a dataset through for one record.
"""

from lineage.blame.finding import find
from lineage.blame.result import Blame, Chooser, Place, Prompt, Step, Tainted, Writer
from lineage.blame.target import dataset_of
from lineage.blame.way_back import climb
from lineage.registry import Registry
from lineage.store.reading import Progress, unwatched

__all__ = [
    "Blame",
    "Chooser",
    "Place",
    "Prompt",
    "Step",
    "Tainted",
    "Writer",
    "blame",
]


def blame(
    registry: Registry,
    revision: str,
    record: str,
    *,
    key: str | None = None,
    text: bool = False,
    progress: Progress = unwatched,
) -> Blame:
    """Say where a record of a dataset comes from.

    Args:
        registry: where the dataset is.
        revision: the dataset, or a generation or model that has one.
        record: its number from 1, its `id`, its whole text, or a piece of text that
            no other record has.
        key: the column that `record` is a value of, instead of all that.
        text: take `record` for text, whatever it looks like.
        progress: gets numbers of bytes that were searched.

    Raises:
        NotFound: no such commit or record.
        Ambiguous: several records, or several datasets; it lists them.
        LineageError: the dataset's files are not here, or hold no records.
    """
    from lineage.blame import makers

    id_ = dataset_of(registry, revision)
    notes: list[str] = []
    row = find(
        registry, id_, record, key=key, text=text, notes=notes, progress=progress
    )
    steps = tuple(climb(registry, id_, row, notes, progress))
    made = makers.of(registry, steps, row.data, notes, progress)
    sources = {*(step.dataset for step in steps), *(w.id for w in made["writers"])}
    return Blame(
        tainted=makers.tainted(registry, sources, row.identity),
        number=row.number,
        data=row.data,
        identity=row.identity,
        steps=steps,
        notes=tuple(dict.fromkeys(notes)),
        **made,
    )
