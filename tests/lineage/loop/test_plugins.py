"""Packages that add steps, measures and gates: real ones, installed by pip."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from inline_snapshot import snapshot

from lineage.errors import LineageError, UsageError
from lineage.loop.plugins import Plugins
from tests.lineage.loop.running.conftest import STEPS, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

PAGE = Path(__file__).parents[3] / "docs" / "plugins.md"
BLOCKS = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL))
OUR_STEPS = {"train": "steps:train", "evaluate": "steps:evaluate"}
SPEC: dict[str, Any] = {
    "name": "toy",
    "num_generations": 1,
    "model": {"model_name_or_path": "seed", "init_from": "parent"},
    "dataset": {"train_file": "human.txt", "block_size": 12, "origin": "human"},
    "evaluation": {"measures": ["thanks", "measures.py:shouting"]},
    "steps": {"generate": {"use": "babble", "length": 5}, **OUR_STEPS},
    "gates": [{"type": "manners", "min": 0.0}],
}


def install(source: Path, target: Path) -> None:
    """Install a package as pip does, from the files at hand."""
    words = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [sys.executable, "-m", "pip", *words, "--target", target, source]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package of docs/plugins.md is installed."""
    folder = tmp_path_factory.mktemp("plugins")
    for name, content in BLOCKS.items():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "source" / name).write_text(content)
    (folder / "source" / "lineage_manners" / "__init__.py").touch()
    install(folder / "source", folder / "site")
    return folder / "site"


def describe(site: Path, name: str, version: str, group: str, points: str) -> None:
    """Make a distribution by its metadata, as an installer leaves it."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (folder / "METADATA").write_text(head)
    (folder / "entry_points.txt").write_text(f"[{group}]\n{points}\n")


@pytest.fixture
def toy(repo: Registry) -> Registry:
    """The toy loop's files, and the page's own measure."""
    (repo.root / "steps.py").write_text(STEPS)
    (repo.root / "human.txt").write_text(TEXT)
    (repo.root / "seed").mkdir()
    seed = {"thanks": 1, "moon": 2, "glad": 1}
    (repo.root / "seed" / "words.json").write_text(json.dumps(seed))
    (repo.root / "measures.py").write_text(BLOCKS["measures.py"])
    return repo


@pytest.fixture
def lineage_with(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any]
) -> Callable[..., Any]:
    """Run `lineage` in a fresh process that sees the packages of a folder."""

    def run_with(site: Path, *words: str, **sections: Any) -> Any:
        Path("loop.yaml").write_text(yaml.safe_dump(SPEC | sections))
        monkeypatch.setenv("PYTHONPATH", os.fspath(site))
        return run(*words or ("loop", "run", "loop.yaml"), apart=True)

    return run_with


def test_the_package_of_the_page_runs_in_a_loop(
    toy: Registry, site: Path, lineage_with: Callable[..., Any]
) -> None:
    """Its step, measure and gate work, and the record says which version they are."""
    done = lineage_with(site)
    assert done.exit_code == 0, done.stderr
    generation = toy.load(toy.resolve("loop/toy"))
    [verdict] = generation.gates or []
    assert verdict["from"] == {"distribution": "lineage-manners", "version": "1.2"}
    metrics = {name: generation.metrics[name] for name in ("thanks", "shouting")}
    assert metrics["thanks"].definition == "thanks (lineage-manners 1.2)"
    assert metrics["thanks"].direction == "higher"
    assert metrics["thanks"].n == 12
    assert re.fullmatch(
        r"shouting \(measures.py [0-9a-f]{12}\)", str(metrics["shouting"].definition)
    )
    parts = [toy.load(id_) for id_ in generation.ids("includes")]
    config = next(part for part in parts if part.kind == "config").params
    assert config["steps"]["generate"]["options"] == {"length": 5, "records": 12}
    assert config["evaluation"]["measures"]["thanks"]["version"] == "1.2"
    assert config["gates"][0]["from"]["distribution"] == "lineage-manners"
    kept = toy.load(next(p for p in parts if p.params.get("part") == "synthetic").id)
    written = toy.load(kept.ids("derived_from")[0])
    assert written.code is not None
    assert {k: written.code[k] for k in ("use", "distribution", "version")} == {
        "use": "babble",
        "distribution": "lineage-manners",
        "version": "1.2",
    }
    assert len(written.code["sha256"]) == 64


def test_plugins_are_listed_with_where_they_are_from(
    toy: Registry, site: Path, lineage_with: Callable[..., Any]
) -> None:
    """`lineage loop plugins` is what the page shows."""
    del toy
    shown = lineage_with(site, "loop", "plugins").stdout
    assert f"$ lineage loop plugins\n{shown}" in PAGE.read_text()


def test_an_option_that_a_step_does_not_have_is_refused(
    toy: Registry, site: Path, lineage_with: Callable[..., Any]
) -> None:
    """The step's own Section checks what stands beside `use`, with the nearest name."""
    del toy
    steps = {**OUR_STEPS, "generate": {"use": "babble", "lenght": 5}}
    done = lineage_with(site, steps=steps)
    assert (done.exit_code, done.stderr) == (
        2,
        snapshot("""\
error: loop.yaml: steps.generate.lenght: unknown; did you mean length?
"""),
    )


def test_names_that_nothing_has_are_refused_with_the_nearest(
    toy: Registry, site: Path, lineage_with: Callable[..., Any]
) -> None:
    """A misspelt step or measure is no silent nothing."""
    del toy
    steps = {**OUR_STEPS, "generate": {"use": "bable"}}
    assert lineage_with(site, steps=steps).stderr == snapshot("""\
error: loop.yaml: steps.generate.use: no installed package adds this step; did you \
mean babble?
""")
    done = lineage_with(site, evaluation={"measures": ["thank"]})
    assert done.stderr == snapshot("""\
error: loop.yaml: evaluation.measures: there is no measure 'thank'; did you mean \
thanks?
""")
    assert done.exit_code == 2


