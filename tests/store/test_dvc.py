"""DVC's own files: where its cache is, and the commit that tells it what we need."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.errors import StoreError
from lineage.keeping import refresh_keep
from lineage.store import dvc, names
from lineage.store.events import now
from lineage.store.git_objects import GitObject, TreeEntry, tree
from lineage.store.objects import Event
from lineage.verify import verify
from tests.tools import git

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage import Registry


def configure(root: Path, text: str, name: str = "config") -> None:
    (root / ".dvc").mkdir(exist_ok=True)
    (root / ".dvc" / name).write_text(text, encoding="utf-8")


# configuration


def test_initialise_leaves_what_is_there(tmp_path: Path) -> None:
    """Files of a DVC repository that exists are not touched, missing ones are made."""
    configure(tmp_path, "[core]\n    autostage = true\n")
    (tmp_path / ".dvcignore").write_text("*.tmp\n", encoding="utf-8")
    dvc.initialise(tmp_path)

    assert (
        tmp_path / ".dvc" / "config"
    ).read_text() == "[core]\n    autostage = true\n"
    assert (tmp_path / ".dvcignore").read_text() == "*.tmp\n"
    assert "/cache" in (tmp_path / ".dvc" / ".gitignore").read_text()


@pytest.fixture
def linked(repo: Registry) -> Iterator[Registry]:
    """Give the registry as seen from a linked work tree."""
    (repo.root / "data").write_text("text", encoding="utf-8")
    repo.commit("dataset", "d", "data")
    git(repo.root, "worktree", "add", "-q", "../linked")
    with closing(lineage.open(repo.root.parent / "linked" / ".dvc")) as registry:
        yield registry


def test_linked_work_trees_share_one_cache(linked: Registry, repo: Registry) -> None:
    """What was committed in one is given out, checked and known in the other."""
    assert linked.root.name == "linked"
    assert linked.get("HEAD", linked.root / "got").read_text() == "text"
    made = linked.commit("dataset", "d", linked.root / "got")
    assert repo.get(made.id, repo.root / "again").read_text() == "text"
    assert verify(linked).problems == verify(repo).problems == []
    assert not (linked.root / ".dvc" / "cache").exists()


@pytest.mark.parametrize(
    ("name", "both", "expected"),
    [
        ("config", True, "repo/shared"),
        ("config", False, "linked/shared"),
        ("config.local", False, "linked/shared"),
    ],
)
def test_a_linked_work_tree_may_have_a_cache_of_its_own(
    name: str, *, both: bool, expected: str, linked: Registry, repo: Registry
) -> None:
    """One that its own configuration speaks of, not one that it has from the main."""
    text = "[cache]\n    dir = ../shared\n"
    configure(linked.root, text, name)
    if both:
        configure(repo.root, text, name)

    found = dvc.cache_directory(dvc.home(linked.git))
    assert Path(os.path.normpath(found)) == repo.root.parent / expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ".dvc/cache"),
        ("[core]\n    remote = x\n", ".dvc/cache"),
        ("[cache]\n    type = copy\n", ".dvc/cache"),
        ("[cache]\n    dir = ../elsewhere\n", "elsewhere"),
        ("[cache]\n    dir = inner\n", ".dvc/inner"),
        ("[cache]\n    dir = /abso/lute\n", "/abso/lute"),
        ("# [cache]\n#    dir = /comment\n", ".dvc/cache"),
        ("['remote \"[cache]\"']\n    url = /x\n", ".dvc/cache"),
    ],
)
@pytest.mark.parametrize("name", ["config", "config.local"])
def test_the_cache_is_where_dvc_says(
    text: str, expected: str, name: str, tmp_path: Path
) -> None:
    """Relative paths are relative to `.dvc`, as in DVC."""
    configure(tmp_path, text, name)

    found = dvc.cache_directory(tmp_path)
    assert Path(found).resolve() == (tmp_path / expected).resolve()


def test_local_configuration_comes_first(tmp_path: Path) -> None:
    """`config.local` wins over `config`, as in DVC."""
    configure(tmp_path, "[cache]\n    dir = /general\n")
    configure(tmp_path, "[cache]\n    dir = /special\n", "config.local")

    assert dvc.cache_directory(tmp_path) == Path("/special")


@pytest.mark.parametrize("variable", ["XDG_CONFIG_HOME", "DVC_GLOBAL_CONFIG_DIR"])
def test_the_users_own_configuration_is_read(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache directory in the user's global configuration counts too."""
    home = tmp_path / "home"
    folder = home / "dvc" if variable == "XDG_CONFIG_HOME" else home
    folder.mkdir(parents=True)
    text = "[cache]\n    dir = /global\n"
    (folder / "config").write_text(text, encoding="utf-8")
    monkeypatch.setenv(variable, str(home))
    configure(tmp_path, "")

    assert dvc.cache_directory(tmp_path) == Path("/global")


