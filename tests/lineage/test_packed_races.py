"""Reading beside somebody who packs, unpacks and tidies: every byte, at any moment.

RACE_ROUNDS=20 makes a long run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import lineage
from lineage.records import rows
from lineage.store.packed.rewriting import rewrite
from tests import packs

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

TURNS = 8 * int(os.environ.get("RACE_ROUNDS", "1"))
READ = """\
import sys
from pathlib import Path

import lineage
from lineage.records import rows

root, place, *ids = sys.argv[1:]
wanted = (Path(root) / "wanted").read_bytes()
count = 0
with lineage.open(root) as registry:
    while not (Path(root) / "done").exists():
        for id_ in ids:
            [entry] = registry.files(id_)
            got = registry.get(id_, place, force=True).read_bytes()
            assert got.endswith(wanted)
            assert registry.payloads.check(entry) == ""
            assert sum(1 for _ in rows(registry, id_)) == len(got.splitlines())
            path = registry.payloads.path(entry.md5)
            with registry.payloads.open(entry.md5) as file:
                assert file.read() == path.read_bytes() == got
            registry.rest()
            count += 1
        Path(place + ".read").touch()
print(count)
"""


def test_who_reads_sees_nothing_of_who_packs(repo: Registry, tmp_path: Path) -> None:
    """Files go into packs, out of them, and into other packs, under two readers."""
    lines = b"".join(
        b'{"text": "%s"}\n' % os.urandom(40).hex().encode() for _ in range(300)
    )
    (repo.root / "wanted").write_bytes(lines)
    ids = []
    for name in ("a", "b", "c"):
        path = repo.root / f"{name}.jsonl"
        path.write_bytes(b'{"text": "%s"}\n' % name.encode() + lines)
        ids.append(repo.commit("dataset", name, path).id)
        path.unlink()
    places = [tmp_path / str(n) for n in range(2)]
    reading = [
        subprocess.Popen(
            [sys.executable, "-c", READ, str(repo.root), str(place), *ids],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for place in places
    ]
    try:
        _wait_for([place.with_suffix(".read") for place in places], reading)
        _churn(repo, [repo.files(id_)[0].md5 for id_ in ids])
    finally:
        (repo.root / "done").touch()
        told = [reader.communicate() for reader in reading]
    assert [said[1] for said in told] == ["", ""]
    assert all(int(said[0]) > len(ids) for said in told)
    with closing(lineage.open(repo.root)) as fresh:
        assert all(sum(1 for _ in rows(fresh, id_)) == 301 for id_ in ids)


def _wait_for(files: list[Path], reading: list[subprocess.Popen[str]]) -> None:
    """Until every reader has read all once, or one has ended."""
    while not all(file.exists() for file in files):
        if any(reader.poll() is not None for reader in reading):
            return
        time.sleep(0.02)


def _churn(repo: Registry, oids: list[str]) -> None:
    """Pack all; write the packs anew without one file, which is plain by then; undo."""
    payloads = repo.payloads
    for turn in range(TURNS):
        packs.pack(payloads, oids)
        with payloads.alone(), payloads.room() as work:
            payloads.restore(oids[turn % 3 :][:1])
            rewrite(payloads.packs, set(oids) - {oids[turn % 3]}, work)
        with payloads.alone(), payloads.room() as work:
            payloads.restore(oids)
            rewrite(payloads.packs, set(), work)