def test_another_version_is_another_loop(
    toy: Registry,
    site: Path,
    lineage_with: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """A loop does not go on with a measure or a gate of another version."""
    del toy
    assert lineage_with(site).exit_code == 0
    newer = tmp_path / "newer"
    newer.mkdir()
    for item in site.glob("lineage_manners/*.py"):
        (newer / "lineage_manners").mkdir(exist_ok=True)
        (newer / "lineage_manners" / item.name).write_bytes(item.read_bytes())
    points = next(site.glob("*.dist-info/entry_points.txt")).read_text()
    describe(newer, "lineage-manners", "1.3", "nothing", points)
    done = lineage_with(newer, num_generations=2)
    assert done.exit_code == 2
    assert "measures.thanks.version has changed from 1.2 to 1.3" in done.stderr


def test_a_package_that_cannot_be_imported_is_one_sentence(
    toy: Registry, tmp_path: Path, lineage_with: Callable[..., Any]
) -> None:
    """The name, the distribution and the exception; a loop without it still runs."""
    broken = tmp_path / "broken"
    describe(broken, "bad", "0.1", "lineage.gates", "manners = bad_module:Gate")
    (broken / "bad_module.py").write_text("print('noise')\n1 / 0\n")
    none: dict[str, Any] = {"evaluation": {}}
    steps = {**OUR_STEPS, "generate": "steps:generate"}
    done = lineage_with(broken, steps=steps, **none)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == snapshot("""\
noise
error: lineage.gates: manners: bad_module:Gate of bad 0.1 cannot be imported: \
ZeroDivisionError: division by zero
hint: reinstall bad, or ask who made it
""")
    done = lineage_with(broken, steps=steps, gates=[], **none)
    assert done.exit_code == 0, done.stderr
    del toy


def test_a_name_of_two_packages_is_refused_and_a_built_in_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two packages with one name: neither. One that takes ours: ours."""
    describe(tmp_path, "one", "1.0", "some.group", "new = json:loads\nold = json:dumps")
    describe(tmp_path, "two", "2.0", "some.group", "new = json:load")
    monkeypatch.syspath_prepend(tmp_path)
    names = Plugins("some.group", {"old": "json:loads"})
    assert names["old"] is json.loads
    assert names.origin("old") is None
    with pytest.raises(UsageError, match=r"new is ambiguous, one 1.0 and two 2.0 add"):
        names["new"]
    notes = {(p.name, p.distribution): names.trouble(p) for p in names}
    assert notes == {
        ("new", "one"): "not used: two 2.0 has it too",
        ("new", "two"): "not used: one 1.0 has it too",
        ("old", "one"): "not used: the name is built in",
    }


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def m(texts): return 'many'", "the measure m cannot be recorded"),
        ("def m(texts): return float('nan')", "the measure m is nan"),
        ("def m(texts): return True", "the measure m cannot be recorded"),
        ("def m(texts): print('so'); return texts[999]", "m failed: IndexError"),
        ("def m(): return 1", "m.py:m takes nothing"),
        ("def m(model, texts): return 1", "m.py:m takes model, texts"),
        ("def m(model): return 1", "m is a measure of a model"),
        ("def other(texts): return 1", "m.py has no function m"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
    ],
)
def test_a_measure_that_cannot_be_taken_is_one_sentence(
    toy: Registry, source: str, said: str
) -> None:
    """Wrong forms are found before anything runs, wrong values fail the step."""
    from lineage.loop.running.runner import run

    (toy.root / "m.py").write_text(source)
    steps = {**OUR_STEPS, "generate": "steps:generate"}
    spec = SPEC | {"steps": steps, "gates": [], "evaluation": {"measures": ["m.py:m"]}}
    (toy.root / "loop.yaml").write_text(yaml.safe_dump(spec))
    with pytest.raises(LineageError, match=re.escape(said)) as caught:
        run(toy, toy.root / "loop.yaml")
    begun = "loop/toy" in toy.branches()
    assert begun is not isinstance(caught.value, UsageError)


@pytest.mark.parametrize(
    ("measures", "said"),
    [
        (["perplexity"], "perplexity is a built-in measure, which is always taken"),
        (["a.py:x", "b.py:x"], "two measures are called x; rename one of them"),
    ],
)
def test_names_of_measures_do_not_collide(
    toy: Registry, measures: list[str], said: str
) -> None:
    """Not with built-in ones, and not with one another."""
    from lineage.loop.spec import LoopSpec

    spec = SPEC | {"steps": {}, "gates": [], "evaluation": {"measures": measures}}
    with pytest.raises(UsageError, match=said):
        LoopSpec.parse(spec, toy.root)


def test_a_measure_with_a_version_vouches_for_itself(toy: Registry) -> None:
    """Its definition no longer names the bytes of the file."""
    from lineage.loop.measuring.own_measures import load_measures
    from lineage.loop.spec import LoopSpec

    (toy.root / "m.py").write_text(
        "def m(texts): return {'value': len(texts), 'version': 3, 'definition': 'all'}"
    )
    steps = {**OUR_STEPS, "generate": "steps:generate"}
    spec = SPEC | {"steps": steps, "gates": [], "evaluation": {"measures": ["m.py:m"]}}
    [measure] = load_measures(LoopSpec.parse(spec, toy.root))
    metric = measure({"texts": ["a", "b"]})
    assert metric is not None
    assert (metric.value, metric.definition, metric.version) == (2, "all (m.py)", 3)
