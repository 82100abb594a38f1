"""What others could have written is compared with its digest before it is used."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.errors import VerificationError
from lineage.store.canonical import digest
from lineage.store.events import now
from lineage.store.git_objects import GitObject, TreeEntry, tree
from lineage.store.objects import Commit, Event, FileEntry, Payload
from lineage.verify import verify

if TYPE_CHECKING:
    from lineage import Registry


def text(registry: Registry, name: str) -> str:
    (registry.root / name).write_text(name, encoding="utf-8")
    return name


def test_what_the_lookup_file_says_is_checked(repo: Registry) -> None:
    """A file that calls every commit by another one's git oid is made again."""
    ids = [repo.commit("dataset", n, text(repo, n)).id for n in "abc"]
    records = [repo.ids.get(id_) for id_ in ids]
    turned = zip(records, [*records[1:], records[0]], strict=True)
    wrong = sorted(one._replace(git=other.git) for one, other in turned)
    for look in (repo.load, repo.files):
        repo.commit("config", "c", params={"by": look.__name__})
        tail = (repo.home / "ids.tail").read_bytes()[:28]
        (repo.home / "ids").write_bytes(b"".join(r.pack() for r in [*wrong, *wrong]))
        (repo.home / "ids.tail").write_bytes(tail)
        with closing(lineage.open(repo.root)) as again:
            assert again.git_oid(ids[0]) == records[1].git
            found = getattr(again, look.__name__)(ids[0])
            assert found == look(ids[0])
            assert [again.git_oid(id_) for id_ in ids] == [r.git for r in records]


def record(registry: Registry, commit: Commit, files: bytes, id_: str = "") -> str:
    """Record a commit as somebody could who does not go through us."""
    blobs = {
        "lineage.json": GitObject("blob", commit.manifest),
        "files.jsonl": GitObject("blob", files),
    }
    top = tree({name: TreeEntry("100644", blob.oid) for name, blob in blobs.items()})
    who = "x <x@x> 0 +0000"
    text = f"tree {top.oid}\nauthor {who}\ncommitter {who}\n\nx\n"
    made = GitObject("commit", text.encode())
    commits = ((id_ or commit.id, made.oid),)
    event = Event("import", now(), registry.actor(), commits=commits)
    with registry.events_log.locked() as lock:
        registry.record(event, objects=[*blobs.values(), top, made], lock=lock)
    return id_ or commit.id


def test_a_manifest_under_another_id_is_refused(repo: Registry) -> None:
    """When the log itself leads to other bytes they are not taken for the commit."""
    wrong = record(repo, Commit("config", "c", params={"x": 1}), b"", "1" * 64)
    with pytest.raises(VerificationError, match=r"lineage\.json of 1111"):
        repo.load(wrong)


LINE = FileEntry("f", "100644", 1, "1" * 64, "2" * 32)


@pytest.mark.parametrize(
    ("files", "change", "words"),
    [
        ([], {}, "files.jsonl of .* its recorded SHA-256"),
        ([LINE._replace(size=2)], {}, "files.jsonl of .* its recorded SHA-256"),
        ([LINE], {"type": "link"}, "is not that of a link"),
        ([LINE, LINE._replace(path="g")], {"files": ""}, "is not that of a file"),
        ([], {"files": ""}, "is not that of a file"),
    ],
)
def test_a_file_list_that_is_not_the_commits_is_refused(
    files: list[FileEntry], change: dict[str, str], words: str, repo: Registry
) -> None:
    """Another list, or another number of files than a payload of its type has."""
    data = b"".join(entry.line() for entry in files)
    if "files" in change:
        change = {"files": digest(data)}
    payload = replace(Payload.of([LINE], "file"), **change)  # type: ignore[arg-type]
    id_ = record(repo, Commit("dataset", "d", payload=payload), data)
    for ask in (repo.files, lambda id_: repo.get(id_, "out")):
        with pytest.raises(VerificationError, match=words):
            ask(id_)
    assert [problem.id for problem in verify(repo).problems] == [id_]


def test_a_sum_that_is_wrong_is_found(repo: Registry) -> None:
    """Count, size and root are those of the file list."""
    payload = replace(Payload.of([LINE], "file"), size=2, stored=False)
    id_ = record(repo, Commit("dataset", "d", payload=payload), LINE.line())
    problem, *_ = verify(repo).problems

    assert (problem.id, problem.what) == (id_, "does not sum up its files.jsonl")
