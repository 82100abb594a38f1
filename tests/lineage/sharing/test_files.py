"""Files that travel with the refs, and tags that plain DVC can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage import Edge
from lineage.erase import erase, plan_erasure
from lineage.errors import StoreError, UsageError
from lineage.gc import gc
from lineage.names_ops import delete_tag, set_tag
from lineage.needed import absent
from lineage.sharing import remotes
from lineage.sharing.payloads import Choice, bring
from lineage.sharing.push import push
from lineage.verify import verify
from tests.dvc import dvc

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

    Hub = Any


def store(hub: Hub, registry: Registry) -> Path:
    """Give the registry a folder as DVC remote."""
    folder: Path = hub.folder / "store"
    text = f"[core]\n    remote = r\n['remote \"r\"']\n    url = {folder}\n"
    (registry.root / ".dvc" / "config").write_text(text, encoding="utf-8")
    return folder


def dataset(hub: Hub, registry: Registry, name: str, text: str) -> str:
    path: Path = hub.folder / name
    path.write_text(text, encoding="utf-8")
    made: str = registry.commit("dataset", name, path).id
    return made


def objects(folder: Path) -> int:
    return sum(1 for _ in folder.glob("files/md5/*/*"))


def test_files_come_with_a_clone(hub: Hub) -> None:
    """Those of branches, and of what a generation includes; others when asked for."""
    ours = hub.first()
    folder = store(hub, ours)
    old, new = dataset(hub, ours, "d", "old"), dataset(hub, ours, "d", "new")
    path = hub.folder / "m"
    path.write_text("weights", encoding="utf-8")
    part = ours.commit("model", "m", path, ref="runs/l/1/model").id
    ours.commit("generation", "l", edges=[Edge("includes", part)])
    moved = hub.push(ours).payloads
    assert (moved.objects, objects(folder)) == (3, 3)

    theirs = hub.clone()
    remote = remotes.find(theirs)
    assert len(absent(theirs, [old, new, part])) == 3
    assert bring(theirs, remote, Choice(none=True))
    assert len(absent(theirs, [old, new, part])) == 3
    bring(theirs, remote, Choice())
    assert [one.id for one in absent(theirs, [old, new, part])] == [old]
    bring(theirs, remote, Choice(only="dataset/d~1", since="2020-01-01"))
    assert absent(theirs, [old, new, part]) == []
    got = theirs.get(old, hub.folder / "got")
    assert got.read_text(encoding="utf-8") == "old"


def test_files_go_before_the_refs(hub: Hub) -> None:
    """A remote whose files cannot be sent does not get the commits either."""
    ours = hub.first()
    store(hub, ours).write_text("no folder", encoding="utf-8")
    dataset(hub, ours, "d", "text")
    before = hub.refs()

    with pytest.raises(StoreError, match="the DVC remote r"):
        hub.push(ours)
    assert hub.refs() == before


def test_without_a_dvc_remote(hub: Hub) -> None:
    """Files that cannot be shared are no secret; what was not asked for may wait."""
    ours = hub.first()
    dataset(hub, ours, "d", "text")
    with pytest.raises(UsageError, match="no DVC remote"):
        hub.push(ours)
    assert push(ours, remotes.find(ours), payloads="none").commits == 1
    theirs = hub.clone()

    assert bring(theirs, remotes.find(theirs), Choice()) is None
    with pytest.raises(UsageError, match="no DVC remote"):
        bring(theirs, remotes.find(theirs), Choice(everything=True))
    folder = store(hub, ours)
    assert hub.push(ours).payloads.objects == 0  # nothing is new to the remote
    push(ours, remotes.find(ours), payloads="all")
    assert objects(folder) == 1


def test_plain_dvc_gets_a_tag(hub: Hub) -> None:
    """From outside, with git and DVC alone; the git tag never moves."""
    ours = hub.first()
    store(hub, ours)
    first = dataset(hub, ours, "d", "to be")
    set_tag(ours, "v1", first)
    hub.push(ours)
    tag = hub.refs()["refs/tags/lineage/v1"]
    words = ("get", hub.path, "dataset", "--rev", "lineage/v1", "-o", "out")
    done = dvc("--cd", hub.folder, *words)

    assert done.returncode == 0, done.stderr
    assert (hub.folder / "out" / "d").read_text(encoding="utf-8") == "to be"

    config = ours.root / ".dvc" / "config"
    config.write_text(f"# later\n{config.read_text('utf-8')}", encoding="utf-8")
    dataset(hub, ours, "d", "or not")
    hub.push(ours)
    assert hub.refs()["refs/tags/lineage/v1"] == tag
    delete_tag(ours, "v1")
    hub.push(ours)
    assert "refs/tags/lineage/v1" not in hub.refs()


def test_where_a_clone_learns_of_the_dvc_remote(hub: Hub) -> None:
    """From the branch of git's that it checks out, else from whoever pushed last."""
    ours = hub.first()
    store(hub, ours)
    hub.commit(ours, 1)
    hub.push(ours)
    config = (ours.root / ".dvc" / "config").read_text(encoding="utf-8")
    theirs = hub.clone()
    assert (theirs.root / ".dvc" / "config").read_text(encoding="utf-8") == config

    hub.git("commit", "--quiet", "--all", "-m", "remote", where=ours.root)
    branch = hub.git("symbolic-ref", "--short", "HEAD", where=ours.root)
    hub.git("push", "--quiet", str(hub.path), branch, where=ours.root)
    hub.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    (ours.root / ".dvc" / "config").write_text("[core]\n", encoding="utf-8")
    hub.commit(ours, 2)
    hub.push(ours)
    last = hub.clone("last")
    assert (last.root / ".dvc" / "config").read_text(encoding="utf-8") == config
    status = hub.git("status", "--porcelain", "--branch", where=last.root)
    assert status == f"## {branch}...origin/{branch}"


def test_what_another_clone_erased_is_not_given_out(hub: Hub) -> None:
    """From the pull on, while its bytes are here; gc takes them, and all is sound."""
    ours = hub.first()
    store(hub, ours)
    id_ = dataset(hub, ours, "d", "secret")
    hub.push(ours)
    theirs = hub.clone()
    plan = plan_erasure(theirs, id_)
    erase(theirs, plan, reason="privacy", authority="a court")
    hub.exchange(theirs, ours)

    assert absent(ours, [id_]) == []
    with pytest.raises(StoreError, match=r"was erased on .* for a court: privacy"):
        ours.get(id_, hub.folder / "got")
    assert [p.what for p in verify(ours).problems] == [
        "was erased, but its bytes are still here: `lineage gc` removes them"
    ]
    assert gc(ours).erased == 1
    found = verify(ours)
    assert (found.problems, found.notes) == ([], ["objects that were erased: 1"])
