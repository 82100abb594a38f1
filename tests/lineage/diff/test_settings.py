"""Settings by path and type, whichever format a file has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lineage.diff import diff
from lineage.diff.documents import read
from lineage.diff.settings import changes, fingerprint
from lineage.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

NAMES = st.text("abc", min_size=1, max_size=3)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(
    allow_nan=False, allow_infinity=False
)
LEAVES = NUMBERS | st.booleans() | st.text("a1. :#'\"-é\n", max_size=6)
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


@pytest.mark.parametrize(
    ("a", "b"),
    [(1, True), (0, False), (1, "1"), (None, "null"), (None, False), ([1], [True]),
     ([1], 1), ([1, 2], [2, 1]), ({}, None), (2**53 + 1, float(2**53)), ("", None)],
)  # fmt: skip
def test_types_are_told_apart(a: object, b: object) -> None:
    """A setting that changes its type has changed, also within a list."""
    [found] = changes("", {"x": a}, {"x": b})

    assert (found.path, found.a, found.b, found.change) == ("x", a, b, "changed")


@pytest.mark.parametrize(("a", "b"), [(1, 1.0), (1e3, 1000), (-0.0, 0), ([2], [2.0])])
def test_a_number_is_the_same_however_it_is_written(a: object, b: object) -> None:
    """Integers and decimal numbers are one type, as in JSON."""
    assert [*changes("", {"x": a}, {"x": b})] == []


def test_null_is_not_missing() -> None:
    """A setting that is null and then gone is removed, and the other way added."""
    there = [*changes("", {"x": None}, {})]
    back = [*changes("", {}, {"x": None})]

    assert [c.change for c in (*there, *back)] == ["removed", "added"]


def test_key_order_is_no_change_even_in_lists_of_lists() -> None:
    """Mappings are compared by key wherever they are."""
    one = {"x": [[{"a": 1, "b": 2}]]}
    other = {"x": [[{"b": 3, "a": 1}]]}

    assert [(c.path, c.a, c.b) for c in changes("", one, other)] == [("x.0.0.b", 2, 3)]


@given(DOCUMENTS, DOCUMENTS)
def test_fingerprints_agree_with_changes(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Two documents have one fingerprint exactly if nothing differs."""
    assert (fingerprint(one) == fingerprint(other)) == (not [*changes("", one, other)])
    again = json.loads(json.dumps(one), parse_int=float)
    assert (fingerprint(one) == fingerprint(again)) == (not [*changes("", one, again)])


def written(document: dict[str, Any], suffix: str) -> str:
    """A document in a format, with its keys in another order where that has none."""
    turned = dict(reversed(document.items()))
    if suffix == ".json":
        return json.dumps(document)
    if suffix == ".yaml":
        return "# a comment\n" + yaml.safe_dump(turned, sort_keys=False)
    return "# a comment\n" + "".join(f"{k} = {v!r}\n" for k, v in turned.items())


@given(DOCUMENTS)
def test_formats_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    """A document written as JSON, YAML and Python has no differences."""
    place = tmp_path_factory.mktemp("formats")
    for suffix in (".json", ".yaml", ".py"):
        path = place / f"a{suffix}"
        path.write_text(written(document, suffix), encoding="utf-8")

        assert [*changes("", document, read(path))] == [], suffix


def committed(repo: Registry, files: dict[str, str]) -> str:
    place = repo.root / "folder"
    place.mkdir(exist_ok=True)
    for path in place.iterdir():
        path.unlink()
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    return repo.commit("config", "c", place).id


def test_a_config_that_changed_its_format(repo: Registry) -> None:
    """The same settings in another format or under another name are no change."""
    first = committed(repo, {"a.json": '{"lr": 1e-5, "deep": {"x": [1]}}'})
    yaml_ = "deep: {x: [1.0]}  # the same\nlr: 1e-5\n"
    moved = committed(repo, {"a.yaml": yaml_})
    renamed = committed(repo, {"b.toml": "lr = 1e-5\ndeep.x = [1]\n"})
    edited = committed(repo, {"b.py": "lr = 2e-5\ndeep = {'x': (1,)}\n"})

    for old, new in ((first, moved), (moved, renamed), (first, renamed)):
        found = diff(repo, old, new)
        assert found.config == ()
        assert found.files
    [change] = diff(repo, renamed, edited).config
    assert (change.path, change.a, change.b) == ("b.py:lr", 1e-5, 2e-5)


