"""Two commits compared: metrics, settings, files, part by part."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.diff import before, diff
from lineage.diff.metrics import MetricChange
from lineage.diff.settings import changes
from lineage.errors import NotFound
from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

LEAVES = st.integers(-9, 9) | st.text("ab.", max_size=3) | st.booleans()
DOCUMENTS = st.dictionaries(
    st.text("ab.", max_size=2),
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.text("ab.", max_size=2), inner, max_size=2)
        ),
        max_leaves=6,
    ),
    max_size=3,
)


@pytest.mark.parametrize(
    ("direction", "a", "b", "delta", "better"),
    [
        ("lower", 2.5, 2.0, -0.5, True),
        ("lower", 2.0, 2.5, 0.5, False),
        ("higher", 0.1, 0.3, 0.2, True),
        ("higher", 7, 4, -3, False),
        (None, 1, 3, 2, None),
        ("lower", 2.5, 2.5, 0, None),
    ],
)
def test_better_follows_the_direction(
    direction: str | None, a: float, b: float, delta: float, *, better: bool | None
) -> None:
    """A difference is exact to what was measured, and judged by the direction."""
    old, new = (Metric(value, direction=direction) for value in (a, b))
    change = MetricChange("m", old, new)

    assert (change.delta, change.better) == (delta, better)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Metric(1, "loss", 1), Metric(2, "loss", 2)),
        (Metric(1, "loss", 1), Metric(2, "entropy", 1)),
        (Metric(1, "loss", 1), Metric(2)),
        (Metric(1), None),
        (None, Metric(1)),
    ],
)
def test_what_means_something_else_is_not_compared(
    one: Metric | None, other: Metric | None
) -> None:
    """Without two values of one definition there is no difference and no verdict."""
    change = MetricChange("m", one, other)

    assert (change.comparable, change.delta, change.better) == (False, None, None)


def test_directions_that_disagree_give_no_verdict() -> None:
    """Which way is better must be said the same way on both sides."""
    change = MetricChange(
        "m", Metric(1, direction="lower"), Metric(2, direction="higher")
    )

    assert (change.delta, change.better) == (1, None)


@given(DOCUMENTS)
def test_nothing_differs_from_itself(document: dict[str, Any]) -> None:
    """A document has no changes against its own copy."""
    assert list(changes("", document, json.loads(json.dumps(document)))) == []


@given(DOCUMENTS, DOCUMENTS)
def test_what_differs_is_found_and_its_mirror_image(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Documents differ exactly where changes say so, in either order."""
    there = list(changes("", one, other))
    back = list(changes("", other, one))

    assert bool(there) == (
        json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)
    )
    assert [(c.path, c.b, c.a) for c in back] == [(c.path, c.a, c.b) for c in there]


