"""The real `dvc` on a real registry: it reads ours, and what it deletes heals."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.keeping import refresh_keep
from lineage.store.files import dvc_address
from lineage.transfer import fetch_payloads, push_payloads
from lineage.verify import verify
from tests import packs
from tests.dvc import dvc as plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.recording import Committed
    from lineage.registry import Registry

NAMES = ["a.txt", "b c.txt", "d/é.txt", "d/e/😀", "d/e/'q\"#: [x]", "%41", " lead"]
ODD = "a\x7f\x85\u2028\ufeff: # 'x' \"y\" \\ \n\t[z] {w}"


def dvc(root: Path, *args: str | Path) -> str:
    home = {**os.environ, "HOME": str(root.parent)}  # dulwich wants a real folder
    done = plain("--cd", root, *args, env=home)
    assert done.returncode == 0, done.stderr
    return done.stdout


def folder(path: Path) -> Path:
    """Make a folder of odd names, with an executable file and an empty directory."""
    for i, name in enumerate(NAMES):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(f"text {i % 3}", encoding="utf-8")
    (path / "a.txt").chmod(0o755)
    (path / "empty").mkdir()
    return path


def files(top: Path) -> dict[str, bytes]:
    found = (path for path in sorted(top.rglob("*")) if path.is_file())
    return {str(path.relative_to(top)): path.read_bytes() for path in found}


def cached(registry: Registry) -> dict[str, bytes]:
    return files(registry.payloads.cache / "files")


def needed(registry: Registry) -> set[str]:
    """Where DVC's cache has the objects of all commits."""
    oids = set()
    for record in registry.ids:
        payload, entries = registry.load(record.id).payload, registry.files(record.id)
        oids |= {entry.md5 for entry in entries}
        oids |= {dvc_address(payload.type, entries)[0]} if payload else set()
    return {f"md5/{oid[:2]}/{oid[2:]}" for oid in oids if oid}


class Story:
    """A registry with one commit of each sort, and what its folders hold."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.registry = registry = lineage.init(base / "my repo")
        self.folder = folder(base / "folder")
        self.text = base / "corpus ü.txt"
        self.text.write_text("once upon a time", encoding="utf-8")
        self.data = registry.commit("dataset", "seed", self.text)
        self.first = self.model(
            {"lr": 1e-7, "big": 2**60, "odd": ODD, "deep": {"a": [1]}}
        )
        (self.folder / "a.txt").write_text("other", encoding="utf-8")
        self.second = self.model(
            {"lr": 0.5, "big": 1, "odd": "plain", "deep": {"a": [2]}}
        )
        (self.folder / "a.txt").write_text("text 0", encoding="utf-8")
        registry.commit(
            "generation", "loop", edges=[lineage.Edge("includes", self.data.id)]
        )

    def model(self, params: dict[str, Any]) -> Committed:
        metrics = {"perplexity": 20 + params["big"] % 10, "nested name/é": 1.5}
        return self.registry.commit(
            "model", "tutor", self.folder, params=params, metrics=metrics
        )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    made = Story(tmp_path_factory.mktemp("story"))
    with closing(made.registry):
        yield made


def test_dvc_get_gives_a_file_back(story: Story, tmp_path: Path) -> None:
    """`dvc get . dataset/NAME --rev OID` writes the committed bytes."""
    name = f"dataset/{story.text.name}"
    dvc(
        story.registry.root,
        "get",
        ".",
        name,
        "--rev",
        story.data.git,
        "-o",
        tmp_path / "x",
    )

    assert filecmp.cmp(tmp_path / "x", story.text, shallow=False)


def test_dvc_get_gives_a_folder_back(story: Story, tmp_path: Path) -> None:
    """`dvc get . model --rev OID` writes every file of the folder."""
    dvc(
        story.registry.root,
        "get",
        ".",
        "model",
        "--rev",
        story.first.git,
        "-o",
        tmp_path / "x",
    )

    assert files(tmp_path / "x") == files(story.folder)


def test_dvc_list_sees_the_files(story: Story) -> None:
    """`dvc list -R` names the payload beside what describes it."""
    args = ("list", "-R", "--json", ".", "--rev", story.first.git)
    listed = {item["path"] for item in json.loads(dvc(story.registry.root, *args))}

    described = {
        "lineage.json",
        "files.jsonl",
        "metrics.json",
        "params.yaml",
        "dvc.yaml",
    }
    assert listed >= described | {f"model/{name}" for name in NAMES}


def test_dvc_diffs_metrics_params_and_files(story: Story) -> None:
    """`dvc metrics diff`, `params diff` and `diff` compare two commits."""
    root, pair = story.registry.root, (story.first.git, story.second.git)
    metrics = json.loads(dvc(root, "metrics", "diff", "--json", *pair))
    params = json.loads(dvc(root, "params", "diff", "--json", *pair))
    changed = json.loads(dvc(root, "diff", "--json", *pair))

    assert metrics["metrics.json"]["perplexity"] == {"old": 26, "new": 21, "diff": -5}
    old = {name: change["old"] for name, change in params["params.yaml"].items()}
    assert old == {"lr": 1e-7, "big": str(2**60), "odd": ODD, "deep.a": "[1]"}
    assert [file["path"] for file in changed["modified"]] == ["model/", "model/a.txt"]
    assert changed["added"] == changed["deleted"] == []


def test_dvc_exp_show_reads_a_commit(story: Story) -> None:
    """`dvc exp show --rev OID` shows metrics and params."""
    args = ("exp", "show", "--json", "--rev", story.second.git, "-n", "1")
    shown = {
        row["rev"]: row["data"] for row in json.loads(dvc(story.registry.root, *args))
    }
    data = shown[story.second.git]

    assert data["metrics"]["metrics.json"]["data"]["perplexity"] == 21
    assert data["params"]["params.yaml"]["data"]["lr"] == 0.5


def test_a_folder_is_what_dvc_add_makes_of_it(story: Story, tmp_path: Path) -> None:
    """Same objects, same `.dir` list, same address, size and count as `dvc add`."""
    shutil.copytree(story.folder, tmp_path / "theirs" / "model")
    subprocess.run(["git", "init", "-q", tmp_path / "theirs"], check=True)
    dvc(tmp_path / "theirs", "init", "-q")
    dvc(tmp_path / "theirs", "add", "-q", "model")
    made = files(tmp_path / "theirs" / ".dvc" / "cache" / "files")
    show = ["git", "show", f"{story.first.git}:model.dvc"]
    ours = subprocess.run(
        show, cwd=story.registry.root, capture_output=True, check=True
    )
    theirs = (tmp_path / "theirs" / "model.dvc").read_text().splitlines()

    assert made.items() <= cached(story.registry).items()
    assert set(theirs) == set(ours.stdout.decode().replace('"', "").splitlines())


def test_init_writes_what_dvc_init_writes(repo: Registry, tmp_path: Path) -> None:
    """A registry's `.dvc` and `.dvcignore` are those of `dvc init`."""
    subprocess.run(["git", "init", "-q", tmp_path / "theirs"], check=True)
    dvc(tmp_path / "theirs", "init", "-q")
    for name in (".dvc/config", ".dvc/.gitignore", ".dvcignore"):
        theirs = (tmp_path / "theirs" / name).read_bytes()
        assert (repo.root / name).read_bytes() == theirs