def test_a_file_alone_is_compared_whatever_it_is_called(repo: Registry) -> None:
    """Two configs of one file each are compared without their names."""
    made = []
    for name, text in (("one.json", '{"n": 1}'), ("two.yaml", "n: 2")):
        (repo.root / name).write_text(text, encoding="utf-8")
        made.append(repo.commit("config", "c", repo.root / name).id)

    assert [(c.path, c.a, c.b) for c in diff(repo, *made).config] == [("n", 1, 2)]


PYTHON = """
import os
raise SystemExit("this is never run")
lr, unused = 1e-3, 2
seed: int = 3
optimiser = os.getenv("OPTIMISER", "{}")
layers = [64, {}]
steps = {}00
steps += 1
table = {{"a": 1}}
table["a"] = {}
class Train:
    path = "\\d"
    class Inner:
        flags = {{"a", "b"}}
    def __init__(self):
        local = 1
        self.hidden = {}
    def run(self):
        self.later = 9
if os.name == "posix":
    workers = {}
"""


def test_python_is_read_and_never_run(repo: Registry) -> None:
    """Literals are settings; a note names what else differs, and nothing is run."""
    first = committed(repo, {"p.py": PYTHON.format("adam", 64, 1, 7, 1, 2)})
    second = committed(repo, {"p.py": PYTHON.format("sgd", 32, 2, 8, 5, 4)})
    found = diff(repo, first, second)

    assert [(c.path, c.a, c.b) for c in found.config] == [
        ("p.py:Train.hidden", 1, 5),
        ("p.py:layers", [64, 64], [64, 32]),
    ]
    assert found.notes == (
        "in p.py optimiser, steps, table, workers differ but are no literals",
    )


def test_python_is_read_as_dvc_reads_its_params(tmp_path: Path) -> None:
    """A params file of the form that DVC documents says the same to both."""
    from dvc.utils.serialize import parse_py

    source = """
INT: int = 5
NEG = -1e-3
DICT = {"a": 1, "b": {"c": [None, True]}}
SET = {1, 2}
class Train:
    EPOCHS = 70
    def __init__(self):
        self.layers = 5
        self.layers = 9
        local = 3
    class Deep:
        x = "y"
"""
    (tmp_path / "p.py").write_text(source, encoding="utf-8")
    ours = read(tmp_path / "p.py", skipped={})
    theirs = parse_py(source, "p.py")
    theirs["SET"] = sorted(theirs["SET"])

    assert [*changes("", theirs, ours)] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = (", "is not Python: '(' was never closed, line 1"),
        ("x = " + "-" * 50_000 + "1", "nested too deeply"),
        ("x = " + "+".join("1" * 20_000), "nested too deeply"),
        ("\x00", "null bytes"),
    ],
)
def test_python_that_is_none(tmp_path: Path, text: str, why: str) -> None:
    """What Python itself cannot read is one sentence."""
    (tmp_path / "p.py").write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match=r"p\.py") as caught:
        read(tmp_path / "p.py", skipped={})
    assert why in str(caught.value)


def test_params_from_python_are_literals_or_an_error(tmp_path: Path) -> None:
    """Who gives a file of parameters is told of what would be left out."""
    (tmp_path / "p.py").write_text("a = 1\nb = f()\n", encoding="utf-8")

    with pytest.raises(UsageError, match=r"b in .*p\.py is no literal"):
        read(tmp_path / "p.py")


def test_of_a_model_what_libraries_write_is_read(repo: Registry) -> None:
    """The architecture comes first, then other settings; no tokenizer's."""
    made = []
    for n in (1, 2):
        place = repo.root / "model"
        for name, data in {
            "config.json": {"attn": n, "vocab_size": n, "model_type": f"m{n}"},
            "generation_config.json": {"top_k": n},
            "adapter_config.json": {"bias": n, "r": n},
            "1_Pooling/config.json": {"dim": n},
            "tokenizer_config.json": {"x": n},
            "trainer_state.json": {"step": n},
        }.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(json.dumps(data), encoding="utf-8")
        made.append(repo.commit("model", "m", place).id)

    assert [c.path for c in diff(repo, *made).config] == [
        "config.json:model_type", "config.json:vocab_size", "config.json:attn",
        "1_Pooling/config.json:dim", "adapter_config.json:r",
        "adapter_config.json:bias", "generation_config.json:top_k",
    ]  # fmt: skip
