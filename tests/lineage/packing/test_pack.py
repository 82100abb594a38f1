"""`pack` and `unpack`: what is packed, against what, and that every byte comes back."""

from __future__ import annotations

import itertools
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from time import sleep
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage import Edge
from lineage.errors import Busy, StoreError, UsageError, VerificationError
from lineage.gc import gc
from lineage.keeping import addresses, is_kept_rightly
from lineage.packing import auto
from lineage.packing.listing import listed, share, total
from lineage.packing.packer import pack
from lineage.packing.settings import amount
from lineage.packing.turn import turn
from lineage.packing.unpacking import unpack
from lineage.store.pins import Pins
from tests import packs
from tests.dvc import dvc
from tests.lineage.packing.weights import archive, drawn, safetensors, trained
from tests.test_disk import no_file_above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lineage import Registry

    Sound = Callable[[Registry], None]

GENERATIONS = 11  # more than a chain is long
WEIGHTS = "model.safetensors"


class Chain:
    """A registry of models, beside what each of them was."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.ids: list[str] = []
        self.digests: dict[str, dict[str, str]] = {}

    def commit(
        self,
        files: dict[str, bytes],
        *parents: str,
        role: str = "fine_tuned_from",
        name: str = "tutor",
    ) -> str:
        folder = self.registry.root / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path, data in files.items():
            (folder / path).write_bytes(data)
        edges = [Edge(role, id_) for id_ in parents]
        id_ = self.registry.commit("model", name, folder, edges=edges).id
        self.ids.append(id_)
        self.digests[id_] = {k: sha256(v).hexdigest() for k, v in files.items()}
        return id_

    def check(self) -> None:
        """Take every commit out, and compare each file with what it was."""
        for id_, files in self.digests.items():
            out = self.registry.root.parent / "out"
            self.registry.get(id_, out)
            found = {p.name: sha256(p.read_bytes()).hexdigest() for p in out.iterdir()}
            shutil.rmtree(out)
            assert found == files

    def are_plain(self) -> list[bool]:
        """Whether the weights of each commit are plain."""
        entries = [self.registry.files(id_)[-1] for id_ in self.ids]
        return [self.registry.payloads.is_loose(entry.md5) for entry in entries]


@pytest.fixture(scope="module")
def made(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a registry of eleven generations, for copies."""
    root = shutil.copytree(empty, tmp_path_factory.mktemp("chain") / "repo")
    with closing(lineage.open(root)) as registry:
        chain, weights = Chain(registry), drawn(0)
        for number in range(GENERATIONS):
            config = b'{"layers": 2, "seed": %d}' % number
            files = {"config.json": config * 40, WEIGHTS: safetensors(weights)}
            chain.commit(files, *chain.ids[-1:])
            weights = trained(weights, number)
    return root


@pytest.fixture
def chain(made: Path, tmp_path: Path) -> Iterator[Chain]:
    """Give a copy of it."""
    root = shutil.copytree(made, tmp_path / "repo")
    with closing(lineage.open(root)) as registry:
        copied = Chain(registry)
        for record in sorted(registry.ids, key=lambda record: record.number):
            copied.ids.append(record.id)
            files = registry.files(record.id)
            copied.digests[record.id] = {e.path: e.sha256 for e in files}
        yield copied


def test_ten_generations_come_back_bit_for_bit(chain: Chain, sound: Sound) -> None:
    """All but the tip are differences, in chains of four at most; all is as it was."""
    found = pack(chain.registry)
    assert found.kinds["weights"].files == GENERATIONS - 1
    assert found.kinds["small"].files == GENERATIONS - 1
    assert chain.are_plain() == [False] * (GENERATIONS - 1) + [True]
    assert found.packed < found.whole / 3
    depths = [one.depth for one in listed(chain.registry)]
    assert depths == [1, 4, 3, 2, 1, 4, 3, 2, 1, 0]
    chain.check()
    sound(chain.registry)


