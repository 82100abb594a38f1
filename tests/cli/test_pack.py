"""`lineage pack` and `lineage unpack`: what they say, to people and to programs."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

import lineage
from lineage import Edge
from lineage.packing.turn import turn
from tests.lineage.packing.weights import drawn, safetensors, trained

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Transcript = Callable[..., str]
    Run = Callable[..., Any]


@pytest.fixture
def model(repo: Registry) -> Registry:
    """Commit three generations of a model, and two versions of a text."""
    weights, ids = drawn(0), list[str]()
    for number in range(3):
        (repo.root / "tutor").mkdir(exist_ok=True)
        path = repo.root / "tutor" / "model.safetensors"
        path.write_bytes(safetensors(weights, "BF16"))
        config = f'{{"layers": 2, "generation": {number}}}\n'
        (repo.root / "tutor" / "config.json").write_text(config * 9, encoding="utf-8")
        edges = [Edge("fine_tuned_from", id_) for id_ in ids[-1:]]
        ids.append(repo.commit("model", "tutor", repo.root / "tutor", edges=edges).id)
        weights = trained(weights, number)
    for number in range(2):
        lines = (f"{i} {i * i}\n" for i in range(9000 + number))
        (repo.root / "squares.txt").write_text("".join(lines), encoding="utf-8")
        repo.commit("dataset", "squares", repo.root / "squares.txt")
    return repo


def still(shown: str) -> str:
    """What was shown, as if all machines and all versions of zstd were alike."""
    shown = re.sub(r"\d[\d.]* [kMG]?B/s", "300 MB/s", shown)
    shown = re.sub(r'("(?:packed|freed)": )[1-9]\d*', r"\g<1>1234", shown)
    shown = re.sub(r",\d{6},0$", ",123456,0", shown, flags=re.MULTILINE)
    return re.sub(r'"seconds": [\d.]+', '"seconds": 0.1', shown)


@pytest.mark.usefixtures("model")
def test_pack(transcript: Transcript) -> None:
    """What there is to pack, what became of it, and what stays; then the way back."""
    shown = transcript(
        "pack --dry-run",
        "pack",
        "pack",
        "pack --list",
        "status",
        "verify",
        "unpack dataset/squares~1",
        "unpack --all",
        "unpack --all",
        "pack --list",
    )
    assert still(shown) == snapshot("""\
$ lineage pack --dry-run
kind     files   whole
weights      2  591 kB
text         1  120 kB
small        2   558 B
2> 5 files, 712 kB, would be packed
2> left plain: 3 files, 416 kB; a branch's tip has them
$ lineage pack
kind     files   whole  packed   share  shared   delta  alone
weights      2  591 kB  202 kB  34.1 %  22.2 %  27.8 %   50 %
text         1  120 kB   55 kB  45.7 %       -       -  100 %
small        2   558 B   313 B  56.1 %       -       -  100 %
2> packed 5 files: 712 kB in 257 kB, 36.1 %, at 300 MB/s
2> left plain: 3 files, 416 kB; a branch's tip has them
2> note: DVC finds these files again after `lineage unpack`
$ lineage pack
2> nothing to pack
2> left plain: 3 files, 416 kB; a branch's tip has them
$ lineage pack --list
commit        what             files   whole   packed   share  depth
aaaaaaaaaaaa  dataset squares      1  120 kB  54.8 kB  45.6 %      0
bbbbbbbbbbbb  model tutor          2  296 kB  4.27 kB  1.44 %      1
cccccccccccc  model tutor          2  296 kB   196 kB  66.3 %      0
$ lineage status
2> HEAD is dataset/squares
2> packed 5 files of 712 kB in 257 kB: `lineage pack --list`
2> no committed file has changed
$ lineage verify
2> 5 commits checked: all as recorded
$ lineage unpack dataset/squares~1
2> unpacked 1 file, 120 kB, at 300 MB/s
$ lineage unpack --all
2> unpacked 4 files, 592 kB, at 300 MB/s
$ lineage unpack --all
2> nothing to unpack
$ lineage pack --list
2> nothing is packed
""")


@pytest.mark.usefixtures("model")
def test_pack_for_programs(transcript: Transcript) -> None:
    """The same as JSON, and a commit that is packed as `show` has it."""
    shown = transcript(
        "-q pack model/tutor~1 --format json",
        "pack --list --format csv",
        "unpack model/tutor~1 --format json",
    )
    assert still(shown) == snapshot("""\
