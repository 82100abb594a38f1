"""Files of weights: what each format holds, and what is refused in a sentence."""

from __future__ import annotations

import json
import os
import pickle
import struct
from functools import partial
from typing import TYPE_CHECKING, Any

import gguf as reference  # noqa: TID253
import numpy as np  # noqa: TID253
import pytest
import torch  # noqa: TID253
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open  # noqa: TID253
from safetensors.numpy import save, save_file  # noqa: TID253

from lineage.diff.tensors import arrays, gguf, pickled, safe
from lineage.store.safetensors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.diff import Diff

W = np.arange(12, dtype=np.float32).reshape(3, 4)
OTHER = W + 1


def safetensors(**tensors: Any) -> bytes:
    return save(tensors)


def header(entries: Any, data: bytes = b"") -> bytes:
    """A file of the format with any header."""
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(
    start: int, stop: int, shape: Any = (1,), dtype: str = "F32"
) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


LIES = {
    "cut off before its header": b"1234",
    "more than 100 MB": struct.pack("<Q", 10**9) + b"{}",
    "claims 900 bytes, the file has 10": struct.pack("<Q", 900) + b"{}",
    "is not JSON": header(b"{"),
    "is not a JSON object": header([1]),
    "gives 'w' twice": header(
        b'{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":1}'
    ),
    "lacks its dtype": header({"w": {"dtype": "F32"}}),
    "unknown dtype 'F99'": header({"w": entry(0, 4, dtype="F99")}, bytes(4)),
    "that are no numbers": header({"w": entry(0, 4, shape=[-1])}, bytes(4)),
    "of shape [2] takes 8": header({"w": entry(0, 4, shape=[2])}, bytes(4)),
    "takes 5,444,517,870,735,015,415,413,993,718,908,291,383,296": header(
        {"w": entry(0, 4, shape=[2**62, 2**62, 2**6])}, bytes(4)
    ),
    "'v' overlaps": header({"w": entry(0, 4), "v": entry(2, 6)}, bytes(8)),
    "'v' comes after a gap": header({"w": entry(0, 4), "v": entry(8, 12)}, bytes(12)),
    "'w' comes after a gap": header({"w": entry(4, 8)}, bytes(8)),
    "4 of 8 bytes of tensors are here": header({"w": entry(0, 8, shape=[2])}, bytes(4)),
    "2 bytes after its tensors belong to none": header({"w": entry(0, 4)}, bytes(6)),
    "__metadata__ is no object": header({"__metadata__": 1}),
}


@pytest.mark.parametrize("says", LIES)
def test_a_lying_header_is_refused(says: str, compared: Callable[..., Diff]) -> None:
    """One sentence names the file and the lie; nothing is called removed."""
    good = safetensors(w=W)

    found = compared({"model.safetensors": good}, {"model.safetensors": LIES[says]})

    [note] = found.notes
    assert note.startswith("the tensors of model.safetensors are not compared: ")
    assert says in note
    assert found.tensors == ()


@given(
    st.dictionaries(
        st.text(max_size=5).filter(lambda name: name != "__metadata__"),
        st.lists(st.integers(0, 3), max_size=3),
        max_size=4,
    )
)
def test_safetensors_as_the_library_reads_them(
    tmp_path_factory: Any, shapes: dict[str, list[int]]
) -> None:
    """Names, shapes and bytes are those that the reference implementation gives."""
    path = tmp_path_factory.mktemp("safe") / "w.safetensors"
    draw = np.random.default_rng(0)
    tensors = {name: draw.random(shape, np.float32) for name, shape in shapes.items()}
    save_file(tensors, path)

    found = {t.name: t for t in safe.read(path, "").tensors}

    with safe_open(path, "np") as read:
        assert sorted(found) == sorted(read.keys())
        for name, tensor in found.items():
            expected = read.get_tensor(name)
            assert tensor.shape == expected.shape
            assert tensor.read(0, tensor.size).tobytes() == expected.tobytes()