def test_what_did_not_change_is_kept_once(chain: Chain) -> None:
    """A frozen tensor counts for the commit that had it first."""
    found = pack(chain.registry).kinds["weights"]
    frozen = (GENERATIONS - 2) * 512 * 128 * 4
    assert found.shared >= frozen
    assert found.delta > 0
    assert (found.shared + found.delta + found.alone) == found.whole


def test_a_parent_that_is_packed_as_text_is_not_told_as_plain(repo: Registry) -> None:
    """Weights beside a long vocabulary leave nothing to say of their parents."""
    chain, weights = Chain(repo), drawn(0)
    for number in range(2):
        words = "".join(f"word {(n * 7919 + number) % 9973}\n" for n in range(9000))
        files = {"merges.txt": words.encode(), WEIGHTS: safetensors(weights)}
        chain.commit(files, *chain.ids[-1:])
        weights = trained(weights, number)
    found = pack(repo, "all()")
    assert (found.kinds["text"].files, found.kinds["weights"].files) == (2, 2)
    assert found.parents == []


def test_a_second_run_finds_nothing_to_do(chain: Chain) -> None:
    """Packing twice is packing once."""
    pack(chain.registry)
    before = total(chain.registry)
    again = pack(chain.registry)
    assert (again.files, again.packs, total(chain.registry)) == (0, [], before)


def test_unpack_gives_dvc_its_objects_back(chain: Chain, sound: Sound) -> None:
    """After `unpack` no pack is left, and DVC checks out what had been packed."""
    registry, first = chain.registry, chain.ids[0]
    plain = addresses(registry)
    pack(registry)
    assert len(addresses(registry)) == 1
    done = unpack(registry)
    assert (done.files, done.kept) == (2 * (GENERATIONS - 1), 0)
    assert total(registry) == (0, 0, 0)
    assert addresses(registry) == plain
    assert is_kept_rightly(registry)
    git = registry.git_oid(first)
    text = registry.git.blob(f"{git}:model.dvc")
    assert text is not None
    (registry.root / "model.dvc").write_bytes(text)
    dvc("--cd", registry.root, "checkout", "-q", "model.dvc").check_returncode()
    name = next(p for p in registry.root.rglob(WEIGHTS) if "tutor" not in p.parts)
    assert sha256(name.read_bytes()).hexdigest() == chain.digests[first][WEIGHTS]
    sound(registry)


