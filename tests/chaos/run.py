"""Everything at once for a while, and then the question whether all is there.

    python tests/chaos/run.py --minutes 30

Writers, loops, readers, gc, packing, erasing, pushes, pulls and clones work in three
clones; a server takes commits over HTTP; processes are killed and a disk is full. What
each was told is written down and held against what is there at the end.
docs/chaos.md says what that means; --write puts the counts there.
"""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Protocol

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.chaos.judge import Judge
from tests.chaos.keepers import Keeper, Sharer
from tests.chaos.loops import Looper
from tests.chaos.senders import Sender
from tests.chaos.tables import log, report, write
from tests.chaos.world import CLONES, World, listens
from tests.chaos.writers import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.crowd import Running


class Actor(Protocol):
    """Somebody who does one thing after the other."""

    name: str

    def act(self) -> None: ...


def chaos(world: World, seed: int, seconds: float) -> Judge:
    """Let all of them act for so long, then judge."""

    def dice(name: str) -> Random:
        return Random(f"{seed} {name}")

    writers = [
        Writer(world, f"writer-{place}-{n}", place, dice(f"{place} {n}"))
        for place, n in (("ada", 0), ("ada", 1), ("bob", 0), ("cy", 0), ("cy", 1))
    ]
    loopers = [Looper(world, f"loop-{p}", p, dice(f"loop {p}")) for p in CLONES]
    actors: list[Actor] = [
        *writers,
        *loopers,
        Keeper(world, "keeper", dice("keeper")),
        *(Sharer(world, f"sharer-{n}", dice(f"sharer {n}")) for n in range(2)),
        *(Sender(world, f"http-{n}", dice(f"http {n}")) for n in range(2)),
    ]
    works: list[Callable[[], None]] = [
        *(
            lambda one=one: go_on(world, one, dice(f"pace {one.name}"))
            for one in actors
        ),
        lambda: kill(world, dice("kill")),
        lambda: fill(world, dice("fill")),
    ]
    servers = Servers(world)
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        servers.keep()
        time.sleep(0.5)
    world.over.set()
    while any(thread.is_alive() for thread in threads):
        servers.keep()
        time.sleep(0.5)
    servers.stop()
    servers.keep(http=False)
    judge = Judge(world)
    judge.all(writers, loopers)
    servers.stop()
    return judge


def go_on(world: World, actor: Actor, rng: Random) -> None:
    """Act and pause until it is over."""
    while not world.over.wait(rng.uniform(0.1, 2.5)):
        try:
            actor.act()
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                world.journal.note("an actor met the full disk itself")
            else:
                world.journal.find(f"{actor.name} itself failed: {error!r}")


def kill(world: World, rng: Random) -> None:
    """Kill something every few seconds."""
    while not world.over.wait(rng.uniform(1, 7)):
        world.crowd.kill(rng)


def fill(world: World, rng: Random) -> None:
    """Fill the small disk every minute or so, wholly or nearly, for some seconds."""
    while world.mounted and not world.over.wait(rng.uniform(20, 70)):
        filler = world.crowd.fill(world.small, rng.choice([0, 0, 20_000, 300_000]))
        world.over.wait(rng.uniform(3, 15))
        world.crowd.empty(filler)


class Servers:
    """The servers of HTTP and S3: whoever is dead is started again."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.s3: Running | None = None
        self.http: Running | None = None
        self.keep()

    def keep(self, *, http: bool = True) -> None:
        """Start what does not run."""
        if self._is_dead(self.s3):
            self.s3 = self.world.serve_s3()
            listens(self.world.s3_port)
        if http and self._is_dead(self.http):
            self.http = self.world.serve()
            listens(self.world.port)

    def stop(self) -> None:
        """End both as an operator does."""
        for running in (self.http, self.s3):
            if running is not None:
                self.world.crowd.forget(running)
                running.process.send_signal(signal.SIGTERM)
                running.process.communicate()
        self.http = self.s3 = None

    def _is_dead(self, running: Running | None) -> bool:
        if running is None or running.process.poll() is not None:
            if running is not None:
                self.world.crowd.forget(running)
                self._look(running)
            return True
        return False

    def _look(self, running: Running) -> None:
        """Nothing that a server says before it dies is a traceback of ours.

        Its workers may live: whoever starts it again ends them, as systemd does.
        """
        with suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGKILL)
        _, err = running.process.communicate()
        self.world.journal.note(
            f"{running.what} was dead", code=running.process.returncode
        )
        if "Traceback (most recent call last)" in err:
            self.world.journal.find(f"{running.what}: {err[-2000:]}")


def apart(argv: list[str]) -> int | None:
    """Run again where a disk can be mounted for us alone; None: we are there."""
    if "LINEAGE_CHAOS" in os.environ or not shutil.which("unshare"):
        return None
    for how in ("-m", "-rm"):
        if subprocess.run(["unshare", how, "true"], check=False).returncode == 0:
            command = ["unshare", how, sys.executable, __file__, *argv]
            env = os.environ | {"LINEAGE_CHAOS": "apart"}
            return subprocess.run(command, env=env, check=False).returncode
    return None


def main() -> int:
    """Make chaos, judge it, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--folder", type=Path, help="a new folder, which is kept")
    parser.add_argument("--write", type=Path, help="a page that takes the counts")
    args = parser.parse_args()
    if (code := apart(sys.argv[1:])) is not None:
        return code
    folder = args.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(exist_ok=True)
    world = World(folder)
    print(f"seed {args.seed}, in {folder}", file=sys.stderr)
    try:
        world.make()
        judge = chaos(world, args.seed, args.minutes * 60)
        found = world.journal.findings
        text = report(world, judge, args)
        print(log(world), file=sys.stderr)
        print(text)
        if args.write:
            write(args.write, text)
    finally:
        world.close()
    if not args.folder and not found:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
