"""Records in Parquet, and in Arrow files as `datasets` saves and caches them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from lineage.errors import LineageError, StoreError
from lineage.records.source import Found, Source

_BATCH = 1000  # rows at once
_MAGIC = b"ARROW1"  # of an Arrow file with an index; a stream has none


def parquet(source: Source) -> Iterator[Found]:
    """Rows of a Parquet file, a batch at a time."""

    def batches(file: BinaryIO) -> Iterator[Any]:
        from pyarrow.parquet import ParquetFile

        table = ParquetFile(file)
        names = _wanted(source, table.schema_arrow.names)
        return table.iter_batches(batch_size=_BATCH, columns=names)  # type: ignore[no-any-return]

    return _read(source, "Parquet", batches)


def arrow(source: Source) -> Iterator[Found]:
    """Rows of an Arrow stream (what `datasets` writes) or file, mapped."""

    def batches(file: BinaryIO) -> Iterator[Any]:
        from pyarrow import ipc, memory_map

        has_index = file.read(len(_MAGIC)) == _MAGIC
        with memory_map(str(source.path)) as data:
            opened = (ipc.open_file if has_index else ipc.open_stream)(data)
            names = _wanted(source, opened.schema.names)
            count = opened.num_record_batches if has_index else 0
            stored = map(opened.get_batch, range(count)) if has_index else opened
            for batch in stored:
                chosen = batch.select(names)
                for start in range(0, chosen.num_rows, _BATCH):
                    yield chosen.slice(start, _BATCH)

    return _read(source, "Arrow", batches)


def _wanted(source: Source, there: Iterable[str]) -> list[str]:
    wanted = source.columns
    return [name for name in there if wanted is None or name in wanted]


def _read(
    source: Source, kind: str, batches: Callable[[BinaryIO], Iterable[Any]]
) -> Iterator[Found]:
    require_arrow()
    from pyarrow import ArrowException

    number = 0
    with source.open() as file:
        try:
            for batch in batches(file):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record, None
                source.progress(batch.nbytes)
        except (ArrowException, UnicodeDecodeError) as error:
            what = next(iter(str(error).splitlines()), type(error).__name__)
            message = f"{source.name} cannot be read as {kind}: {what.rstrip('.')}"
            raise StoreError(message) from None


def require_arrow() -> None:
    """Refuse plainly where pyarrow is missing.

    Raises:
        LineageError: says what to install.
    """
    try:
        import pyarrow as pa  # noqa: F401
    except ImportError:
        message = "reading Parquet and Arrow files needs pyarrow"
        hint = "install it: pip install 'lineage-vcs[data]'"
        raise LineageError(message, hint=hint) from None