FORMS = ["-w", "-a", "-T", "-A", "--all-experiments", "-a -T", "-w -A"]
FORMS += ["--rev HEAD -n 1", "--rev HEAD -A", "--date 2020-01-01", "-w --not-in-remote"]


@pytest.mark.parametrize(
    ("form", "keep"),
    [*((form, False) for form in FORMS), *((form, True) for form in FORMS[:4])],
)
def test_dvc_gc_takes_nothing_that_verify_does_not_heal(
    story: Story, form: str, *, keep: bool
) -> None:
    """After any local `dvc gc`, with keep commit or not, verify puts all back."""
    root = story.registry.root
    backup = root.parent / "backup"
    (root / ".dvc" / "config.local").write_text(
        f"[core]\n    remote = backup\n['remote \"backup\"']\n    url = {backup}\n"
    )
    if keep:
        refresh_keep(story.registry)
    else:
        git = ["git", "-C", str(root), "update-ref", "-d", "refs/remotes/lineage/keep"]
        subprocess.run(git, check=True)
    dvc(root, "gc", *form.split(), "-f")
    (root / ".dvc" / "config.local").unlink()

    assert verify(story.registry).problems == []
    assert needed(story.registry) <= cached(story.registry).keys()


def test_dvc_gc_of_the_cloud_spares_a_remote_of_our_own(tmp_path: Path) -> None:
    """`gc -w -c` empties DVC's remote; ours has all, and `-A -c` takes nothing."""
    with closing(Story(tmp_path).registry) as registry:
        root, ids = registry.root, [record.id for record in registry.ids]
        dvc(root, "remote", "add", "-q", "-d", "shared", tmp_path / "shared")
        dvc(root, "remote", "add", "-q", "own", tmp_path / "shared" / "lineage")
        for name in ("shared", "own"):
            push_payloads(registry, name, ids)
        refresh_keep(registry)
        dvc(root, "push", "-A")
        before = files(tmp_path / "shared" / "files")
        dvc(root, "gc", "-A", "-c", "-f")
        assert files(tmp_path / "shared" / "files") == before

        dvc(root, "gc", "-w", "-c", "-f")
        assert files(tmp_path / "shared" / "files") == {}
        shutil.rmtree(registry.payloads.cache)
        fetch_payloads(registry, "own", ids)
        assert verify(registry).problems == []


