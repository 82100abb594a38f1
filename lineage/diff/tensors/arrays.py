"""numpy's own files: one array (.npy) or several (.npz); objects are not unpickled."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.diff.tensors.stored import Contents, Held, Stored
from lineage.diff.tensors.widen import NATIVE
from lineage.store.safetensors import Malformed

if TYPE_CHECKING:
    import numpy as np

    from lineage.diff.tensors.stored import Bytes

_NAMES = {code.lstrip("<"): name for name, code in NATIVE.items()} | {
    "b1": "BOOL", "c8": "C64", "c16": "C128",
}  # fmt: skip

_LARGEST = 4_000_000_000  # bytes of an array, which is unpacked into memory


def read_one(path: Path, sha256: str, name: str) -> Contents:
    """The array of a .npy file, called `name`.

    Raises:
        Malformed: when it is damaged, or holds Python objects.
    """
    import numpy as np

    array = _careful(lambda: np.load(path, mmap_mode="r", allow_pickle=False))
    return Contents([_stored(name, array, lambda: array, sha256)])


def read_many(path: Path, sha256: str) -> Contents:
    """The arrays of a .npz file; each is unpacked when its turn comes.

    Raises:
        Malformed: when any is damaged, or holds Python objects.
    """
    import numpy as np

    archive = _careful(lambda: np.load(path, allow_pickle=False))
    found = []
    large = [i.filename for i in archive.zip.infolist() if i.file_size > _LARGEST]
    if large:
        raise Malformed(f"{large[0]} in it unpacks to more than 4 GB")
    for name in archive.files:
        unpack = partial(_careful, partial(archive.__getitem__, name))
        found.append(_stored(name, unpack(), unpack, sha256))
    return Contents(found)


def _careful(load: Callable[[], Any]) -> Any:
    try:
        return load()
    except Exception as error:  # noqa: BLE001 - whatever a damaged file does to it
        first = str(error).strip().split("\n")[0]
        raise Malformed(f"numpy cannot read it: {first[:200]}") from None


def _stored(
    name: str, array: "np.ndarray[Any, Any]", load: Callable[[], Any], sha256: str
) -> Stored:
    kind = array.dtype.newbyteorder("<").str.lstrip("<|")
    dtype = _NAMES.get(kind, kind)
    held = Held(lambda: _bytes(load()), array.nbytes)
    address = f"{sha256}:{name}", 0
    return Stored(name, dtype, array.shape, held, 0, array.nbytes, address)


def _bytes(array: "np.ndarray[Any, Any]") -> "Bytes":
    """The elements in C order, little-endian."""
    import numpy as np

    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    found: Bytes = little.reshape(-1).view(np.uint8)
    return found