$ lineage -q pack model/tutor~1 --format json
{
  "schema_version": 1,
  "dry_run": false,
  "files": 2,
  "whole": 295847,
  "packed": 1234,
  "released": 295847,
  "seconds": 0.1,
  "packs": [
    "aaaaaaaaaaaa…"
  ],
  "kinds": [
    {
      "kind": "weights",
      "files": 1,
      "whole": 295568,
      "packed": 1234,
      "shared": 0,
      "delta": 0,
      "alone": 295568
    },
    {
      "kind": "small",
      "files": 1,
      "whole": 279,
      "packed": 1234,
      "shared": 0,
      "delta": 0,
      "alone": 279
    }
  ],
  "left": [],
  "plain_parents": [
    "bbbbbbbbbbbb…"
  ]
}
$ lineage pack --list --format csv
id,kind,name,files,whole,packed,depth
cccccccccccc…,model,tutor,2,295847,123456,0
$ lineage unpack model/tutor~1 --format json
{
  "schema_version": 1,
  "files": 2,
  "size": 295847,
  "kept": 0,
  "freed": 1234,
  "seconds": 0.1
}
2> unpacked 2 files, 296 kB, at 300 MB/s
""")


@pytest.mark.usefixtures("model")
def test_show_says_that_files_are_packed(run: Run) -> None:
    """With what their blocks take of the whole."""
    run("pack")
    shown = run("show", "model/tutor~1").stdout
    told = r"(?m)^payload +2 files, 296 kB, packed, \d[\d.]* % of whole$"
    assert re.search(told, shown)
    first, last = (
        run("show", revision, "--format", "json").json()["payload"]
        for revision in ("model/tutor~1", "model/tutor")
    )
    assert (first["packed"], first["absent"], last["packed"]) == (2, 0, 0)
    assert 0 < first["packed_share"] < 0.5
    assert last["packed_share"] is None


@pytest.mark.usefixtures("model")
def test_what_cannot_be_meant_is_refused(transcript: Transcript) -> None:
    """Options that do not go together, and nothing to unpack."""
    assert transcript(
        "pack --list --dry-run",
        "pack --auto HEAD",
        "unpack",
        "unpack HEAD --all",
        "pack nowhere",
        "pack --auto",
        "unpack HEAD",
    ) == snapshot("""\
$ lineage pack --list --dry-run
2> error: --list, --auto and --dry-run go one at a time
exit 2
$ lineage pack --auto HEAD
2> error: --list, --auto and --dry-run go one at a time
exit 2
$ lineage unpack
2> error: say what to unpack: REVSET, or --all
2> hint: `lineage unpack --all` unpacks everything
exit 2
$ lineage unpack HEAD --all
2> error: say what to unpack: REVSET, or --all
2> hint: `lineage unpack --all` unpacks everything
exit 2
$ lineage pack nowhere
2> error: no branch, tag or commit is called 'nowhere'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
$ lineage pack --auto
2> nothing to do: too little is cold, or somebody packs already
$ lineage unpack HEAD
2> nothing to unpack
""")


def test_a_second_packer_is_told_who_is_at_it(model: Registry, run: Run) -> None:
    """It ends at once, with 1; nothing has changed."""
    with closing(lineage.open(model.root)) as other, turn(other, "lineage pack"):
        done = run("unpack", "--all")
    assert done.exit_code == 1
    said = r"error: `lineage pack` runs here, process \d+, since 20\S+Z\n"
    assert re.fullmatch(said + r"hint: wait .*; nothing is lost\n", done.stderr)


def test_status_tells_that_packing_behind_a_loop_failed(
    model: Registry, run: Run
) -> None:
    """Until a run goes well."""
    model.settings.set("pack.least", "many")
    assert run("pack", "--auto").exit_code == 2
    said = run("status").stderr
    assert "note: packing in the background failed on 20" in said
    assert "'many' is no size; see " in said
    model.settings.set("pack.least", "1")
    assert run("pack", "--auto").exit_code == 0
    assert "failed" not in run("status").stderr


def test_packs_under_a_lost_name_are_pointed_at(model: Registry, run: Run) -> None:
    """Where there is nothing to unpack, packs of another name are not passed over."""
    run("pack", "all()")
    (model.home / "uuid").unlink()
    found = run("unpack", "--all")

    assert found.exit_code == 0
    assert found.stderr.startswith(
        "nothing to unpack\nnote: there are packs of another"
    )
