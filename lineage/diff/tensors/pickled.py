"""PyTorch state dicts, read by torch without running what is in their pickles.

``torch.load(weights_only=True)`` builds tensors and plain containers and refuses all
else; the bytes of tensors stay in the file, mapped.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.diff.tensors.stored import Contents, Held, Stored
from lineage.store.safetensors import Malformed

if TYPE_CHECKING:
    import torch

    from lineage.diff.tensors.stored import Bytes

_DTYPES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "uint16": "U16", "int16": "I16",
    "uint32": "U32", "int32": "I32", "uint64": "U64", "int64": "I64",
    "float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
    "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float8_e8m0fnu": "F8_E8M0", "complex64": "C64", "complex128": "C128",
}  # fmt: skip
_CODE = re.compile(r"(?:GLOBAL|global|class|function) [`'\"]?([\w.]+)")


def read(path: Path, sha256: str) -> Contents:
    """The tensors of the file at `path`, at any depth of its dictionaries.

    Raises:
        Malformed: when it has anything else in its pickle, which is not run, or is
            no file that torch has written, or torch is not installed.
    """
    try:
        import torch
    except ImportError:
        then = "install it: pip install 'lineage-vcs[loop]'"
        raise Malformed(f"that needs torch; {then}") from None
    loaded = _load(path, torch)
    found = {}
    for name, tensor in _tensors(loaded, ""):
        if tensor.layout != torch.strided or tensor.is_quantized:
            raise Malformed(f"tensor {name!r} is sparse or quantised by torch")
        found[name] = _stored(name, tensor, sha256)
    return Contents([*found.values()])


def _load(path: Path, torch: Any) -> object:
    """What is in the file; that of an old version of torch is read into memory."""
    import pickle
    import warnings

    with path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        if named := _CODE.search(str(error)):
            message = f"its pickle holds code ({named[1]}), which is never run"
            raise Malformed(message) from None
        raise Malformed("it is no state dict that torch has written") from None
    except Exception as error:  # noqa: BLE001 - whatever a damaged file does to it
        first = str(error).strip().split("\n")[0].split(". ")[0]
        raise Malformed(f"torch cannot read it: {first[:200]}") from None


def _tensors(value: object, path: str) -> "Iterator[tuple[str, torch.Tensor]]":
    """Tensors by dotted path, through dictionaries and lists."""
    import torch

    if isinstance(value, torch.Tensor):
        yield path, value.detach()
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _tensors(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _tensors(item, f"{path}.{index}" if path else str(index))


def _stored(name: str, tensor: "torch.Tensor", sha256: str) -> Stored:
    dtype = str(tensor.dtype).removeprefix("torch.")
    size = tensor.numel() * tensor.element_size()
    source, address = Held(partial(_bytes, tensor), size), (f"{sha256}:{name}", 0)
    shape = tuple(tensor.shape)
    return Stored(name, _DTYPES.get(dtype, dtype), shape, source, 0, size, address)


def _bytes(tensor: "torch.Tensor") -> "Bytes":
    """The elements in C order; a view of the file where they lie so."""
    import torch

    flat = tensor.contiguous().reshape(-1)
    found: Bytes = flat.view(torch.uint8).numpy()
    return found