def folder(root: Path, **files: str) -> Path:
    """Write a folder of files; ``__`` stands for a dot."""
    place = root / "folder"
    place.mkdir(exist_ok=True)
    for path in place.iterdir():
        path.unlink()
    for name, text in files.items():
        (place / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return place


def test_files(repo: Registry) -> None:
    """Added, removed, changed in content or mode; sorted by path."""
    place = folder(repo.root, same="1", gone="2", tool="3", text="4")
    old = repo.commit("dataset", "d", place)
    place = folder(repo.root, same="1", tool="3", text="5", new="6")
    (place / "tool").chmod(0o755)
    new = repo.commit("dataset", "d", place)

    files = diff(repo, old.id, new.id).files

    assert [change.path for change in files.added] == ["new"]
    assert [change.path for change in files.removed] == ["gone"]
    assert [change.path for change in files.changed] == ["text", "tool"]


def test_renamed_files(repo: Registry) -> None:
    """The same bytes under another path are one change; each is used up once."""
    place = folder(repo.root, a="1", b="1", c="2", empty="", kept="3")
    old = repo.commit("dataset", "d", place)
    place = folder(repo.root, x="1", y="1", z="1", c="2", void="", kept="4")
    new = repo.commit("dataset", "d", place)

    files = diff(repo, old.id, new.id).files

    assert [(c.came_from, c.path) for c in files.renamed] == [("a", "x"), ("b", "y")]
    assert [change.path for change in files.added] == ["void", "z"]
    assert [change.path for change in files.removed] == ["empty"]
    assert [change.path for change in files.changed] == ["kept"]


def test_settings_in_files_of_a_config(repo: Registry) -> None:
    """JSON, YAML and TOML are read; each setting is named with its file."""
    texts = ({"lr": 1}, {"lr": 2})
    made = [
        repo.commit(
            "config",
            "c",
            folder(repo.root, a__json=json.dumps(text), b__yaml=f"lr: {text['lr']}",
                   c__toml=f"lr = {text['lr']}", notes__txt=str(text)),
        ).id
        for text in texts
    ]  # fmt: skip

    found = diff(repo, *made).config

    assert [(c.path, c.a, c.b) for c in found] == [
        ("a.json:lr", 1, 2), ("b.yaml:lr", 1, 2), ("c.toml:lr", 1, 2),
    ]  # fmt: skip


def test_of_a_model_only_config_json_is_read(repo: Registry) -> None:
    """Other JSON files of a model are files, not settings."""
    made = [
        repo.commit(
            "model",
            "m",
            folder(
                repo.root, config__json=f'{{"n": {n}}}', other__json=f'{{"n": {n}}}'
            ),
        ).id
        for n in (1, 2)
    ]

    found = diff(repo, *made)

    assert [c.path for c in found.config] == ["config.json:n"]
    assert [c.path for c in found.files.changed] == ["config.json", "other.json"]


def test_models_bring_the_configs_that_they_were_made_with(repo: Registry) -> None:
    """What a config part says is a setting, without its files."""
    made = []
    for rate in (0.1, 0.2):
        config = repo.commit("config", "c", params={"train": {"lr": rate}}).id
        edges = [Edge("configured_by", config)]
        made.append(repo.commit("model", "m", params={"x": 1}, edges=edges).id)

    found = diff(repo, *made)

    assert [(c.path, c.a, c.b) for c in found.config] == [("train.lr", 0.1, 0.2)]
    assert (found.params, bool(found.files)) == ((), False)


def test_parts_are_paired_by_name_then_by_kind(repo: Registry) -> None:
    """Only what has no partner is added or removed as a whole."""

    def generation(name: str, model: str, text: str, *datasets: str) -> str:
        parts = [repo.commit("model", model, folder(repo.root, w=text)).id]
        parts += [
            repo.commit("dataset", d, folder(repo.root, **{f"{d}__txt": text})).id
            for d in datasets
        ]  # fmt: skip
        edges = [Edge("includes", id_) for id_ in parts]
        return repo.commit("generation", name, edges=edges).id

    found = diff(
        repo, generation("a", "one", "1", "seed"),
        generation("b", "two", "2", "seed", "more"),
    )  # fmt: skip

    assert [c.path for c in found.files.changed] == [
        "dataset/seed/seed.txt", "model/two/w",
    ]  # fmt: skip
    assert [c.path for c in found.files.added] == ["dataset/more/more.txt"]


def test_parts_of_two_loops_are_paired_by_what_they_are(repo: Registry) -> None:
    """A loop's mix stands beside the other loop's mix, whatever they are called."""
    made = []
    for loop in ("keep", "swap"):
        parts = [
            repo.commit("dataset", f"{loop}-{part}",
                        folder(repo.root, x__txt=loop + part), params={"part": part}).id
            for part in ("mixed", "synthetic")
        ]  # fmt: skip
        edges = [Edge("includes", id_) for id_ in parts]
        made.append(repo.commit("generation", loop, edges=edges).id)

    assert [c.path for c in diff(repo, made[0], made[1]).files.changed] == [
        "dataset/swap-mixed/x.txt", "dataset/swap-synthetic/x.txt",
    ]  # fmt: skip


def test_metrics_of_parts_that_the_whole_does_not_have(repo: Registry) -> None:
    """A part's metric is listed under its name unless the generation has it too."""
    made = []
    for value in (1.0, 2.0):
        metrics = {"loss": value, "own": value}
        model = repo.commit("model", "m", params={"v": value}, metrics=metrics).id
        edges = [Edge("includes", model)]
        made.append(
            repo.commit("generation", "g", edges=edges, metrics={"loss": value}).id
        )

    assert [c.name for c in diff(repo, *made).metrics] == ["loss", "model/m/own"]


def test_unreadable_settings_are_noted(repo: Registry) -> None:
    """Too large, damaged, or not stored: the note says which and why."""
    large = json.dumps({"x": "y" * (1 << 20)})
    made = [
        repo.commit("config", "c", folder(repo.root, a__json="{}", b__json=text)).id
        for text in ("{}", large)
    ]
    [note] = diff(repo, made[0], made[1]).notes
    assert note == "b.json is not compared: it is too large for a config"

    place = folder(repo.root, a__json='{"n": 1}')
    made.append(repo.commit("config", "c", place, reference=True).id)
    [note] = diff(repo, made[0], made[2]).notes
    assert note == "a.json is not compared: it is missing from the cache"


def test_before(repo: Registry) -> None:
    """The predecessor is the one on the branch; the first has none."""
    first = repo.commit("config", "c", params={"n": 1}).id
    repo.commit("config", "c", params={"n": 2})

    assert before(repo, "HEAD") == first
    with pytest.raises(NotFound, match="nothing comes before"):
        before(repo, first)
