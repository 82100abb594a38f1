"""Files are cut where their tensors lie; a strange file is one piece."""

import io
import json
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save
from safetensors.torch import save_file

from lineage.store.packed.split import Extent, extents

LARGE = 1 << 16  # bytes from which on a tensor is a part of its own


def split(data: bytes, folder: Path) -> list[Extent]:
    path = folder / "file"
    path.write_bytes(data)
    return of_file(path)


def of_file(path: Path) -> list[Extent]:
    with path.open("rb") as file:
        return extents(file)


def whole(data: bytes) -> list[tuple[str, int, int]]:
    return [("", 0, len(data))]


def places(found: list[Extent]) -> list[tuple[str, int, int]]:
    return [extent[:3] for extent in found]


def weights(count: int, dtype: str = "f4") -> "np.ndarray[Any, Any]":
    made = np.random.default_rng(count).standard_normal(count) / 50
    return made.astype(dtype)


def header(entries: Mapping[str, Any] | str, data: bytes = b"") -> bytes:
    text = (entries if isinstance(entries, str) else json.dumps(entries)).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_each_large_tensor_is_a_part_of_its_width(tmp_path: Path) -> None:
    """Tensors of safetensors go by name, with the bytes of an element of theirs."""
    tensors = {
        "a": torch.zeros(LARGE, dtype=torch.bfloat16),
        "b": torch.zeros(LARGE, dtype=torch.float8_e4m3fn),
        "c": torch.zeros(LARGE, dtype=torch.float64),
        "d": torch.zeros(LARGE, dtype=torch.complex64),
        "e": torch.zeros(LARGE, dtype=torch.int32),
        "empty": torch.zeros(0),
    }
    save_file(tensors, tmp_path / "model")
    found = of_file(tmp_path / "model")
    widths = {extent.name: extent.width for extent in found[1:]}
    assert widths == {"a": 2, "b": 1, "c": 8, "d": 4, "e": 4}
    assert {extent.size % LARGE for extent in found[1:]} == {0}


def test_small_neighbours_are_one_part(tmp_path: Path) -> None:
    """A thousand little tensors do not become a thousand blocks, nor one too large."""
    tensors = {f"{i:04}": weights(2000) for i in range(1000)}
    found = split(save(tensors), tmp_path)
    assert len(found) == 3
    assert all(LARGE < extent.size <= 4 << 20 for extent in found)
    assert [extent.width for extent in found[1:]] == [4, 4]


def test_members_of_a_torch_file_are_parts(tmp_path: Path) -> None:
    """What torch.save writes is cut at its storages, and widths are found by trying."""
    state = {
        "half": torch.from_numpy(weights(LARGE)).bfloat16(),
        "single": torch.from_numpy(weights(LARGE)),
        "double": torch.from_numpy(weights(LARGE, "f8")),
    }
    torch.save(state, tmp_path / "optimizer.pt")
    found = of_file(tmp_path / "optimizer.pt")
    data = (tmp_path / "optimizer.pt").read_bytes()
    large = [extent for extent in found if extent.size >= LARGE]
    assert [extent.name for extent in large] == [
        f"optimizer/data/{i}" for i in range(3)
    ]
    assert [extent.width for extent in large] == [2, 4, 8]
    for extent, tensor in zip(large, state.values(), strict=True):
        raw = tensor.view(torch.uint8).numpy().tobytes()
        assert data[extent.start : extent.start + extent.size] == raw


def test_squeezed_members_are_opaque(tmp_path: Path) -> None:
    """A member that is compressed already is a part of bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", weights(2 * LARGE).tobytes())
    found = split(buffer.getvalue(), tmp_path)
    assert [(extent.name, extent.width) for extent in found if extent.size > LARGE] == [
        ("x", 1)
    ]


ONE = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}


@pytest.mark.parametrize(
    "data",
    [
        header({"a": ONE}, bytes(15)),
        header({"a": ONE}, bytes(17)),
        header({"a": ONE, "b": {**ONE, "data_offsets": [8, 24]}}, bytes(24)),
        header({"a": ONE, "b": {**ONE, "data_offsets": [20, 36]}}, bytes(36)),
        header({"a": {**ONE, "dtype": "F31"}}, bytes(16)),
        header({"a": {**ONE, "shape": [-4]}}, bytes(16)),
        header({"a": {**ONE, "shape": [1 << 70]}}, bytes(16)),
        header({"a": {**ONE, "data_offsets": [0, 1 << 70]}}, bytes(16)),
        header(f'{{"a": {json.dumps(ONE)}, "a": {json.dumps(ONE)}}}', bytes(16)),
        header("[" * 100_000, bytes(16)),
        header('{"a"', bytes(16)),
        struct.pack("<Q", 1 << 63) + b"{}",
        struct.pack("<Q", 50) + b"{}",
        b"PK\3\4 and no zip file",
        b"x",
        b"{}",
        b'{"text": "a line"}\n' * 100,
    ],
)  # fmt: skip
def test_a_malformed_file_is_one_piece(tmp_path: Path, data: bytes) -> None:
    """Headers that are cut off, overlap, repeat or lie do not stop anybody."""
    assert places(split(data, tmp_path)) == whole(data)


def test_zip_members_that_overlap_are_one_piece(tmp_path: Path) -> None:
    """Two members that claim the same bytes are not believed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"x" * LARGE)
        archive.writestr("b", b"y" * LARGE)
        archive.filelist[1].header_offset = 0
    assert places(split(buffer.getvalue(), tmp_path)) == whole(buffer.getvalue())


def test_an_empty_file_has_no_parts(tmp_path: Path) -> None:
    """There is nothing to tile."""
    assert split(b"", tmp_path) == []


dtypes = st.sampled_from(("f2", "f4", "f8", "u1", "i8", "?", "i2", "c8"))


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.tuples(dtypes, st.lists(st.integers(0, 300), max_size=2)),
        max_size=6,
    ),
    st.sampled_from(("safetensors", "zip", "padded zip")),
    st.none() | st.tuples(st.integers(0, 1 << 20), st.binary(max_size=9)),
)
def test_parts_tile_any_file(
    tmp_path_factory: pytest.TempPathFactory,
    tensors: dict[str, tuple[str, list[int]]],
    kind: str,
    harm: tuple[int, bytes] | None,
) -> None:
    """Sound or damaged, a file is the sum of its parts, in order, each name once."""
    arrays = {name: np.ones(shape, dtype) for name, (dtype, shape) in tensors.items()}
    data = save(arrays) if kind == "safetensors" else zipped(arrays, kind)
    if harm:
        place = harm[0] % (len(data) + 1)
        data = data[:place] + harm[1] + data[place + len(harm[1]) // 2 :]
    found = split(data, tmp_path_factory.getbasetemp())
    ends = [0]
    for extent in found:
        assert extent.start == ends[-1]
        assert extent.size > 0
        assert extent.width in (1, 2, 4, 8)
        ends.append(extent.start + extent.size)
    assert ends[-1] == len(data)
    assert len({extent.name for extent in found}) == len(found)


def zipped(arrays: Mapping[str, "np.ndarray[Any, Any]"], kind: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i, array in enumerate(arrays.values()):
            info = zipfile.ZipInfo(f"archive/data/{i}")
            if kind == "padded zip":
                info.extra = struct.pack("<2sH", b"FB", 40) + b"Z" * 40
            archive.writestr(info, array.tobytes())
    return buffer.getvalue()
