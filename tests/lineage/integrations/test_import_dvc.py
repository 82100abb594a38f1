"""Importing a DVC repository: every version of every out, with what it came from."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lineage.errors import Conflict, NotFound, VerificationError
from lineage.integrations.dvc import import_dvc
from tests.dvc import dvc
from tests.tools import git

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry

    Run = Callable[..., Any]


class Project:
    """A git repository with DVC's files and cache, written as DVC writes them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / ".dvc").mkdir(parents=True)
        self.git("init", "-q")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.root, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def write(self, name: str, data: Any) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = data if isinstance(data, str) else yaml.safe_dump(data)
        path.write_text(text, encoding="utf-8")

    def commit(self, message: str = "work") -> str:
        self.git("add", "-A", "-f", "--", ".", ":!.dvc/cache")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def store(self, data: bytes, suffix: str = "", *, legacy: bool = False) -> str:
        text = data.replace(b"\r\n", b"\n") if legacy else data
        digest = hashlib.md5(text, usedforsecurity=False).hexdigest() + suffix
        place = self.root / ".dvc" / "cache"
        place = place if legacy else place / "files" / "md5"
        place = place / digest[:2] / digest[2:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return digest

    def folder(self, files: dict[str, bytes]) -> str:
        rows = [{"md5": self.store(d), "relpath": n} for n, d in sorted(files.items())]
        return self.store(json.dumps(rows).encode(), ".dir")

    def add(self, path: str, digest: str, **more: Any) -> None:
        out = {"md5": digest, "hash": "md5", "path": Path(path).name, **more}
        self.write(f"{path}.dvc", {"outs": [out]})

    def lock(self, **stages: Any) -> None:
        self.write("dvc.lock", {"schema": "2.0", "stages": stages})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def stage(deps: dict[str, str], outs: dict[str, str], **more: Any) -> dict[str, Any]:
    """Write a stage of a lock file."""

    def listed(files: dict[str, str]) -> list[dict[str, str]]:
        return [{"path": p, "md5": d, "hash": "md5"} for p, d in files.items()]

    return {"cmd": "do", "deps": listed(deps), "outs": listed(outs), **more}


def test_what_dvc_itself_made(repo: Registry, tmp_path: Path, run: Run) -> None:
    """A pipeline that the real dvc ran is there with its bytes, and all of it holds."""
    root = tmp_path / "real"
    root.mkdir()

    def do(*words: str) -> None:
        dvc("--cd", root, *words, "-q").check_returncode()

    git(root, "init", "-q")
    do("init")
    (root / "raw.csv").write_text("1,2\n3,4\n")
    (root / "params.yaml").write_text("train: {lr: 0.1}\n")
    split = "mkdir -p data && head -n 1 raw.csv > data/train.csv && cp raw.csv data/"
    stages = {
        "split": {"cmd": split, "deps": ["raw.csv"], "outs": ["data"]},
        "train": {
            "cmd": "cat data/train.csv params.yaml > weights.pt",
            "deps": ["data/train.csv"],
            "params": ["train.lr"],
            "outs": ["weights.pt"],
        },
        "test": {
            "cmd": 'echo \'{"loss": {"last": 0.5}}\' > metrics.json',
            "deps": ["weights.pt", "data/raw.csv"],
            "metrics": [{"metrics.json": {"cache": False}}],
        },
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    do("add", "raw.csv")
    do("repro")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")

    done = run("import", "dvc", root, "--format", "json")
    assert done.exit_code == 0, done.stderr
    assert [(o["branch"], o["absent"]) for o in done.json()["outs"]] == [
        ("dataset/data", 0),
        ("dataset/raw.csv", 0),
        ("model/weights.pt", 0),
    ]
    model = repo.load(repo.resolve("model/weights.pt"))
    data, raw = repo.resolve("dataset/data"), repo.resolve("dataset/raw.csv")
    assert {(e.role, e.id, e.evidence) for e in model.edges} == {
        ("trained_on", data, "declared"),
        ("evaluated_on", data, "declared"),
    }
    assert repo.load(data).ids("derived_from") == (raw,)
    assert model.metrics["loss.last"].value == 0.5
    assert model.params["train.lr"] == 0.1
    assert model.params["dvc"]["stage"] == "train"
    assert [file.path for file in repo.files(data)] == ["raw.csv", "train.csv"]
    assert (
        repo.get("model/weights.pt", tmp_path / "out").read_bytes()
        == (root / "weights.pt").read_bytes()
    )
    assert run("verify").exit_code == 0


def test_importing_again_records_only_what_is_new(
    repo: Registry, project: Project
) -> None:
    """Versions have the same ids each time, from however far they are looked at."""
    for number in range(3):
        project.add("a.csv", project.store(b"%d\n" % number))
        project.commit()
    first = import_dvc(repo, project.root, rev="HEAD~1")
    assert [(line.versions, line.created) for line in first.lines] == [(2, 2)]
    events = len(list(repo.events()))
    again = import_dvc(repo, project.root, rev="HEAD~1")
    assert again.lines[0].created == 0
    assert len(list(repo.events())) == events
    more = import_dvc(repo, project.root)
    assert [(line.versions, line.created) for line in more.lines] == [(3, 1)]
    tip = repo.resolve("dataset/a.csv")
    assert tip == more.lines[0].tip
    assert repo.resolve("dataset/a.csv~1") == first.lines[0].tip
    shutil.rmtree(project.root / ".dvc" / "cache")
    assert import_dvc(repo, project.root).lines[0].created == 0
    assert repo.resolve("dataset/a.csv") == tip


def test_what_is_a_model_is_said_once(repo: Registry, project: Project) -> None:
    """The next import goes by the last one, until it is told otherwise."""
    project.add("fit.out", project.store(b"1"))
    project.commit()
    import_dvc(repo, project.root, models=["fit.*"])
    project.add("fit.out", project.store(b"2"))
    project.commit()

    [line] = import_dvc(repo, project.root).lines
    assert (line.branch, line.created) == ("model/fit.out", 1)
    [line] = import_dvc(repo, project.root, datasets=["*"]).lines
    assert (line.branch, line.created) == ("dataset/fit.out", 2)


@pytest.mark.usefixtures("repo")
def test_nothing_to_import_says_where_it_looked(run: Run, project: Project) -> None:
    """What `dvc add` wrote counts once it is committed to git."""
    project.write("code.py", "1")
    head = project.commit()
    project.add("raw.csv", project.store(b"1,2"))

    done = run("import", "dvc", project.root)

    assert done.exit_code == 0
    assert f"no *.dvc file and no dvc.lock up to {head[:12]}" in done.stderr
    assert "git add" in done.stderr


def test_a_merge_has_what_either_side_made(repo: Registry, project: Project) -> None:
    """What a branch made is one version, named by the commit that it began with."""
    project.add("a.csv", project.store(b"1"))
    project.commit()
    main = project.git("branch", "--show-current")
    project.git("checkout", "-q", "-b", "side")
    project.add("a.csv", project.store(b"2"))
    made = project.commit()
    project.git("checkout", "-q", main)
    project.write("README", "hello")
    project.commit()
    project.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    found = import_dvc(repo, project.root)
    assert [line.versions for line in found.lines] == [2]
    assert repo.load(found.lines[0].tip).params["dvc"]["rev"] == made


def test_missing_bytes_are_claims(repo: Registry, project: Project) -> None:
    """A version that the cache lacks says where it is, and DVC's digest of it."""
    digest = project.store(b"gone")
    project.add("weights/a.bin", digest)
    rev = project.commit()
    shutil.rmtree(project.root / ".dvc" / "cache")
    [line] = import_dvc(repo, project.root).lines
    commit = repo.load(line.tip)
    assert (line.absent, commit.payload, commit.kind) == (1, None, "model")
    uri = f"dvc:weights/a.bin@{rev}"
    assert commit.external == {"uri": uri, "digest": f"md5:{digest}"}
    assert digest not in line.tip
    project.store(b"gone")  # the bytes are back, and it is the same commit
    assert import_dvc(repo, project.root).lines[0].created == 0


def test_damaged_bytes_are_refused(repo: Registry, project: Project) -> None:
    """An object that is not what it is called after is named; nothing is recorded."""
    digest = project.store(b"good")
    project.add("a.csv", digest)
    project.commit()
    place = project.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    place.write_bytes(b"evil")
    with pytest.raises(VerificationError, match=digest[2:]):
        import_dvc(repo, project.root)
    assert repo.branches() == {}


def test_old_forms_are_read(repo: Registry, project: Project) -> None:
    """Lock files without a schema, text with its line ends, folders below folders."""
    digest = project.store(b"a\r\nb\r\n", legacy=True)
    project.write(
        "sub/dvc.lock",
        {"one": {"cmd": "x", "outs": [{"path": "../data/t.txt", "md5": digest}]}},
    )
    project.write("odd.dvc", "{broken")
    project.write("other.dvc", "- just\n- a list\n")
    project.commit()
    found = import_dvc(repo, project.root)
    assert [line.branch for line in found.lines] == ["dataset/data/t.txt"]
    assert found.lines[0].absent == 0
    assert list(found.unread) == ["odd.dvc"]


def test_a_path_cannot_lead_out_of_a_folder(repo: Registry, project: Project) -> None:
    """A list that names files elsewhere is not taken in."""
    rows = [{"md5": project.store(b"x"), "relpath": "../../etc/passwd"}]
    project.add("d", project.store(json.dumps(rows).encode(), ".dir"))
    project.add("e", "../../../../../../etc/passwd")
    project.commit()
    assert [line.absent for line in import_dvc(repo, project.root).lines] == [1, 1]


def test_edges_lead_to_the_bytes_that_a_stage_read(
    repo: Registry, project: Project
) -> None:
    """By digest: a lock file that was not brought up to date names the older data."""
    old = project.store(b"old")
    project.add("d.csv", old)
    project.commit()
    first = import_dvc(repo, project.root).lines[0].tip
    project.add("d.csv", project.store(b"new"))
    project.lock(train=stage({"d.csv": old}, {"m.pt": project.store(b"m")}))
    project.commit()
    import_dvc(repo, project.root)
    model = repo.load(repo.resolve("model/m.pt"))
    assert model.ids("trained_on") == (first,)


def test_a_loop_of_models_and_data(repo: Registry, project: Project) -> None:
    """A model writes data that trains the next, and it is tested on what it wrote."""
    one, data, two = (project.store(each) for each in (b"m1", b"s1", b"m2"))
    project.write(
        "dvc.yaml",
        {
            "stages": {"judge": {"metrics": [{"score.json": {"cache": False}}]}},
            "artifacts": {"tutor": {"path": "two", "type": "model"}},
        },
    )
    project.write("score.json", '{"good": 1, "bad": "text", "nan": .nan}')
    project.add("one.pt", one)
    project.lock(
        write=stage({"one.pt": one}, {"s.txt": data}),
        train=stage({"s.txt": data, "one.pt": one}, {"two": two}),
        judge=stage({"one.pt": one, "s.txt": data}, {"score.json": "0" * 32}),
    )
    project.commit()
    import_dvc(repo, project.root)
    first, second = repo.resolve("model/one.pt"), repo.load(repo.resolve("model/two"))
    synthetic = repo.resolve("dataset/s.txt")
    assert repo.load(synthetic).ids("generated_by") == (first,)
    assert second.ids("fine_tuned_from") == (first,)
    assert second.ids("trained_on") == (synthetic,)
    assert repo.load(first).ids("evaluated_on") == ()
    assert {n: m.value for n, m in repo.load(first).metrics.items()} == {"good": 1}
    assert "dataset/score.json" not in repo.branches()


def test_branches_of_others_are_left_alone(
    repo: Registry, project: Project, tmp_path: Path
) -> None:
    """What goes on here by itself stays; another repository takes a prefix."""
    project.add("a.csv", project.store(b"1"))
    project.commit()
    import_dvc(repo, project.root)
    (tmp_path / "own.csv").write_text("own")
    own = repo.commit("dataset", "a.csv", tmp_path / "own.csv").id
    project.add("a.csv", project.store(b"2"))
    project.commit()
    [line] = import_dvc(repo, project.root).lines
    assert (repo.resolve("dataset/a.csv"), line.branch) == (own, "dataset/a.csv@dvc")
    assert import_dvc(repo, project.root).lines[0].branch == line.branch
    other = Project(tmp_path / "other")
    other.add("a.csv", other.store(b"3"))
    other.commit()
    with pytest.raises(Conflict, match="is not that of"):
        import_dvc(repo, other.root)
    [line] = import_dvc(repo, other.root, prefix="other", models=["*.csv"]).lines
    assert line.branch == "model/other/a.csv"


def test_what_was_deleted_keeps_its_last_version(
    repo: Registry, project: Project
) -> None:
    """A branch of what git has no more leads to it, and its bytes stay."""
    project.add("a.csv", project.store(b"1"))
    project.commit()
    (project.root / "a.csv.dvc").unlink()
    project.commit()
    [line] = import_dvc(repo, project.root).lines
    assert repo.resolve("dataset/a.csv") == line.tip


def test_a_dvc_repository_in_another_one_is_imported_by_itself(
    repo: Registry, project: Project, run: Run
) -> None:
    """As with DVC, what it keeps is not the larger one's, which says so."""
    project.add("top.csv", project.store(b"1"))
    project.write("team/.dvc/config", "")
    project.add("team/own.csv", project.store(b"2"))
    project.commit()

    outer, inner = import_dvc(repo, project.root), project.root / "team"
    assert [line.branch for line in outer.lines] == ["dataset/top.csv"]
    assert outer.apart == ["team"]
    assert (
        "team is a DVC repository of its own"
        in run("import", "dvc", project.root).stderr
    )
    assert [line.branch for line in import_dvc(repo, inner).lines] == [
        "dataset/own.csv"
    ]


def test_what_is_no_dvc_repository_is_refused(repo: Registry, tmp_path: Path) -> None:
    """A folder without DVC, and a revision that git lacks, are not found."""
    bare = tmp_path / "bare"
    bare.mkdir()
    with pytest.raises(NotFound, match="no DVC repository"):
        import_dvc(repo, bare)
    with pytest.raises(NotFound, match="is no folder"):
        import_dvc(repo, repo.root / "nowhere")
    with pytest.raises(NotFound, match="no revision nowhere"):
        import_dvc(repo, repo.root, rev="nowhere")
    assert import_dvc(repo, repo.root).lines == []
