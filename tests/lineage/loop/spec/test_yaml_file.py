"""YAML is read safely, and as people expect it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lineage.errors import StoreError, UsageError
from lineage.loop.spec.yaml_file import read_yaml

if TYPE_CHECKING:
    from pathlib import Path


BOMB = b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10))
    for n in range(1, 9)
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.yaml"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-3", 2e-3),
        ("1E6", 1e6),
        ("-4.e+2", -400.0),
        (".5e1", 5.0),
        ("2.5", 2.5),
        ("7", 7),
        ("'2e-3'", "2e-3"),
        ("e3", "e3"),
        ("2e", "2e"),
        ("2026-11-24", "2026-11-24"),
        ("no", "no"),
        ("12:30", "12:30"),
        ("010", 10),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("{1: a, true: b, null: c}", {"1": "a", "true": "b", "null": "c"}),
        ("{a: }", {"a": None}),
        ("true", True),
        ("{a: [1, null]}", {"a": [1, None]}),
        ("", None),
    ],
)
def test_scalars(file: Path, text: str, value: object) -> None:
    """Scalars are those of YAML 1.2's core schema; keys are text."""
    file.write_text(text, encoding="utf-8")
    read = read_yaml(file)
    assert value == read
    assert type(value) is type(read)


def test_a_byte_order_mark_is_no_content(file: Path) -> None:
    """Editors on Windows write one."""
    file.write_bytes(b"\xef\xbb\xbfname: x")
    assert read_yaml(file) == {"name": "x"}


def test_merge_keys(file: Path) -> None:
    """YAML's own way to share settings works, and an override is no duplicate."""
    file.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n", encoding="utf-8")
    assert read_yaml(file)["b"] == {"x": 1, "y": 3}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3: 'a' is given twice"),
        (b"a: [1,\n", "line 2: expected the node content, but found '<stream end>'"),
        (b"a: b: c\n", "line 1: mapping values are not allowed here"),
        (b"a: 1\nb: caf\xe9\n", "line 2 is not UTF-8 text"),
        (b"? [a]\n: 1\n", "line 1: a key is a list or a mapping"),
        (b"a: 1\n--- \nb: 2\n", "line 2: but found another document"),
        (b"x: 1\ny: \x00\n", "line 2: the character #x0000 is not allowed"),
        (b"[" * 5000, "is nested too deeply"),
        (b"a: !!int abc\n", "not what its tag or digits say"),
        (b"a: !!timestamp x\n", "not what its tag or digits say"),
        (b"a: " + b"1" * 5000, "not what its tag or digits say"),
        (BOMB, "stands for more than 1,000,000 values"),
    ],
)
def test_malformed(file: Path, data: bytes, sentence: str) -> None:
    """What is no YAML is one sentence with the line."""
    file.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_yaml(file)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_code_is_run(file: Path) -> None:
    """A tag that builds Python objects is refused."""
    file.write_text("a: !!python/object/apply:os.getcwd []", encoding="utf-8")
    with pytest.raises(UsageError, match="line 1: could not determine a constructor"):
        read_yaml(file)


def test_a_missing_file(file: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(StoreError, match=r"some\.yaml cannot be read: No such file"):
        read_yaml(file)