class Code:
    """What a pickle runs when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_pickle_is_never_run(
    compared: Callable[..., Diff], tmp_path: Path, *, legacy: bool
) -> None:
    """A state dict that would run a command is refused; the rest is compared."""
    trap = tmp_path / "trapped"
    evil: dict[str, Any] = {"w": torch.zeros(2), "x": Code(trap)}
    save_evil = partial(torch.save, evil, _use_new_zipfile_serialization=not legacy)

    found = compared(
        {"a.pt": save_evil, "b.safetensors": safetensors(v=W)},
        {"b.safetensors": safetensors(v=OTHER)},
    )

    assert not trap.exists()
    assert found.notes == (
        (
            "the tensors of a.pt are not compared: its pickle holds code "
            "(posix.system), which is never run"
        ),
    )
    assert [change.name for change in found.tensors[0].changes] == ["v"]


def test_a_bare_pickle_is_never_run(
    compared: Callable[..., Diff], tmp_path: Path
) -> None:
    """Neither is one that torch did not write."""
    trap = tmp_path / "trapped"
    evil = pickle.dumps(Code(trap))

    found = compared(
        {"pytorch_model.bin": evil}, {"model.safetensors": safetensors(w=W)}
    )

    assert not trap.exists()
    [note] = found.notes
    assert note.startswith("the tensors of pytorch_model.bin are not compared: ")
    assert note.endswith("it is no state dict that torch has written")


def test_state_dicts_give_what_torch_loads(tmp_path: Path) -> None:
    """Of any dtype, transposed, tied, nested, empty or of one element."""
    whole = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    state: dict[str, Any] = {
        "state_dict": {
            "t": whole.T, "part": whole[1:], "b": whole.to(torch.bfloat16),
            "f8": whole.to(torch.float8_e4m3fn), "one": torch.tensor(3),
            "none": torch.zeros(0, 4), "tied": whole,
        },
        "epoch": 3, "list": [torch.ones(2, dtype=torch.bool)],
    }  # fmt: skip
    for new in (True, False):
        if not new:
            del state["state_dict"]["f8"]  # which the old format does not know
        torch.save(state, tmp_path / "w.pt", _use_new_zipfile_serialization=new)
        found = {t.name: t for t in pickled.read(tmp_path / "w.pt", "").tensors}

        assert [*found] == [*(f"state_dict.{n}" for n in state["state_dict"]), "list.0"]
        assert found["state_dict.b"].dtype == "BF16"
        for name, value in state["state_dict"].items():
            tensor, flat = found[f"state_dict.{name}"], value.contiguous().reshape(-1)
            raw = flat.view(torch.uint8).numpy().tobytes()
            assert tensor.shape == tuple(value.shape)
            assert tensor.read(0, tensor.size).tobytes() == raw


def test_numpy_files(tmp_path: Path) -> None:
    """Either order in memory, either byte order; objects are refused."""
    stored: dict[str, Any] = {
        "f": np.asfortranarray(W),
        "big": W.astype(">f4"),
        "b": W > 3,
    }
    np.savez_compressed(tmp_path / "w.npz", **stored)
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object))

    found = arrays.read_many(tmp_path / "w.npz", "").tensors

    for tensor, value in zip(found, (W, W, W > 3), strict=True):
        assert tensor.read(0, tensor.size).tobytes() == value.tobytes()
    with pytest.raises(Malformed, match="Python objects in dtype"):
        arrays.read_one(tmp_path / "o.npy", "", "o")


def write_gguf(path: Path, values: Any, **facts: Any) -> None:
    writer = reference.GGUFWriter(path, "llama")
    for key, value in facts.items():
        (writer.add_array if isinstance(value, list) else writer.add_string)(key, value)
    for name, value in values.items():
        quantised = reference.quants.quantize(
            value, reference.GGMLQuantizationType.Q8_0
        )
        writer.add_tensor(
            name, quantised, raw_dtype=reference.GGMLQuantizationType.Q8_0
        )
    writer.add_tensor("norm", np.arange(3, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_gguf_as_the_library_reads_it(tmp_path: Path) -> None:
    """Names, shapes, types and bytes are those of the reference implementation."""
    path = tmp_path / "w.gguf"
    write_gguf(path, {"blk.0.w": np.random.default_rng(0).random((4, 64), np.float32)},
               tokens=[f"t{i}" for i in range(40)])  # fmt: skip

    found = gguf.read(path, "").tensors

    expected = reference.GGUFReader(path).tensors
    assert [(t.name, t.dtype) for t in found] == [
        (t.name, t.tensor_type.name) for t in expected
    ]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == tuple(reversed(theirs.shape.tolist()))
        assert ours.read(0, ours.size).tobytes() == theirs.data.tobytes()


def test_gguf_side_by_side(compared: Callable[..., Diff]) -> None:
    """Blocks are the same or not; facts differ by key."""
    values = np.random.default_rng(0).random((4, 64), np.float32)

    [found] = compared(
        {"w.gguf": lambda p: write_gguf(p, {"a": values, "b": values}, chat="x")},
        {"w.gguf": lambda p: write_gguf(p, {"a": values, "b": values + 1}, chat="y")},
    ).tensors

    assert [(c.name, c.change, c.sums) for c in found.changes] == [
        ("b", "changed", None)
    ]
    assert [(c.path, c.a, c.b) for c in found.facts] == [("chat", "x", "y")]


def test_gguf_beside_another_format(compared: Callable[..., Diff]) -> None:
    """Its names are its own: one sentence, and nothing is called added or removed."""
    values = np.zeros((2, 32), np.float32)

    found = compared(
        {"model.safetensors": safetensors(w=values)},
        {"w.gguf": lambda path: write_gguf(path, {"a": values})},
    )

    assert found.tensors == ()
    assert found.notes == (
        "a GGUF file names and packs tensors in a way of its own: not compared",
    )


@given(st.data())
def test_a_damaged_gguf_is_refused(tmp_path_factory: Any, data: st.DataObject) -> None:
    """Cut off or with any bytes changed, it is read or refused, and nothing else."""
    path = tmp_path_factory.mktemp("gguf") / "w.gguf"
    write_gguf(path, {"a": np.zeros((2, 32), np.float32)}, tokens=["a", "b"])
    raw = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, 300), max_size=4)):
        raw[place % len(raw)] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(1, len(raw)))])

    try:
        found = gguf.read(path, "").tensors
    except Malformed as error:
        assert str(error)  # noqa: PT017 - either is right
    else:
        assert all(len(t.read(0, t.size)) == t.size for t in found)


def test_shards_are_one_model(compared: Callable[..., Diff]) -> None:
    """With an index or without, in another format or number, tensors are matched."""
    index = json.dumps({"weight_map": {"a": "x-1.safetensors", "b": "x-2.safetensors"}})
    whole = {"a": torch.from_numpy(W), "b": torch.from_numpy(OTHER)}

    found = compared(
        {"x-1.safetensors": safetensors(a=W), "x-2.safetensors": safetensors(b=W),
         "x.safetensors.index.json": index.encode()},
        {"pytorch_model.bin": partial(torch.save, whole)},
    )  # fmt: skip

    assert found.notes == ()
    assert [c.name for c in found.tensors[0].changes] == ["b"]


def test_missing_shards_are_named(compared: Callable[..., Diff]) -> None:
    """What may be in a shard that is not there is not called removed."""
    index = json.dumps({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}})

    found = compared(
        {"m-1.safetensors": safetensors(a=W), "m-2.safetensors": safetensors(b=W)},
        {"m-1.safetensors": safetensors(a=OTHER),
         "m.safetensors.index.json": index.encode()},
    )  # fmt: skip

    assert found.notes == (
        "m.safetensors.index.json names m-2.safetensors, which is not there",
    )
    assert [(c.name, c.change) for c in found.tensors[0].changes] == [("a", "changed")]


def test_a_name_in_two_shards(compared: Callable[..., Diff]) -> None:
    """The first is compared, and a note says so."""
    shard = "model-0000{}-of-00002.safetensors"

    found = compared(
        {shard.format(1): safetensors(a=W), shard.format(2): safetensors(a=OTHER)},
        {"model.safetensors": safetensors(a=OTHER)},
    )

    assert "has a once more; the first is compared" in found.notes[0]
    assert [c.name for c in found.tensors[0].changes] == ["a"]


def test_formats_of_the_same_weights_are_read_once(
    compared: Callable[..., Diff],
) -> None:
    """Beside safetensors, the state dict of the same model is left alone."""
    both = {"pytorch_model.bin": b"never read", "training_args.bin": b"nor this"}

    found = compared(
        {"model.safetensors": safetensors(a=W), **both},
        {
            "model.safetensors": safetensors(a=OTHER),
            **both,
            "optimizer.pt": b"nor that",
        },
    )

    assert found.notes == ()
    assert [c.name for c in found.tensors[0].changes] == ["a"]
