"""What must be so when all is over: nothing lost, nothing wrong, nothing left."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING

import lineage
from lineage.errors import LineageError
from lineage.history import walk
from tests.chaos.loops import lay
from tests.chaos.world import CLONES, DVC, LINEAGE
from tests.conftest import left_over

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lineage import Registry
    from tests.chaos.loops import Looper
    from tests.chaos.world import Made, World
    from tests.chaos.writers import Writer

JUDGE = "judge"
COMPARED = 12  # loops


class Judge:
    """Looks at everything once nobody writes any more, and counts what it saw."""

    def __init__(self, world: World) -> None:
        self.world, self.known = world, world.known
        self.seen: Counter[str] = Counter()
        self.drafts: set[str] = set()

    def all(self, writers: Sequence[Writer], loopers: Sequence[Looper]) -> None:
        """Bring the clones together as a user would, and look at all that was told."""
        self.drafts = self._drafts()
        for looper in loopers:
            while looper.loop and not looper.go_on():
                pass
        self.come_together()
        for place in CLONES:
            with closing(lineage.open(self.world.root(place))) as registry:
                self.commits(place, registry)
                self.events(place, registry)
                self.names(place, registry, writers)
        self.the_same_names()
        for place in CLONES:
            self.verified(place)
            self.plain_tools(place)
            self.nothing_left(place)
        self.loops_in_calm()

    def come_together(self) -> None:
        """Pull and push until all have all; then erase at the remotes, too."""
        for place in (*CLONES, *CLONES):
            self._must(place, "pull", "origin")
            self._must(place, "push", "origin")
        for word in ("push", "pull"):
            for place in CLONES:
                self._must(place, word, "origin", "--all-payloads")
        for place in (*CLONES, *CLONES):
            self._must(place, "pull", "backup")
            self._must(place, "push", "backup", "--all-payloads")
        for id_ in sorted(self.known.erased):
            words = ["erase", id_, "--reason", "wish", "--authority", "chaos", "--all"]
            self._must("ada", *words, "--yes", "--remote", "store", "--remote", "s3")
        for place in (*CLONES, *CLONES):
            self._must(place, "pull", "origin")
            self._must(place, "push", "origin")
        for place in CLONES:
            self._must(place, "gc")

    def commits(self, place: str, registry: Registry) -> None:
        """Each commit that somebody was told of is there, with its bytes."""
        for made in self.known.made:
            if made.id and made.place == place:
                self.seen["commits that were told"] += 1
                self.seen[self._bytes(registry, made)] += 1

    def events(self, place: str, registry: Registry) -> None:
        """Each event that somebody was told of is in the log, each request once."""
        log = {
            logged.event.id: logged.event for logged in registry.events_log.iterate()
        }
        told = [id_ for where, id_ in self.known.events if where == place]
        if place == "ada":
            told += list(self.known.requests.values())
            asked = Counter(
                e.data["request"] for e in log.values() if "request" in e.data
            )
            for name in [name for name, count in asked.items() if count > 1]:
                self._find(f"the request {name} was done twice")
        self.seen["statements and requests that were told"] += len(told)
        for id_ in set(told) - set(log):
            self._find(f"{place}: the event {id_} is lost")
        self.seen[f"events in {place}'s log"] = len(log)

    def names(self, place: str, registry: Registry, writers: Sequence[Writer]) -> None:
        """Each branch and tag is where its only writer was told that it is."""
        branches, tags = registry.branches(), registry.tags()
        for writer in (one for one in writers if one.place == place):
            tip = branches.get(f"{writer.name}/main")
            digest = registry.files(tip)[0].sha256 if tip else ""
            self._one_of(f"{writer.name}/main", digest, writer.branch)
            side = branches.get(f"{writer.name}/side", "")
            self._one_of(f"{writer.name}/side", side, writer.side)
            for tag, ids in writer.tags.items():
                self._one_of(f"tag {tag}", tags.get(tag, ""), ids)

    def the_same_names(self) -> None:
        """All clones agree."""
        views = []
        for place in CLONES:
            with closing(lineage.open(self.world.root(place))) as registry:
                views.append((registry.branches(), registry.tags()))
        if views[1:] != views[:-1]:
            self._find("the clones do not agree on their names")
        self.seen["branches and tags that all clones agree on"] = sum(
            map(len, views[0])
        )

    def verified(self, place: str) -> None:
        """`lineage verify --remote` finds nothing that was not done on purpose."""
        words = ["verify", "--remote", "--format", "json"]
        done = self.world.lineage(JUDGE, place, *words)
        if done.code not in (0, 3):
            self._find(f"{place}: verify: {done.err}")
            return
        told = json.loads(done.out)
        self.seen["commits verified, with both remotes"] += told["checked"]
        for problem in told["problems"]:
            if problem["id"][:12] not in self.drafts:
                self._find(f"{place}: verify: {problem}")
            self.seen["drafts without bytes"] += problem["id"][:12] in self.drafts

    def plain_tools(self, place: str) -> None:
        """Git and DVC themselves find nothing amiss."""
        root = self.world.root(place)
        fsck = ["git", "fsck", "--strict", "--no-dangling", "--no-progress"]
        self._quiet(place, fsck)
        said = self._quiet(place, [*DVC, "status"])
        if "up to date" not in said:
            self._find(f"{place}: dvc status: {said}")
        before = (root / "plain.txt").read_bytes()
        (root / "plain.txt").unlink()
        self._quiet(place, [*DVC, "checkout", "-q"])
        if (root / "plain.txt").read_bytes() != before:
            self._find(f"{place}: dvc checkout gave other bytes")
        self.seen["clones that git fsck, dvc status and dvc checkout agree with"] += 1

    def nothing_left(self, place: str) -> None:
        """After one more commit and gc nothing lies about that a killed one left."""
        path = self.world.folder / "work" / "last.txt"
        path.write_text(f"the last of {place}", encoding="utf-8")
        self._must(place, "commit", "dataset", str(path), "--name", "last")
        self._a_day_later(place)
        self._must(place, "gc")
        with closing(lineage.open(self.world.root(place))) as registry:
            left = [str(path) for path in left_over(registry)]
        for one in left:
            self._find(f"{place}: left over: {one}")
        self.seen["files left over"] += len(left)

    def _a_day_later(self, place: str) -> None:
        """Make old what a killed git left: gc leaves to a git at work what is new."""
        for path in (self.world.root(place) / ".git" / "objects").glob("**/tmp_*"):
            self.seen["temporary files of killed gits, swept a day later"] += 1
            os.utime(path, (1, 1))

    def loops_in_calm(self) -> None:
        """Loops that were finished have the ids that they have without any chaos."""
        twin = self.world.folder / "twin"
        self._run(self.world.folder, [*LINEAGE, "init", str(twin)])
        finished = self.known.loops
        for place, name in finished[:: len(finished) // COMPARED + 1]:
            lay(twin / "loops" / name, name)
            spec = str(twin / "loops" / name / "loop.yaml")
            while self._run(twin, [*LINEAGE, "loop", "run", spec]) == 10:
                self._run(twin, [*LINEAGE, "review", "approve", name, "--note", "calm"])
            same = _ids(twin, name) == _ids(self.world.root(place), name)
            if not same:
                self._find(f"{place}: {name} has other ids than in calm")
            self.seen["loops that were made again in calm, with the same ids"] += same

    def _drafts(self) -> set[str]:
        """The first digits of all that was made to be thrown away."""
        found = set()
        for place in CLONES:
            with closing(lineage.open(self.world.root(place))) as registry:
                ids = [record.id for record in registry.ids]
                found |= {i[:12] for i in ids if "draft" in registry.load(i).name}
        return found

    def _bytes(self, registry: Registry, made: Made) -> str:
        """What became of a commit's bytes."""
        target = self.world.folder / "work" / "judged"
        try:
            got = registry.get(made.id, target)
        except LineageError as error:
            if "erased" in str(error) and made.id in self.known.erased:
                return "of them erased"
            if made.draft and ("freed" in str(error) or made.id in self.known.freed):
                return "of them freed by gc"
            self._find(f"{made.id}: {error}")
            return "of them lost"
        [file] = [got] if got.is_file() else list(got.iterdir())
        if sha256(file.read_bytes()).hexdigest() != made.sha256:
            self._find(f"{made.id} has other bytes")
        shutil.rmtree(got) if got.is_dir() else got.unlink()
        return "of them there, byte for byte"

    def _one_of(self, name: str, now: str, may: set[str]) -> None:
        self.seen["names where their writer was told"] += 1
        if now not in may:
            self._find(f"{name} is at {now or 'nothing'}, not at {sorted(may)}")

    def _must(self, place: str, *words: str) -> None:
        done = self.world.lineage(JUDGE, place, *words)
        if done.code and not self._excused(done.err):
            self._find(f"{place}: {' '.join(words)}: {done.err}")

    def _excused(self, said: str) -> bool:
        """Whether nothing is missing but bytes of drafts that gc has freed."""
        missing = re.findall(r" of ([0-9a-f]{12}) ", said)
        return bool(missing) and self.drafts.issuperset(missing)

    def _quiet(self, place: str, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=self.world.root(place), env=self.world.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        if done.returncode:
            self._find(f"{place}: {' '.join(command)}: {done.stdout}")
        return done.stdout

    def _run(self, where: Path, command: list[str]) -> int:
        quiet = subprocess.DEVNULL
        done = subprocess.run(
            command,
            cwd=where,
            env=self.world.env,
            stdout=quiet,
            stderr=quiet,
            check=False,
        )
        return done.returncode

    def _find(self, what: str) -> None:
        self.world.journal.find(what)


def _ids(root: Path, loop: str) -> list[str]:
    """The ids of a loop's generations."""
    with closing(lineage.open(root)) as registry:
        tip = registry.resolve(f"loop/{loop}")
        found = [registry.load(entry.id) for entry in walk(registry, [tip])]
        return [one.id for one in found if one.kind == "generation"]
