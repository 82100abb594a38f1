"""Actors that make room, pack, erase, share and clone, in whatever place."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from tests.chaos.world import CLONES, LINEAGE

if TYPE_CHECKING:
    from random import Random

    from tests.chaos.world import World


class Keeper:
    """Frees, packs, unpacks, erases and rebuilds."""

    def __init__(self, world: World, name: str, rng: Random) -> None:
        self.world, self.name, self.rng = world, name, rng

    def act(self) -> None:
        """Do one thing in one of the clones."""
        place = self.rng.choice(CLONES)
        kinds = [self.collect, self.collect, self.dvc_gc, self.pack, self.pack]
        kinds += [self.unpack, self.erase, self.rebuild, self.restore]
        self.rng.choice(kinds)(place)

    def collect(self, place: str) -> None:
        """Free what no name reaches: to the trash, or for good."""
        words = ["gc", "--grace", "0d", "--format", "json"]
        if self.rng.random() < 0.3:
            words.append("--empty-trash")
        done = self.world.lineage(self.name, place, *words)
        if done.outcome == "done":
            freed = json.loads(done.out)["freed"]
            with self.world.known.lock:
                self.world.known.freed |= {one["id"] for one in freed}

    def restore(self, place: str) -> None:
        self.world.lineage(self.name, place, "gc", "--restore")

    def dvc_gc(self, place: str) -> None:
        self.world.dvc(self.name, place, "gc", "-w", "-f")

    def pack(self, place: str) -> None:
        words = self.rng.choice([["pack"], ["pack", "all()"]])
        self.world.lineage(self.name, place, *words)

    def unpack(self, place: str) -> None:
        self.world.lineage(self.name, place, "unpack", "--all")

    def rebuild(self, place: str) -> None:
        self.world.lineage(self.name, place, "index", "rebuild")

    def erase(self, place: str) -> None:
        """Erase one file for good, here and at a remote."""
        with self.world.known.lock:
            told = [one.id for one in self.world.known.made if one.place == place]
        if not (there := [id_ for id_ in told if id_]):
            return
        id_ = self.rng.choice(there)
        words = ["--reason", "wish", "--authority", "chaos", "--all", "--yes"]
        where = self.rng.choice([[], ["--remote", "store"]])
        done = self.world.lineage(self.name, place, "erase", id_, *words, *where)
        if done.code == 0 or done.harm:
            with self.world.known.lock:
                self.world.known.erased.add(id_)


class Sharer:
    """Pushes, pulls, fetches and clones."""

    def __init__(self, world: World, name: str, rng: Random) -> None:
        self.world, self.name, self.rng = world, name, rng
        self.clones = 0

    def act(self) -> None:
        """Do one thing with one of the remotes."""
        place = self.rng.choice(CLONES)
        remote = self.rng.choice(["origin", "origin", "backup"])
        word = self.rng.choice(
            ["push", "pull", "both", "both", "both", "fetch", "clone"]
        )
        if word == "clone":
            self.clone()
        elif word == "both":
            self.world.lineage(self.name, place, "pull", remote)
            self.world.lineage(self.name, place, "push", remote)
        else:
            self.world.lineage(self.name, place, word, remote)

    def clone(self) -> None:
        """Make a new clone, verify it and throw it away."""
        self.clones += 1
        name = f"{self.name}-{self.clones}"
        place, run = self.world.folder / "work" / name, self.world.crowd.run
        url = str(self.world.small / "origin.git")
        words = ["clone", url, str(place), "--dvc-remote", "store"]
        done = run(self.name, name, words, [*LINEAGE, *words], self.world.folder)
        if done.outcome == "done":
            self.world.journal.note("new clone")
        elif not done.harm and place.exists():
            self.world.journal.find(f"clone failed and left {name}")
        shutil.rmtree(place, ignore_errors=True)