def test_a_damaged_file_keeps_no_other_from_being_unpacked(chain: Chain) -> None:
    """All that is sound becomes plain, what is not is told, and its pack stays."""
    registry = chain.registry
    pack(registry)
    (packed,) = registry.payloads.packs
    found = packed.find_file(bytes.fromhex(registry.files(chain.ids[-2])[-1].md5))
    assert found
    block = packed.find_block(packed.tables.segments(found)[-1].block)
    assert block
    harm(packed.path, block.offset + block.stored // 2)
    with (
        closing(lineage.open(registry.root)) as again,
        pytest.raises(VerificationError, match="1 packed file cannot be unpacked"),
    ):
        unpack(again)
    assert chain.are_plain() == [True] * (GENERATIONS - 2) + [False, True]
    assert [one.name for one in registry.payloads.packs] == [packed.name]


def test_a_pack_that_cannot_be_read_is_not_nothing(chain: Chain) -> None:
    """Unpacking what may be in it says so; what is plain needs no pack."""
    registry = chain.registry
    pack(registry)
    (packed,) = registry.payloads.packs
    packed.path.chmod(0o644)
    os.truncate(packed.path, packed.size // 2)
    with closing(lineage.open(registry.root)) as again:
        for revset in (None, chain.ids[0]):
            with pytest.raises(VerificationError, match="cannot be read") as told:
                unpack(again, revset)
            assert "lineage verify --repair" in told.value.hint
        assert unpack(again, chain.ids[-1]).files == 0


def test_one_commit_is_unpacked_and_others_still_build_on_it(chain: Chain) -> None:
    """Its files are plain; its blocks stay for those that need them."""
    pack(chain.registry)
    done = unpack(chain.registry, chain.ids[3])
    assert done.kept == 2
    assert share(chain.registry, chain.ids[3]) == (0, None)
    assert share(chain.registry, chain.ids[4])[0] == 2
    chain.check()
    again = pack(chain.registry)
    assert (again.files, again.packs) == (0, [])
    assert again.released == sum(e.size for e in chain.registry.files(chain.ids[3]))
    chain.check()


def harm(path: Path, place: int) -> None:
    """Change a byte of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def test_the_better_of_two_copies_stays(chain: Chain) -> None:
    """Of what is plain and packed, neither way gives up the one that is whole."""
    registry, first = chain.registry, chain.ids[0]
    pack(registry)
    unpack(registry, first)
    entry = registry.files(first)[-1]
    plain = registry.payloads.path(entry.md5)
    registry.payloads.close()
    pin = Pins(registry.payloads).pin(entry.md5)
    harm(pin, entry.size // 2)
    assert unpack(registry).files == 2 * (GENERATIONS - 1) - 1
    assert not plain.exists()
    chain.check()

    pack(registry)
    unpack(registry, first)
    found = registry.payloads.packs.find(entry.md5)
    assert found
    part = found[0].tables.segments(found[1])[-1]
    block = found[0].find_block(part.block)
    assert block
    harm(found[0].path, block.offset + block.stored // 2)
    assert pack(registry).left["damaged"].files == 1
    assert registry.payloads.check(entry) == ""


def test_what_is_fetched_meanwhile_stays_packed(chain: Chain) -> None:
    """A pack that comes while others are made plain is none of those."""
    registry = chain.registry
    pack(registry, chain.ids[0])
    came: list[str] = []

    def fetch(_: int) -> None:
        if not came:
            with closing(lineage.open(registry.root)) as other:
                oids = [entry.md5 for entry in other.files(chain.ids[5])]
                came.append(packs.pack(other.payloads, oids, release=False))

    unpack(registry, progress=fetch)
    assert [one.name for one in registry.payloads.packs] == came
    chain.check()


def test_a_revset_packs_what_it_selects(chain: Chain) -> None:
    """Tips too; of a parent that stays plain it is said that nothing builds on it."""
    found = pack(chain.registry, "heads(all())")
    assert chain.are_plain() == [True] * (GENERATIONS - 1) + [False]
    assert found.parents == [chain.ids[-2]]
    assert found.kinds["weights"].delta == 0


def test_tensors_are_found_in_whichever_file_they_lie(
    repo: Registry, sound: Sound
) -> None:
    """A model in two files builds on one in a single file, tensor by tensor."""
    chain, first = Chain(repo), drawn(1)
    second = trained(first, 2)
    one = chain.commit({WEIGHTS: safetensors(first)})
    parts = {
        "model-1.safetensors": safetensors({k: second[k] for k in ("embed", "norm")}),
        "model-2.safetensors": safetensors({k: second[k] for k in ("layer.1",)}),
    }
    two = chain.commit(parts, one)
    found = pack(repo, f"{one} | {two}").kinds["weights"]
    assert found.files == 3
    assert found.shared >= first["embed"].nbytes
    assert found.delta >= first["layer.1"].nbytes
    chain.check()
    sound(repo)


def test_of_several_parents_the_nearest_is_built_on(repo: Registry) -> None:
    """A merge that lies close to its second parent builds on that one."""
    chain, far, near = Chain(repo), drawn(1), drawn(2)
    ids = [
        chain.commit({WEIGHTS: safetensors(w)}, name=n)
        for w, n in ((far, "far"), (near, "near"))
    ]
    child = trained(near, 3, frozen="norm")
    ids.append(chain.commit({WEIGHTS: safetensors(child)}, *ids, role="merged_from"))
    pack(repo, " | ".join(ids))
    assert (share(repo, ids[2])[1] or 1) < 0.5 < (share(repo, ids[1])[1] or 0)
    chain.check()


def test_bf16_of_a_small_step_is_a_third(repo: Registry) -> None:
    """Half of a bf16 model's bytes hardly change; both parent and child come back."""
    chain, first = Chain(repo), drawn(1)
    one = chain.commit({WEIGHTS: safetensors(first, "BF16")})
    two = chain.commit({WEIGHTS: safetensors(trained(first, 2), "BF16")}, one)
    pack(repo, f"{one} | {two}")
    assert (share(repo, two)[1] or 1) < 0.4
    chain.check()


def test_an_optimiser_state_builds_on_that_of_its_name(repo: Registry) -> None:
    """Members of PyTorch's archives go by number, in the file of one name alone."""
    chain, values = Chain(repo), drawn(1)
    ids: list[str] = []
    for number in range(2):
        ids.append(chain.commit({"optimizer.pt": archive(values)}, *ids))
        values = trained(values, number)
    found = pack(repo, " | ".join(ids)).kinds["weights"]
    assert found.files == 2
    assert found.shared >= values["embed"].nbytes
    assert found.delta >= 2 * values["layer.0"].nbytes
    chain.check()


def test_files_in_use_elsewhere_stay_plain(chain: Chain) -> None:
    """What DVC's own files name, and what another registry has pinned, is left."""
    registry, (first, second) = chain.registry, chain.ids[:2]
    entries = {id_: registry.files(id_)[-1] for id_ in (first, second)}
    own = registry.root / "own.dvc"
    own.write_text(
        f"outs:\n- md5: {entries[first].md5}\n  path: own\n", encoding="utf-8"
    )
    source = registry.payloads.path(entries[second].md5)
    other = registry.payloads.cache / "lineage" / f"{'0' * 8}-{'0' * 4}"
    bucket = other / entries[second].md5[:2]
    bucket.mkdir(parents=True)
    (bucket / entries[second].md5[2:]).hardlink_to(source)
    found = pack(registry)
    counted = {reason: left.files for reason, left in found.left.items()}
    assert counted == {"dvc": 1, "shared": 1, "in use": 2}
    assert chain.are_plain()[:3] == [True, True, False]


def test_a_cache_elsewhere_is_left_alone(chain: Chain) -> None:
    """Nobody here knows who else uses a cache outside of the repository."""
    registry = chain.registry
    elsewhere = registry.root.parent / "cache"
    registry.payloads.cache.rename(elsewhere)
    words = ("config", "-q", "cache.dir", elsewhere)
    dvc("--cd", registry.root, *words).check_returncode()
    with closing(lineage.open(registry.root)) as again:
        found = pack(again)
    assert (found.files, found.left["elsewhere"].files) == (0, 2 * (GENERATIONS - 1))


def test_what_is_missing_or_damaged_is_counted_and_left(chain: Chain) -> None:
    """Neither keeps the others from being packed."""
    payloads = chain.registry.payloads
    lost, hurt = (chain.registry.files(id_)[-1].md5 for id_ in chain.ids[4:6])
    pins = Pins(payloads)
    for path in (pins.pin(lost), pins.place(lost)):
        path.unlink()
    path = pins.pin(hurt)
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff\xff")
    found = pack(chain.registry)
    counted = {reason: left.files for reason, left in found.left.items()}
    assert counted == {"missing": 1, "damaged": 1, "in use": 2}
    assert chain.are_plain()[3:7] == [False, False, True, False]


def test_what_gains_nothing_is_remembered(repo: Registry) -> None:
    """Random bytes stay as they are, and are not tried a second time."""
    chain = Chain(repo)
    id_ = chain.commit({"noise.bin": os.urandom(1 << 17)})
    assert pack(repo, id_).left["no gain"].files == 1
    note = repo.home / "unpackable"
    before = note.stat().st_mtime_ns
    assert pack(repo, id_).left["no gain"].files == 1
    assert (note.stat().st_mtime_ns, total(repo)) == (before, (0, 0, 0))


def test_packs_are_closed_at_the_size_that_is_set(chain: Chain, sound: Sound) -> None:
    """With a small size there are several, which build on one another."""
    chain.registry.settings.set("pack.size", "700 kB")
    assert len(pack(chain.registry).packs) > 1
    chain.check()
    sound(chain.registry)


def test_one_packer_at_a_time(chain: Chain) -> None:
    """The second says who is at it; afterwards it may."""
    with (
        turn(chain.registry, "lineage unpack"),
        closing(lineage.open(chain.registry.root)) as other,
    ):
        said = rf"`lineage unpack` runs here, process {os.getpid()}, since 20"
        with pytest.raises(Busy, match=said):
            pack(other)
        assert auto.pack_if_due(other) is None
    assert pack(chain.registry).files


def test_pack_auto_waits_until_there_is_enough(chain: Chain) -> None:
    """Less than `pack.least` is left alone; a failure is told until one goes well."""
    registry = chain.registry
    assert auto.pack_if_due(registry) is None
    registry.settings.set("pack.least", "1MB")
    registry.settings.set("pack.size", "much")
    with pytest.raises(UsageError, match="'much' is no size"):
        auto.pack_if_due(registry)
    failed = auto.failure(registry)
    assert failed is not None
    assert failed[1] == "'much' is no size"
    registry.settings.unset("pack.size")
    made = auto.pack_if_due(registry)
    assert made is not None
    assert made.files
    assert auto.failure(registry) is None
    assert auto.pack_if_due(registry) is None


def test_pack_auto_runs_beside_who_starts_it(chain: Chain) -> None:
    """It is off unless turned on; on, a process of its own packs and writes a log."""
    registry = chain.registry
    auto.start(registry)
    assert not auto.log(registry).exists()
    registry.settings.set("pack.auto", "on")
    registry.settings.set("pack.least", "1")
    auto.start(registry)
    for _ in range(6000):  # five minutes
        if "DVC finds" in auto.log(registry).read_text():
            break
        sleep(0.05)
    assert "packed 20 files" in auto.log(registry).read_text()
    chain.check()


def test_on_a_full_disk_nothing_is_lost(chain: Chain, sound: Sound) -> None:
    """Packing and unpacking end in one sentence; with room they go on."""
    with (
        no_file_above(300_000),
        pytest.raises(StoreError, match=r"^packing failed: File too large"),
    ):
        pack(chain.registry)
    chain.check()
    pack(chain.registry)
    with no_file_above(300_000), pytest.raises(StoreError, match="File too large"):
        unpack(chain.registry)
    chain.check()
    unpack(chain.registry)
    chain.check()
    sound(chain.registry)


def test_who_is_interrupted_goes_on_later(chain: Chain, sound: Sound) -> None:
    """Ctrl-C in the middle leaves what is finished, and nothing half done."""

    def stop_after(left: int) -> Callable[[int], None]:
        read = itertools.count()

        def progress(_: int) -> None:
            if next(read) > left:
                raise KeyboardInterrupt

        return progress

    registry = chain.registry
    registry.settings.set("pack.size", "300kB")
    with pytest.raises(KeyboardInterrupt):
        pack(registry, progress=stop_after(20))
    sound(registry)
    assert 0 < chain.are_plain().count(True) < GENERATIONS
    pack(registry)
    with pytest.raises(KeyboardInterrupt):
        unpack(registry, progress=stop_after(3))
    sound(registry)
    unpack(registry)
    assert all(chain.are_plain())
    chain.check()
    sound(registry)


def test_others_read_and_write_beside_a_packer(chain: Chain, sound: Sound) -> None:
    """While one packs and unpacks, commits are taken out and made, and gc runs."""

    def work() -> None:
        with closing(lineage.open(chain.registry.root)) as registry:
            for _ in range(3):
                pack(registry, "all()")
                unpack(registry)

    with ThreadPoolExecutor(1) as pool:
        packing = pool.submit(work)
        while not packing.done():
            chain.check()
            chain.commit({"notes.txt": os.urandom(20)}, name="notes")
            gc(chain.registry)
        packing.result()
    chain.check()
    sound(chain.registry)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1GB", 10**9), ("1 GiB", 1 << 30), ("512MiB", 512 << 20), ("7", 7), ("2k", 2000)],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    """With or without a unit, decimal or binary."""
    assert amount(text) == size


@pytest.mark.parametrize("text", ["", "i", "1x", "-1", "1.5GB", "1ib"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """With what would be one."""
    with pytest.raises(UsageError, match="is no size"):
        amount(text)
