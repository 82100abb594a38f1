"""Packs on real remotes: sent once, harmed, brought whole or in parts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from lineage.erase import erase, plan_erasure
from lineage.errors import VerificationError
from lineage.needed import Needed
from lineage.transfer import Moved, fetch_payloads, push_payloads, send
from lineage.verify.remote import remote_problems
from tests.drifting import models, pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry
    from tests.remotes.conftest import Remote


class Story:
    """Three generations of a model in three packs, and a text that is loose."""

    def __init__(self, registry: Registry, remote: Remote) -> None:
        self.registry, self.remote = registry, remote
        remote.configure(registry.root)
        self.whole = models(registry.root, 3)
        self.ids = [registry.commit("model", path.name, path).id for path in self.whole]
        self.size = self.whole[0].stat().st_size
        base = None
        self.packs = []
        for id_ in self.ids:
            self.packs.append(pack(registry, id_, base=base))
            base = id_
        (registry.root / "text").write_text("loose", encoding="utf-8")
        self.text = registry.commit("dataset", "text", "text").id

    @property
    def all(self) -> list[str]:
        return [*self.ids, self.text]

    def lose(self) -> None:
        """Remove all payloads from this machine, and what was known of packs there."""
        shutil.rmtree(self.registry.payloads.cache)
        shutil.rmtree(self.registry.home / "remote-packs", ignore_errors=True)
        self.registry.__dict__.pop("payloads", None)

    def push(self, *, packed: bool = True) -> Moved:
        return push_payloads(self.registry, None, self.all, packed=packed)

    def fetch(self, *ids: str) -> Moved:
        return fetch_payloads(self.registry, None, ids or self.all)

    def there(self) -> dict[str, int]:
        """The packs that the server keeps, with their sizes."""
        folder = self.remote.folder / "lineage" / "packs"
        return {path.stem: path.stat().st_size for path in folder.glob("*.pack")}

    def harm(self, name: str, place: int) -> None:
        """Change a byte of a pack there."""
        path = self.remote.folder / "lineage" / "packs" / f"{name}.pack"
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.chmod(0o644)
        path.write_bytes(data)
        self.remote._settle()

    def same(self, number: int) -> bool:
        """Whether a generation comes out as it went in."""
        [entry] = self.registry.files(self.ids[number])
        with self.registry.payloads.open(entry.md5) as file:
            return file.read() == self.whole[number].read_bytes()


@pytest.fixture
def story(repo: Registry, remote: Remote) -> Story:
    return Story(repo, remote)


def test_a_round_trip(story: Story, sound: Callable[[Registry], None]) -> None:
    """What is packed goes once, in packs, and comes back bit for bit, still packed."""
    first, second = story.push(), story.push()
    packs = story.there()
    story.lose()
    third, fourth = story.fetch(), story.fetch()

    assert packs.keys() == set(story.packs)
    bytes_ = 3 * story.size + 5
    assert first == Moved(4, bytes_, packs=3, pack_bytes=sum(packs.values()))
    assert sum(packs.values()) < 0.75 * bytes_
    assert second == Moved(present=4, present_bytes=bytes_)
    assert len(story.remote.objects) == 1
    assert third == first
    assert fourth == Moved(present=4, present_bytes=bytes_)
    assert {pack.name for pack in story.registry.payloads.packs} == set(story.packs)
    assert all(story.same(number) for number in range(3))
    sound(story.registry)


@pytest.mark.parametrize("remote", ["s3", "ssh"], indirect=True)
def test_one_of_many_comes_in_parts(story: Story) -> None:
    """Of packs that are more than what is wanted only the blocks come, made whole."""
    story.push()
    story.lose()
    moved = story.fetch(story.ids[2])

    assert moved == Moved(1, story.size)
    assert story.same(2)
    assert list(story.registry.payloads.packs) == []


@pytest.mark.parametrize("remote", ["local"], indirect=True)
def test_what_cannot_be_read_here_is_told_as_damage(story: Story) -> None:
    """Sending it again would not help; whoever pushes is led to `lineage verify`."""
    path = story.registry.payloads.packs.path(story.packs[2])
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    story.registry.__dict__.pop("payloads", None)
    with pytest.raises(VerificationError, match="1 object did not reach") as failed:
        story.push(packed=False)
    assert "cannot be read: block" in failed.value.details[0]
    assert "`lineage verify` says how far it goes" in failed.value.hint
    assert len(story.remote.objects) == 3


@pytest.mark.parametrize("remote", ["local"], indirect=True)
def test_a_damaged_pack_keeps_nothing_else(story: Story) -> None:
    """What can be had of it comes; what cannot is named, with its pack, and no more."""
    story.push()
    newest = story.packs[2]
    story.harm(newest, 20)
    story.lose()
    with pytest.raises(VerificationError, match="2 objects did not arrive") as failed:
        story.fetch()

    [first, second] = failed.value.details
    short, oid = story.ids[2][:12], story.registry.files(story.ids[2])[0].md5
    where = f"model2.bin of {short} (object {oid}) is in the pack {newest[:12]} there"
    assert first.startswith(f"{where}, which is damaged: ")
    named = f"the pack {newest}.pack does not have its recorded SHA-256 there"
    assert second == named
    assert [story.same(number) for number in range(2)] == [True, True]
    assert newest not in {pack.name for pack in story.registry.payloads.packs}


@pytest.mark.parametrize("remote", ["s3"], indirect=True)
def test_whole_objects_help_where_packs_are_damaged(story: Story) -> None:
    """A remote may have both; plain pushes send whole what is only packed."""
    story.push()
    whole = story.push(packed=False)
    for name in story.packs:
        story.harm(name, -1)
    story.lose()

    assert whole == Moved(3, 3 * story.size, present=1, present_bytes=5)
    assert story.fetch() == Moved(4, 3 * story.size + 5)
    assert all(story.same(number) for number in range(3))


@pytest.mark.parametrize("remote", ["local"], indirect=True)
def test_a_pack_that_is_cut_off_is_sent_again(story: Story) -> None:
    """It is not there by its size, and nobody reads from it meanwhile."""
    story.push()
    path = story.remote.folder / "lineage" / "packs" / f"{story.packs[0]}.pack"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-9])
    story.remote._settle()

    again = story.push()
    assert again == Moved(
        3, 3 * story.size, 1, 5, packs=1, pack_bytes=path.stat().st_size
    )
    story.lose()
    assert story.fetch().packs == 3


@pytest.mark.parametrize("remote", ["http"], indirect=True)
def test_the_packs_there_are_checked(story: Story) -> None:
    """A damaged pack is told for every file that needs it."""
    story.push()
    wanted = list(Needed.by(story.registry, story.all).files.values())
    assert list(remote_problems(story.registry, None, wanted, deep=True)) == []
    story.harm(story.packs[1], 20)

    found = list(remote_problems(story.registry, None, wanted, deep=True))
    what = f"is in the pack {story.packs[1][:12]}, which does not have its recorded"
    assert [(p.path, p.what) for p in found] == [
        (name, f"{what} SHA-256 at the DVC remote r")
        for name in ("model1.bin", "model2.bin")
    ]
    assert send(story.registry, None, wanted).objects == 4
    assert list(remote_problems(story.registry, None, wanted, deep=True)) == []


@pytest.mark.parametrize("remote", ["local", "s3"], indirect=True)
def test_erased_bytes_leave_the_packs_there(story: Story) -> None:
    """Packs that have them, or build on these, go; their other files become whole."""
    story.push()
    if story.remote.kind == "s3":
        story.lose()  # the others have to come out of the packs there
    plan = plan_erasure(story.registry, story.ids[1])
    erase(story.registry, plan, reason="r", authority="a", remotes=["r"])
    story.remote._settle()

    assert story.there().keys() == {story.packs[0]}
    [gone] = plan.objects
    [newest] = story.registry.files(story.ids[2])
    assert newest.md5 in story.remote.objects
    assert gone.md5 not in story.remote.objects
    story.lose()
    assert story.fetch().objects == 3
    assert story.same(0)
    assert story.same(2)
