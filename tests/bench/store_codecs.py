"""What others make of the same files, in bytes: run by the Python of `.venv/peers`.

    python store_codecs.py WORK < FILES

FILES is a JSON list of [file, the same file of the parent or null]. Prints a JSON
object: bytes by name; a name whose library is not there is left out. Each is asked for
the best that it can do: ZipNN is told either kind of number and the smaller is taken,
and its delta is only counted where it is smaller than the file alone. What ZipNN says
is decompressed and compared.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_KINDS = ("bfloat16", "float32")


def main(work: Path) -> None:
    files = [
        (Path(file), parent and Path(parent)) for file, parent in json.load(sys.stdin)
    ]
    found: dict[str, int] = {}
    for name, measure in (("zstd -3", zstd), ("ZipNN", zipnn), ("Xet", xet)):
        try:
            found |= measure(files, work)
        except ImportError as missing:
            print(f"{name}: {missing}", file=sys.stderr)
    print(json.dumps(found))


def zstd(files: Any, _: Path) -> dict[str, int]:
    import zstandard

    total = 0
    for file, _parent in files:
        made = zstandard.ZstdCompressor(3, threads=-1)
        total += len(made.compress(file.read_bytes()))
    return {"zstd -3": total}


def zipnn(files: Any, _: Path) -> dict[str, int]:
    """Each file alone, and where it is smaller what differs from the parent's."""
    import numpy as np

    alone = delta = 0
    for file, parent in files:
        data = file.read_bytes()
        own = _zipnn(data)
        alone += own
        if parent and parent.stat().st_size == len(data):
            pair = [
                np.frombuffer(bytes_, np.uint8)
                for bytes_ in (data, parent.read_bytes())
            ]
            own = min(own, _zipnn((pair[0] ^ pair[1]).tobytes()))
        delta += own
    return {"ZipNN": alone, "ZipNN of xor deltas": delta}


def _zipnn(data: bytes) -> int:
    import zipnn as library

    # With the end of a file that is no whole number, ZipNN 0.5.4 crashes.
    data += bytes(-len(data) % 8)
    sizes = [len(data)]
    for kind in _KINDS if len(data) > 1 << 16 else ():
        made = library.ZipNN(
            bytearray_dtype=kind, input_format="byte", threads=os.cpu_count()
        )
        packed = made.compress(bytearray(data))
        assert bytes(made.decompress(packed)) == data, "ZipNN lost something"
        sizes.append(len(packed))
    return min(sizes)


def xet(files: Any, work: Path) -> dict[str, int]:
    """What hf-xet puts into a store in a folder, one upload per file."""
    os.environ["HF_XET_CACHE"] = str(work / "xet-cache")
    os.environ["HF_XET_LOG_LEVEL"] = "error"
    import hf_xet

    for file, _ in files:
        hf_xet.upload_files(
            [str(file)], f"local://{work}/xet-cas", None, None, None, None
        )
    stored = [path for path in _under(work / "xet-cas") if path.suffix != ".tagset"]
    return {"Xet": sum(path.stat().st_size for path in stored)}


def _under(place: Path) -> Iterator[Path]:
    """Its xorbs, which have the chunks, and its shards, which say which are whose."""
    yield from place.glob("xet/xorbs/xorbs/*")
    yield from place.glob("xet/xorbs/shards/*")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
