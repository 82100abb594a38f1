"""An sdist says what is in it, and nothing of who packed it."""

from __future__ import annotations

import io
import tarfile

from tests.supply.build import repacked


def archive(names: list[str], **of_the_packer: object) -> bytes:
    """Pack files as one builder does."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as new:
        for name in names:
            told = tarfile.TarInfo(name)
            told.size = len(name)
            for key, value in of_the_packer.items():
                setattr(told, key, value)
            new.addfile(told, io.BytesIO(name.encode()))
    return packed.getvalue()


def test_two_builders_make_the_same_bytes() -> None:
    """Order, times, owners and umask leave no trace; programs stay programs."""
    ada = archive(["a", "b"], mtime=1.5, uid=1000, uname="ada", mode=0o600)
    bob = archive(["b", "a"], mtime=2.5, uid=0, uname="root", mode=0o644)
    run = archive(["a", "b"], mode=0o755)

    assert ada != bob
    assert repacked(ada, 100) == repacked(bob, 100) != repacked(bob, 101)
    assert repacked(run, 100) != repacked(ada, 100)


def test_what_is_packed_again_is_the_same_files() -> None:
    """Names and contents stay as they were."""
    with tarfile.open(fileobj=io.BytesIO(repacked(archive(["b", "a"]), 7))) as old:
        found = {one.name: old.extractfile(one) for one in old.getmembers()}

        assert [one.mtime for one in old.getmembers()] == [7, 7]
        assert {n: f and f.read() for n, f in found.items()} == {"a": b"a", "b": b"b"}
