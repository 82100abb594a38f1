"""The header of a safetensors file, read with every check.

The format: https://github.com/huggingface/safetensors#format. Eight bytes give the
length of a JSON header; what follows it is tensors and nothing else, without a gap.
"""

import json
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

from lineage.diff.tensors.stored import BITS, Contents, Malformed, Mapped, Stored

_LENGTH = 8  # bytes that say how long the header is
_LONGEST = 100_000_000  # bytes of a header, as the reference reader has it
_FIELDS = {"dtype", "shape", "data_offsets"}


def read(path: Path, sha256: str) -> Contents:
    """The tensors of the file at `path`, whose SHA-256 tells it from others.

    Raises:
        Malformed: when any of the format's rules is broken.
    """
    size = path.stat().st_size
    if size < _LENGTH:
        raise Malformed("it is cut off before its header")
    source = Mapped(path)
    length = int.from_bytes(source.read(0, _LENGTH).tobytes(), "little")
    if length > _LONGEST:
        raise Malformed(f"its header claims {length:,} bytes, more than 100 MB")
    if length > size - _LENGTH:
        raise Malformed(f"its header claims {length:,} bytes, the file has {size:,}")
    begin = _LENGTH + length
    header = _header(source.read(_LENGTH, begin).tobytes())
    facts = header.pop("__metadata__", {})
    if not isinstance(facts, dict):
        raise Malformed("its __metadata__ is no object")
    tensors = [_tensor(name, entry) for name, entry in header.items()]
    _tile(tensors, size - begin)
    return Contents(
        [
            Stored(name, dtype, shape, source, begin + start, stop - start,
                   (sha256, start))
            for name, dtype, shape, start, stop in tensors
        ],
        {str(key): value for key, value in facts.items()},
    )  # fmt: skip


_Entry = tuple[str, str, tuple[int, ...], int, int]


def _header(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"its header is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Malformed("its header is no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Malformed(f"its header gives {name!r} twice")
        found[name] = value
    return found


def _tensor(name: str, entry: object) -> _Entry:
    """One entry of the header; its offsets fit its dtype and shape."""
    if not isinstance(entry, dict) or not entry.keys() >= _FIELDS:
        raise Malformed(f"tensor {name!r} lacks its dtype, shape or offsets")
    dtype, shape, offsets = (entry[key] for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or dtype not in BITS:
        raise Malformed(f"tensor {name!r} has the unknown dtype {dtype!r}")
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
        raise Malformed(f"tensor {name!r} has a shape or offsets that are no numbers")
    start, stop = offsets
    bits = prod(shape) * BITS[dtype]
    if bits % 8 or start > stop or stop - start != bits // 8:
        wanted = f"{dtype} of shape {shape} takes {-(-bits // 8):,}"
        raise Malformed(
            f"tensor {name!r} claims bytes {start:,} to {stop:,}, but {wanted}"
        )
    return name, dtype, tuple(shape), start, stop


def _counts(value: object) -> bool:
    return isinstance(value, list) and all(type(n) is int and n >= 0 for n in value)


def _tile(tensors: list[_Entry], size: int) -> None:
    """Refuse tensors that overlap, leave a gap, or are not all there.

    Raises:
        Malformed: naming the first that does not follow on the one before.
    """
    ordered = sorted(tensors, key=lambda entry: entry[3:])
    ends = [("", "", (), 0, 0), *ordered]
    for (_, _, _, _, end), (name, _, _, start, _) in pairwise(ends):
        if start != end:
            how = "overlaps the one before it" if start < end else "comes after a gap"
            raise Malformed(f"tensor {name!r} {how}")
    end = ends[-1][4]
    if end > size:
        raise Malformed(f"it is cut off: {size:,} of {end:,} bytes of tensors are here")
    if end < size:
        raise Malformed(f"{size - end:,} bytes after its tensors belong to none")
