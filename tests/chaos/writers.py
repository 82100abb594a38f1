"""Actors that write: artifacts, names, statements; each knows what its names are."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING

from tests.chaos.world import Made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from tests.chaos.journal import Done
    from tests.chaos.world import World


class Writer:
    """Commits to a branch of its own and to one that all share, names, says, reads.

    `branch`, `side` and `tags` are what these names may be: one value where a command
    ended well or refused, several after one that was killed.
    """

    def __init__(self, world: World, name: str, place: str, rng: Random) -> None:
        self.world, self.name, self.place, self.rng = world, name, place, rng
        self.mine: list[Made] = []
        self.branch: set[str] = {""}  # of SHA-256s of the tip's file
        self.side: set[str] = {""}  # of commits' ids
        self.tags: dict[str, set[str]] = {}
        self.count = 0

    def act(self) -> None:
        """Do one thing."""
        once = [self.tag, self.untag, self.move, self.move_and_undo, self.forget]
        said = [self.taint, self.measure, self.read, self.get]
        once += [self.share_a_branch, self.draft]
        chosen: Callable[[], object] = self.commit
        if self.mine and self.rng.random() < 0.6:
            chosen = self.rng.choice([*once, *said])
        chosen()

    def commit(self) -> None:
        """Record a file of its own, sometimes with a parent that it knows."""
        self._commit(f"{self.name}/main", self._parents())

    def share_a_branch(self) -> None:
        """Record a file on the branch that everybody moves."""
        self._commit("shared", ())

    def draft(self) -> None:
        """Record a file, and throw it away: gc may have it."""
        branch = f"{self.name}/draft"
        if self._commit(branch, ()):
            self._run("branch", "-d", branch)

    def tag(self) -> None:
        tag, id_ = f"{self.name}-{self.count}", self._some().id
        self.count += 1
        done = self._run("tag", tag, id_, "-m", "chaos")
        self.tags[tag] = after(done, {""}, id_)

    def untag(self) -> None:
        if there := [tag for tag, ids in self.tags.items() if "" not in ids]:
            tag = self.rng.choice(there)
            done = self._run("tag", "-d", tag)
            self.tags[tag] = after(done, self.tags[tag], "")

    def move(self) -> bool:
        id_ = self._some().id
        done = self._run("branch", "-f", f"{self.name}/side", id_)
        self.side = after(done, self.side, id_)
        return done.outcome == "done"

    def move_and_undo(self) -> None:
        """Move a branch, and take it back by the event's id."""
        before = self.side
        if len(before) > 1 or not self.move() or before == self.side:
            return
        ref = f"{self.name}/side"
        told = self._run("events", "--ref", ref, "-n", "1", "--format", "jsonl")
        if told.outcome == "done" and told.out:
            done = self._run("undo", json.loads(told.out)["id"])
            self.side = after(done, self.side, *before)

    def forget(self) -> None:
        if "" not in self.side:
            done = self._run("branch", "-d", f"{self.name}/side")
            self.side = after(done, self.side, "")

    def taint(self) -> None:
        """Say that something is bad, and sometimes that it is not."""
        id_ = self._some().id
        self._told(self._run("taint", id_, "--reason", "chaos"))
        if self.rng.random() < 0.5:
            self._told(self._run("taint", "--lift", id_, "--reason", "it was not"))

    def measure(self) -> None:
        value = f"score={self.rng.random():.6f}"
        self._told(self._run("attest", self._some().id, "--metric", value))

    def read(self) -> None:
        """Ask something; where nothing was erased or freed an answer is due."""
        id_ = self._some().id
        asked = [
            ["log", "-n", "20", "all()"],
            ["show", id_],
            ["trace", id_],
            ["impact", id_],
        ]
        asked += [["status"], ["events", "-n", "5"], ["branch"], ["taint"]]
        asked += [["verify", id_]]
        words = self.rng.choice(asked)
        done = self._run(*words)
        if done.outcome == "refused" and not done.harm and words[0] != "verify":
            self.world.journal.find(f"{self.place}: {words[0]} refused: {done.err}")

    def get(self) -> None:
        """Ask for bytes: they are right, or there is a reason."""
        one = self._some()
        place = self.world.folder / "work" / f"{self.name}-got"
        done = self._run("get", one.id, str(place))
        if done.outcome == "done":
            [file] = [place] if place.is_file() else place.iterdir()
            if sha256(file.read_bytes()).hexdigest() != one.sha256:
                self.world.journal.find(f"{self.place}: {one.id} has other bytes")
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)

    def _commit(self, branch: str, parents: Iterable[str]) -> bool:
        path = self.world.folder / "work" / f"{self.name}.txt"
        lines = [f"{self.name} {self.count} {self.rng.random()}"]
        lines += [f"line {n} of {self.name}" for n in range(self.rng.choice([2, 2000]))]
        path.write_text("\n".join(lines), encoding="utf-8")
        self.count += 1
        digest = sha256(path.read_bytes()).hexdigest()
        draft = branch.endswith("draft")
        name = f"draft-of-{self.name}" if draft else self.name
        words = ["commit", "dataset", str(path), "--name", name, *parents]
        done = self._run(*words, "--branch", branch, "-m", f"number {self.count}")
        id_ = done.out.strip() if done.outcome == "done" else ""
        made = Made(self.place, digest, id_, draft)
        if branch.endswith("main"):
            self.branch = after(done, self.branch, digest)
        if id_ and not made.draft:
            self.mine.append(made)
        with self.world.known.lock:
            self.world.known.made.append(made)
        return id_ != ""

    def _parents(self) -> Iterable[str]:
        if self.mine and self.rng.random() < 0.5:
            return ["--derived-from", self._some().id]
        return []

    def _some(self) -> Made:
        return self.rng.choice(self.mine)

    def _told(self, done: Done) -> None:
        """Remember the event that it was told of."""
        if done.outcome == "done" and done.out.strip():
            with self.world.known.lock:
                event = done.out.split()[-1]
                self.world.known.events.append((self.place, event))

    def _run(self, *words: str) -> Done:
        return self.world.lineage(self.name, self.place, *words)


def after(done: Done, before: set[str], *now: str) -> set[str]:
    """What a name may be: `now`, as it was `before`, or, of a killed one, either."""
    if done.outcome == "done":
        return set(now)
    return before | set(now) if done.code < 0 or done.harm == "hurt" else before