def test_two_registries_share_a_cache(tmp_path: Path) -> None:
    """One object, two sets of pins: neither registry's going harms the other."""
    (tmp_path / "text").write_text("text", encoding="utf-8")
    for name in ("one", "two"):
        with closing(lineage.init(tmp_path / name)) as registry:
            configure(registry.root, "[cache]\n    dir = ../../shared\n")
            made = registry.commit("dataset", "d", tmp_path / "text")
            [entry] = registry.files(made.id)
            assert registry.payloads.check(entry) == ""
    objects = list((tmp_path / "shared" / "files").glob("md5/*/*"))
    pins = list((tmp_path / "shared" / "lineage").glob("*-*/*/*"))

    assert (len(objects), len(pins)) == (1, 2)


# the keep commit


@pytest.fixture
def two(repo: Registry) -> Registry:
    """Commit a file and a folder."""
    (repo.root / "folder").mkdir()
    for name in ("file", "folder/a", "folder/b"):
        (repo.root / name).write_text(name, encoding="utf-8")
    repo.commit("dataset", "file", "file")
    repo.commit("model", "folder", "folder")
    return repo


def test_the_keep_commit_names_every_object(two: Registry) -> None:
    """One list for all single files, one out per folder, and DVC's configuration."""
    configure(two.root, "[core]\n    remote = r\n")
    refresh_keep(two)
    lines = git(two.root, "show", f"{names.KEEP}:keep.dvc").splitlines()
    outs = dict(zip((x[7:] for x in lines[1::3]), lines[3::3], strict=True))
    [listed] = [oid for oid, path in outs.items() if path.endswith("objects")]
    members = json.loads(two.payloads.path(listed).read_bytes())
    files = {entry.md5 for entry in two.files(two.resolve("dataset/file"))}

    assert {member["md5"] for member in members} == files
    assert len(outs) == 2
    assert (
        git(two.root, "show", f"{names.KEEP}:.dvc/config") == "[core]\n    remote = r\n"
    )
    assert git(two.root, "fsck", "--strict") == ""


def test_the_keep_commit_is_rebuilt_when_something_changed(two: Registry) -> None:
    """A new commit or configuration makes another; otherwise it stays."""

    def keep() -> str:
        refresh_keep(two)
        return git(two.root, "rev-parse", names.KEEP)

    first = keep()
    assert keep() == first
    configure(two.root, "[core]\n    remote = r\n")
    second = keep()
    assert second != first
    (two.root / "file").write_text("more", encoding="utf-8")
    two.commit("dataset", "file", "file")
    assert keep() not in {first, second}


def test_the_keep_commits_list_is_healed(two: Registry) -> None:
    """What `dvc gc` took of it is back before the next `dvc gc -A` looks for it."""
    refresh_keep(two)
    objects = two.payloads.cache / "files" / "md5"
    before = set(objects.glob("*/*.dir"))
    for path in before:
        path.unlink()
    refresh_keep(two)

    assert len(set(objects.glob("*/*.dir")) & before) == 1


def test_a_dvc_file_without_an_address_keeps_nothing(repo: Registry) -> None:
    """A commit that somebody made by hand puts nothing into the keep commit."""
    blob = GitObject("blob", b"outs:\n- md5: ../../secret\n  hash: md5\n")
    top = tree({"model.dvc": TreeEntry("100644", blob.oid)})
    made = GitObject("commit", f"tree {top.oid}\nauthor x <x> 0 +0000\n\n".encode())
    event = Event("import", now(), repo.actor(), commits=(("1" * 64, made.oid),))
    with repo.events_log.locked() as lock:
        repo.record(event, objects=[blob, top, made], lock=lock)
    refresh_keep(repo)

    assert "secret" not in git(repo.root, "show", f"{names.KEEP}:keep.dvc")


def test_a_registry_without_payloads_has_a_keep_commit(repo: Registry) -> None:
    """An empty list is a list."""
    refresh_keep(repo)

    assert "objects" in git(repo.root, "show", f"{names.KEEP}:keep.dvc")


@pytest.mark.parametrize(
    "config", [b"[ cache ]\n    dir = ../here\n", b"['cache']\n    dir = ../here\n"]
)
def test_a_cache_is_found_however_its_section_is_written(
    repo: Registry, config: bytes
) -> None:
    """DVC reads blanks and quotes around a section's name, so we ask it."""
    (repo.root / ".dvc" / "config").write_bytes(config)
    assert dvc.cache_directory(repo.root).resolve() == repo.root / "here"


@pytest.mark.parametrize(
    "config", [b"[cache]\n    type = bogus\n", b"\xff[cache]\n", b"[cache\n"]
)
def test_a_malformed_configuration_is_said(repo: Registry, config: bytes) -> None:
    """No bytes are looked for, or put, where DVC would not look for them."""
    (repo.root / ".dvc" / "config").write_bytes(config)
    with pytest.raises(StoreError, match="DVC's configuration cannot be read"):
        dvc.cache_directory(repo.root)
