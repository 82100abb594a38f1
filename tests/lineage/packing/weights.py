"""Small weights that drift as trained ones do, in files as safetensors writes them."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    Tensors = Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]

SHAPES = {
    "embed": (512, 128),
    "layer.0": (256, 160),
    "layer.1": (256, 160),
    "norm": (160,),
}


def drawn(seed: int) -> Tensors:
    """Weights as they are before training."""
    random = np.random.default_rng(seed)
    return {
        name: random.normal(0, 0.02, shape).astype(np.float32)
        for name, shape in SHAPES.items()
    }


def trained(tensors: Tensors, seed: int, *, frozen: str = "embed") -> Tensors:
    """The weights after a few steps of a small size; one tensor stays as it is."""
    random = np.random.default_rng(seed)
    return {
        name: values
        if name == frozen
        else values + random.normal(0, 1e-6, values.shape).astype(np.float32)
        for name, values in tensors.items()
    }


def safetensors(tensors: Tensors, dtype: str = "F32") -> bytes:
    """The bytes of a safetensors file."""
    header, parts, end = {}, [], 0
    for name, values in tensors.items():
        data = _half(values) if dtype == "BF16" else values.tobytes()
        header[name] = {
            "dtype": dtype,
            "shape": values.shape,
            "data_offsets": [end, end + len(data)],
        }
        parts.append(data)
        end += len(data)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + b"".join(parts)


def archive(tensors: Tensors) -> bytes:
    """The bytes of an archive as PyTorch writes them, as far as the tensors go."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for number, values in enumerate(tensors.values()):
            file.writestr(f"archive/data/{number}", values.tobytes())
    return out.getvalue()


def _half(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    return (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
