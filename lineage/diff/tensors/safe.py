"""Tensors of a safetensors file."""

from pathlib import Path

from lineage.diff.tensors.stored import Contents, Mapped, Stored
from lineage.store.safetensors import read_header


def read(path: Path, sha256: str) -> Contents:
    """The tensors of the file at `path`, whose SHA-256 tells it from others.

    Raises:
        Malformed: when any of the format's rules is broken.
    """
    begin, entries, facts = read_header(path)
    source = Mapped(path)
    return Contents(
        [
            Stored(name, dtype, shape, source, begin + start, stop - start,
                   (sha256, start))
            for name, dtype, shape, start, stop in entries
        ],
        {str(key): value for key, value in facts.items()},
    )  # fmt: skip
