"""One packer at a time: who has the turn is written into the lock's file."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lineage.errors import Busy
from lineage.registry import Registry
from lineage.store.disk import disk_errors, locked
from lineage.store.events import now


@contextmanager
def turn(registry: Registry, command: str) -> Iterator[None]:
    """Hold the turn while running `command`.

    Raises:
        Busy: when somebody else has it; says who that is.
    """
    path = registry.home / "packing.lock"
    with ExitStack() as stack:
        with disk_errors("taking the turn to pack"):
            descriptor = _take(stack, path)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {now()} {command}".encode(), 0)
        yield


def _take(stack: ExitStack, path: Path) -> int:
    try:
        return stack.enter_context(locked(path, wait=False))
    except BlockingIOError:
        who = path.read_text(errors="replace").split(" ", 2)
        said = "another process packs or unpacks here"
        if len(who) == 3:
            process, since, command = who
            said = f"`{command}` runs here, process {process}, since {since[:19]}Z"
        raise Busy(said, hint="wait until it has ended; nothing is lost") from None
