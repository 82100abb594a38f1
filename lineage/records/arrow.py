"""Records in Parquet, and in Arrow files as `datasets` saves and caches them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, TypeAlias

from lineage.errors import LineageError, StoreError, first_line
from lineage.records.source import Found, Source

_BATCH = 1000  # rows at once
_MAGIC = b"ARROW1"  # of an Arrow file with an index; a stream has none

Batches: TypeAlias = Callable[[Source], Iterator[Any]]
"""Gives the rows of a file as pyarrow's RecordBatch, a thousand at a time."""


def parquet(source: Source) -> Iterator[Found]:
    """Rows of a Parquet file."""
    return _rows(source, parquet_batches(source))


def arrow(source: Source) -> Iterator[Found]:
    """Rows of an Arrow stream (what `datasets` writes) or file."""
    return _rows(source, arrow_batches(source))


def _rows(source: Source, batches: Iterable[Any]) -> Iterator[Found]:
    number = 0
    for batch in batches:
        for record in batch.to_pylist():
            number += 1
            yield number, record, None
        source.progress(batch.nbytes)


def parquet_batches(source: Source) -> Iterator[Any]:
    """A Parquet file in batches; a row group is not read whole."""

    def opened(file: BinaryIO) -> Iterator[Any]:
        from pyarrow.parquet import ParquetFile

        table = ParquetFile(file)
        names = _wanted(source, table.schema_arrow.names)
        yield from table.iter_batches(batch_size=_BATCH, columns=names)

    return _checked(source, "Parquet", opened)


def arrow_batches(source: Source) -> Iterator[Any]:
    """An Arrow file or stream in batches, from the mapped file."""

    def opened(file: BinaryIO) -> Iterator[Any]:
        from pyarrow import ipc, memory_map

        has_index = file.read(len(_MAGIC)) == _MAGIC
        with memory_map(str(source.path)) as data:
            reader = (ipc.open_file if has_index else ipc.open_stream)(data)
            names = _wanted(source, reader.schema.names)
            for batch in _stored(reader) if has_index else reader:
                chosen = batch.select(names)
                chosen.validate(full=True)  # pyarrow would follow wrong offsets
                for start in range(0, chosen.num_rows, _BATCH):
                    yield chosen.slice(start, _BATCH)

    return _checked(source, "Arrow", opened)


def parquet_names(source: Source) -> list[str]:
    """The columns of a Parquet file."""

    def opened(file: BinaryIO) -> Iterator[Any]:
        from pyarrow.parquet import ParquetFile

        yield from ParquetFile(file).schema_arrow.names

    return list(_checked(source, "Parquet", opened))


def arrow_names(source: Source) -> list[str]:
    """The columns of an Arrow file or stream."""

    def opened(file: BinaryIO) -> Iterator[Any]:
        from pyarrow import ipc

        has_index = file.read(len(_MAGIC)) == _MAGIC
        file.seek(0)
        yield from (ipc.open_file if has_index else ipc.open_stream)(file).schema.names

    return list(_checked(source, "Arrow", opened))


def _stored(reader: Any) -> Iterator[Any]:
    return map(reader.get_batch, range(reader.num_record_batches))


def _wanted(source: Source, there: Iterable[str]) -> list[str]:
    wanted = source.columns
    return [name for name in there if wanted is None or name in wanted]


def _checked(
    source: Source, kind: str, opened: Callable[[BinaryIO], Iterator[Any]]
) -> Iterator[Any]:
    require_arrow()
    from pyarrow import ArrowException

    with source.open() as file:
        try:
            yield from opened(file)
        except (ArrowException, UnicodeDecodeError) as error:
            what = first_line(error)
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