def test_the_keep_commit_speaks_for_us_to_dvc(tmp_path: Path) -> None:
    """With it `gc -A` deletes nothing, and `push -A`, `fetch -A` move everything."""
    with closing(Story(tmp_path).registry) as registry:
        refresh_keep(registry)
        before = cached(registry)
        dvc(registry.root, "gc", "-A", "-f")
        assert cached(registry) == before

        dvc(registry.root, "gc", "-w", "-f")
        assert verify(registry).problems == []
        dvc(registry.root, "gc", "-A", "-f")
        assert cached(registry) == before

        dvc(registry.root, "remote", "add", "-q", "-d", "backup", tmp_path / "backup")
        refresh_keep(registry)
        dvc(registry.root, "push", "-A")
        assert files(tmp_path / "backup" / "files").items() >= before.items()

        shutil.rmtree(registry.payloads.cache)
        dvc(registry.root, "fetch", "-A")
        assert cached(registry).items() >= before.items()
        assert verify(registry).problems == []


def test_dvc_beside_packed_files(tmp_path: Path) -> None:
    """`gc -A` and `push -A` miss nothing; `get` says that it finds no packed file."""
    with closing(Story(tmp_path).registry) as registry:
        root, ids = registry.root, [record.id for record in registry.ids]
        [seed] = registry.files(registry.resolve("dataset/seed"))
        oids = {e.md5 for id_ in ids for e in registry.files(id_) if e.size}
        packs.pack(registry.payloads, oids - {seed.md5})
        refresh_keep(registry, again=True)
        git, got = registry.git_oid(registry.resolve("model/tutor")), tmp_path / "got"
        get = ("get", root, "model", "--rev", git, "-o", got)
        dvc(root, "gc", "-A", "-f")
        assert verify(registry).problems == []
        with pytest.raises(AssertionError, match="No storage files available"):
            dvc(tmp_path, *get)
        with registry.payloads.alone():
            registry.payloads.restore(oids)
        dvc(tmp_path, *get)
        assert len(files(got)) == len(NAMES)

        with registry.payloads.alone():
            registry.payloads.release(oids - {seed.md5})
        dvc(root, "remote", "add", "-q", "-d", "backup", tmp_path / "backup")
        refresh_keep(registry, again=True)
        dvc(root, "push", "-A")
        sent = files(tmp_path / "backup" / "files")
        assert {oid for oid in oids if f"md5/{oid[:2]}/{oid[2:]}" in sent} == {seed.md5}


def test_dvc_add_and_a_commit_of_one_file_share_it(story: Story) -> None:
    """The same bytes by both ways are one object, and `dvc status` stays clean."""
    root = story.registry.root
    (root / "both.txt").write_text("both", encoding="utf-8")
    dvc(root, "add", "-q", "both.txt")
    made = story.registry.commit("dataset", "both", root / "both.txt")
    [entry] = story.registry.files(made.id)
    [pin] = story.registry.payloads.cache.glob(
        f"lineage/*-*/{entry.md5[:2]}/{entry.md5[2:]}"
    )

    assert pin.stat().st_nlink == 2
    assert json.loads(dvc(root, "status", "--json")) == {}


def another_disk(here: Path) -> Path:
    """A folder on another file system, or `here` where there is none."""
    places = (Path("/dev/shm"), Path("/tmp"))  # noqa: S108
    others = (p for p in places if p.is_dir() and p.stat().st_dev != here.stat().st_dev)
    return next(others, here)


@pytest.mark.parametrize("where", ["elsewhere", "relative"])
@pytest.mark.parametrize("file", ["config", "config.local"])
def test_a_cache_elsewhere_is_used(where: str, file: str, tmp_path: Path) -> None:
    """`cache.dir` in any of DVC's files leads there, on another file system too."""
    own = f"lineage-test-{os.getpid()}"
    place = another_disk(tmp_path) / own if where == "elsewhere" else tmp_path / "c"
    (tmp_path / "text").write_text("text", encoding="utf-8")
    with closing(lineage.init(tmp_path / "repo")) as registry:
        written = place if where == "elsewhere" else "../../c"
        config = registry.root / ".dvc" / file
        config.write_text(f"[cache]\n    dir = {written}\n", encoding="utf-8")
        try:
            made = registry.commit("dataset", "d", tmp_path / "text")
            name = ("dataset/text", "--rev", made.git, "-o", tmp_path / "out")
            dvc(registry.root, "get", ".", *name)

            assert (tmp_path / "out").read_text(encoding="utf-8") == "text"
            assert len(files(place / "files")) == len(files(place / "lineage")) == 1
            assert not (registry.root / ".dvc" / "cache").exists()
        finally:
            shutil.rmtree(place, ignore_errors=True)
