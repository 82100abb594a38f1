"""A registry of an earlier day, kept in tests/data, is read by every later version.

`tests/data/make_registry.py` made it and says how to make another.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import NotAllowed
from lineage.history import walk
from lineage.names_ops import set_tag
from lineage.store import dvc
from lineage.store.objects import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lineage import Registry

    Sound = Callable[[Registry], None]
    Run = Callable[..., Any]

DATA = Path(__file__).parent / "data"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Fetch the old registry into a new repository, as its next owner would."""
    root = tmp_path / "old"
    refs = "refs/lineage/*:refs/lineage/*"
    for command in (
        ["init", "-q", str(root)],
        ["-C", str(root), "fetch", "-q", str(DATA / "registry.bundle"), refs],
    ):
        subprocess.run(["git", *command], check=True)
    dvc.initialise(root)
    cache = root / ".dvc" / "cache"
    cache.mkdir()
    subprocess.run(["tar", "-xzf", DATA / "cache.tar.gz", "-C", cache], check=True)
    monkeypatch.chdir(root)
    with closing(lineage.open(root)) as registry:
        yield registry


IDS = {
    "config/recipe": "425b97d786ad7afd5f43bc94f98a7db93e0725ce8f7278e466ebf4f3e9bc3912",
    "dataset/seed": "8b9a22abac01adb502f4383370d98fa9f1eda6e30b27272183807cbbe5606cd6",
    "dataset/written": (
        "832c5f7e669230018fdbf927be337c2974452f93ca59d371b27d125d76c0244c"
    ),
    "loop/tutor": "3e1ed4b7ca1fd69102077e52ee10a09fc236524119448adbc946428af28c5945",
    "model/api": "3cb05447c7267436d6bf647fcc0257a8bef728306871aba4fbdee090afa4fba6",
    "model/tutor": "73a1b495e8a27d8c1a6370f8d795407342b0e1c5048c221e106e8a1645c5ad6c",
}
SHOWN = "6830f5459c25bd010095c78cd87ccb01cca988122a4b2ff772c4c21c9754660c"


def test_its_names_are_those_that_it_had(old: Registry) -> None:
    """Branches, tags, parts of a loop and spent names, by their exact ids."""
    assert old.branches() == IDS
    assert old.tags() == {"v1": SHOWN}
    assert list(old.names("runs")) == ["tutor/3/config"]
    assert list(old.names("spent")) == ["v0"]
    assert old.git_oid(SHOWN) == "6e1ef75b08043b72748ff955232ed7960183da09"
    assert old.events_log.tip() == "03857d9c901ad95cfc35b872f60db7ff1bab781c"
    with pytest.raises(NotAllowed, match="v0 was a tag once"):
        set_tag(old, "v0", "loop/tutor")


def test_its_history_is_read(old: Registry, run: Run) -> None:
    """The walk, what commits say, and what the log says of them."""
    found = list(walk(old, [IDS["loop/tutor"]]))
    newest, model = old.load(IDS["loop/tutor"]), old.load(IDS["model/tutor"])
    types = [event.type for _, event in old.events()]

    assert [(e.commit.kind, e.generation) for e in found if e.commit.payload] == [
        *[("model", 2), ("dataset", 2), ("model", 1), ("dataset", 1)],
        *[("model", 0), ("dataset", 0)],
    ]
    assert newest.params == {"generation": 2}
    assert newest.gates == [
        {"id": "diversity", "type": "distinct", "verdict": "pass", "value": 0.5}
    ]
    assert newest.ids("follows") == (SHOWN,)
    assert model.metrics == {"perplexity": Metric(23.5, "per token", 1, "lower", 400)}
    assert [edge.share for edge in model.edges if edge.role == "trained_on"] == [
        {"records": [1, 4]}
    ]
    assert old.load(IDS["dataset/seed"]).origin == {
        "type": "human", "source": "Hamlet", "licence": "CC0-1.0"
    }  # fmt: skip
    assert old.load(IDS["model/api"]).external == {"uri": "https://example.com/m"}
    assert (old.entry("model/tutor").message, old.entry("v1").tags) == (
        "turn 2", ("v1",)
    )  # fmt: skip
    assert (types[-1], types.count("commit"), types.count("review")) == ("init", 14, 1)
    for words in (
        ["log", "--all"],
        ["show", "v1"],
        ["log", "--all", "--metric", "perplexity>0"],
    ):
        assert run(*words).exit_code == 0


def test_its_bytes_come_back(old: Registry, tmp_path: Path, sound: Sound) -> None:
    """Files, modes and empty folders; and everything is as recorded."""
    got = old.get("dataset/written", tmp_path / "got")

    assert {path.name for path in got.iterdir()} == {"ä b.txt", "run.sh", "empty"}
    assert (got / "ä b.txt").read_text(encoding="utf-8") == "words 2\n"
    assert os.access(got / "run.sh", os.X_OK)
    assert old.get("dataset/seed", tmp_path / "seed").read_text() == (
        "To be, or not to be.\n"
    )
    sound(old)


def test_it_can_be_gone_on_with(old: Registry, sound: Sound) -> None:
    """A new commit revises the old tip."""
    made = old.commit("config", "recipe", params={"lr": 0.1})

    assert old.load(made.id).ids("revises") == (IDS["config/recipe"],)
    sound(old)
